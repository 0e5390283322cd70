"""What texts say: in whichever encoding they are, and as people read them."""

from pathlib import Path

import pytest

from turnwise.domain.errors import InvalidRequest
from turnwise.media.documents import pictures, read
from turnwise.media.media import Account, Options
from turnwise.media.texts import LARGEST, PASSAGE


def say(tmp_path: Path, data: bytes | str, mime_type: str = "text/plain") -> Account:
    """What a file with these bytes says."""
    path = tmp_path / "file"
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return read(path, Options(mime_type))


def whole(account: Account) -> str:
    return "\n".join(passage.text for passage in account.passages)


@pytest.mark.parametrize(
    ("data", "mime_type"),
    [
        ("Grüße aus 北京".encode(), "text/plain"),
        ("Grüße aus 北京".encode("utf-8-sig"), "text/plain"),
        ("Grüße aus 北京".encode("utf-16"), "text/plain"),
        (b"\xfe\xff" + "Grüße aus 北京".encode("utf-16-be"), "text/plain"),
        ("Grüße aus 北京".encode("gb18030"), "text/plain;charset=gb18030"),
    ],
)
def test_a_text_is_read_in_its_encoding(tmp_path: Path, data: bytes, mime_type: str) -> None:
    assert whole(say(tmp_path, data, mime_type)) == "Grüße aus 北京"


def test_a_text_of_western_europe_is_read_as_such(tmp_path: Path) -> None:
    assert whole(say(tmp_path, "Für 5 €".encode("cp1252"))) == "Für 5 €"
    assert whole(say(tmp_path, b"F\xfcr \x81")) == "Für \x81"


def test_a_text_that_is_not_what_it_says_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match=r"not valid shift_jis: .* at byte 0"):
        say(tmp_path, b"\xff\xff", "text/plain;charset=shift_jis")
    with pytest.raises(InvalidRequest, match="not valid utf-16"):
        say(tmp_path, "Grüße".encode("utf-16") + b"x")


def test_a_short_text_is_one_passage_without_a_place(tmp_path: Path) -> None:
    account = say(tmp_path, "One\r\n\r\nTwo\r\n")
    assert account.facts == "text, 3 lines"
    assert [(passage.place, passage.text) for passage in account.passages] == [("", "One\n\nTwo")]


def test_a_long_text_is_cut_between_paragraphs_and_says_its_lines(tmp_path: Path) -> None:
    paragraphs = [f"Paragraph {at}. " + "Some words. " * 40 for at in range(20)]
    account = say(tmp_path, "\n\n".join(paragraphs))
    assert all(len(passage.text) <= PASSAGE for passage in account.passages)
    assert all(passage.text.startswith("Paragraph ") for passage in account.passages)
    for passage in account.passages:
        number = int(passage.text.split(".")[0].removeprefix("Paragraph "))
        assert passage.place == f"line {2 * number + 1}"
    assert "".join(whole(account).split()) == "".join("".join(paragraphs).split())


@pytest.mark.parametrize("text", ["x" * 10_000, "word " * 2000, "行" * 5000, "A sentence. " * 1000, "line\n" * 3000])
def test_a_text_without_paragraphs_is_cut_all_the_same_and_nothing_is_lost(tmp_path: Path, text: str) -> None:
    account = say(tmp_path, text)
    assert all(PASSAGE // 4 <= len(passage.text) <= PASSAGE for passage in account.passages[:-1])
    assert "".join(whole(account).split()) == "".join(text.split())


def test_code_and_tables_stay_as_they_are(tmp_path: Path) -> None:
    code = "def main():\n    if True:\n\n        return 1\n"
    assert whole(say(tmp_path, code, "text/x-python")) == code.rstrip()
    account = say(tmp_path, "name;age\nAda;36\n", "text/csv")
    assert account.facts == "CSV table, 2 lines"
    assert whole(account) == "name;age\nAda;36"


def test_an_indented_passage_keeps_its_indentation(tmp_path: Path) -> None:
    account = say(tmp_path, "\n".join(f"    value_{at} = {at}" for at in range(500)), "text/x-python")
    assert len(account.passages) > 1
    assert all(passage.text.startswith("    value_") for passage in account.passages)


def test_a_kind_without_a_name_of_its_own_is_told_by_its_type(tmp_path: Path) -> None:
    assert say(tmp_path, "x", "text/x-kotlin").facts == "text (text/x-kotlin), 1 line"


PAGE = """<!doctype html><html><head><title>The  title</title><style>p {color: red}</style>
<script>alert("not shown")</script></head><body><h1>Heading</h1><p>First <b>bold</b>
paragraph &amp; more&nbsp;&euro;.</p><ul><li>one</li><li>two</li></ul>
<table><tr><th>Name</th><th>Age</th></tr><tr><td>Ada</td><td>36</td></tr></table>
<noscript>not shown</noscript><img src="x" alt="A cat"><template>not shown</template>
<svg><title>not shown</title></svg><p>Last<br>line</p></body></html>"""


def test_a_web_page_says_what_people_see_of_it(tmp_path: Path) -> None:
    account = say(tmp_path, PAGE, "text/html")
    assert account.facts == "web page (HTML), titled 'The title'"
    assert account.manner == "read without its markup"
    text = whole(account)
    assert text.startswith("Heading\n\nFirst bold paragraph & more €.\n\n")
    assert "- one\n- two" in text
    assert "Name\tAge\nAda\t36" in text
    assert "[A cat]" in text
    assert text.endswith("Last\nline")
    assert "not shown" not in text
    assert "alert" not in text


@pytest.mark.parametrize(
    "markup", ["<p>Hello", "<p><<b>Hello</p></b>", "Hello<script>", "<p>Hello<!--", "Hello &#xFFFFFFFF;"]
)
def test_a_broken_web_page_is_read_as_far_as_it_goes(tmp_path: Path, markup: str) -> None:
    assert "Hello" in whole(say(tmp_path, markup, "text/html"))


def test_an_rtf_document_says_what_people_see_of_it(tmp_path: Path) -> None:
    account = say(tmp_path, rb"{\rtf1\ansi{\fonttbl\f0 Arial;}\f0\b Hello\b0 , W\'f6rld\par Next}", "text/rtf")
    assert whole(account) == "Hello, Wörld\nNext"
    assert account.facts == "RTF document"


def test_a_text_over_the_limit_is_refused(tmp_path: Path) -> None:
    with (tmp_path / "file").open("wb") as file:
        file.truncate(LARGEST + 1)
    with pytest.raises(InvalidRequest, match=f"at most {LARGEST}"):
        read(tmp_path / "file", Options("text/plain"))


def test_a_text_of_blanks_says_nothing(tmp_path: Path) -> None:
    assert say(tmp_path, " \n\n \n").passages == ()


def test_a_text_has_no_pictures(tmp_path: Path) -> None:
    assert pictures(tmp_path / "file", 5, Options("text/plain")) == []
