"""What PDF documents say: page by page, whoever wrote them, and however badly."""

import time
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

from media.makers import filled_form, pdf, pdf_of_objects, pdf_with_pages, pdf_without_end, scanned_pdf
from turnwise.domain.errors import InvalidRequest, Unimplemented
from turnwise.media import ocr
from turnwise.media.documents import pictures, read
from turnwise.media.media import Options
from turnwise.media.pdf import PAGES, PIXELS
from turnwise.media.texts import PASSAGE

PDF = Options("application/pdf")

needs_ocr = pytest.mark.skipif(ocr.chosen("auto") is None, reason="no OCR is installed")


def scan(text: str) -> Image.Image:
    """A page as a scanner sees it."""
    page = Image.new("RGB", (1240, 1754), "white")
    ImageDraw.Draw(page).text((120, 150), text, fill="black", font=ImageFont.load_default(48))
    return page


def test_each_page_says_its_text_and_its_place(tmp_path: Path) -> None:
    account = read(pdf(tmp_path / "pdf", [["Hello", "there"], ["World"]]), PDF)
    assert [(passage.place, passage.text) for passage in account.passages] == [
        ("page 1", "Hello\nthere"),
        ("page 2", "World"),
    ]
    assert account.facts == "PDF document, 2 pages"
    assert account.manner == ""


def test_the_title_and_the_author_are_told_on_one_line(tmp_path: Path) -> None:
    path = pdf(tmp_path / "pdf", [["Hello"]], title="A\nlong " + "title " * 100, author="Ada Lovelace")
    account = read(path, PDF)
    assert account.facts.startswith("PDF document, 1 page, titled 'A long title title")
    assert account.facts.endswith("...', by Ada Lovelace")
    assert "\n" not in account.facts


def test_a_long_page_is_cut_into_passages_of_the_same_place(tmp_path: Path) -> None:
    lines = [f"Line {at}: the quick brown fox jumps over the lazy dog." for at in range(60)]
    account = read(pdf(tmp_path / "pdf", [lines]), PDF)
    assert len(account.passages) > 1
    assert {passage.place for passage in account.passages} == {"page 1"}
    assert all(len(passage.text) <= PASSAGE for passage in account.passages)
    assert "\n".join(passage.text for passage in account.passages).split("\n") == lines


def test_three_hundred_pages_are_read_in_two_seconds(tmp_path: Path) -> None:
    lines = [f"Line {at}: the quick brown fox jumps over the lazy dog." for at in range(50)]
    path = pdf(tmp_path / "pdf", [lines] * 300)
    start = time.perf_counter()
    account = read(path, PDF)
    assert time.perf_counter() - start < 2.0
    assert account.facts == "PDF document, 300 pages"
    assert account.passages[-1].place == "page 300"


def test_what_was_filled_into_a_form_is_read(tmp_path: Path) -> None:
    account = read(filled_form(tmp_path / "pdf", "Ada Lovelace"), PDF)
    assert "Ada Lovelace" in account.passages[0].text


@needs_ocr
def test_a_page_that_is_a_picture_is_read_by_ocr(tmp_path: Path) -> None:
    path = scanned_pdf(tmp_path / "pdf", [scan("INVOICE 4711"), None, scan("TOTAL 99")])
    account = read(path, PDF)
    assert [passage.place for passage in account.passages] == ["page 1", "page 2", "page 3"]
    assert "4711" in account.passages[0].text
    assert account.passages[1].text == "A page with text on it."
    assert "99" in account.passages[2].text
    assert account.facts == "PDF document, 3 pages, pages 1, 3 without text, read by OCR"
    assert account.manner == ""


@needs_ocr
def test_a_document_of_pictures_alone_says_that_it_was_read_by_ocr(tmp_path: Path) -> None:
    account = read(scanned_pdf(tmp_path / "pdf", [scan("INVOICE 4711")]), PDF)
    assert account.manner == "read by OCR"
    assert account.facts == "PDF document, 1 page"


@needs_ocr
def test_a_picture_with_its_number_printed_over_it_is_a_picture(tmp_path: Path) -> None:
    from reportlab.lib.utils import ImageReader
    from reportlab.pdfgen.canvas import Canvas

    canvas = Canvas(str(tmp_path / "pdf"))
    canvas.drawImage(ImageReader(scan("INVOICE 4711")), 0, 0, 595, 842)
    canvas.drawString(290, 20, "17")
    canvas.save()
    assert "4711" in read(tmp_path / "pdf", PDF).passages[0].text


@needs_ocr
def test_pages_for_which_there_is_no_time_are_named(tmp_path: Path) -> None:
    path = scanned_pdf(tmp_path / "pdf", [None, scan("ONE"), scan("TWO"), scan("THREE")])
    account = read(path, Options("application/pdf", seconds=0.0))
    assert [passage.place for passage in account.passages] == ["page 1"]
    assert "pages 2 to 4 not read (" in account.facts
    assert "too long" in account.facts


def test_pictures_without_anybody_to_read_them_are_named_with_the_remedy(tmp_path: Path) -> None:
    path = scanned_pdf(tmp_path / "pdf", [None, scan("ONE")])
    account = read(path, Options("application/pdf", ocr="off"))
    assert "page 2 not read (" in account.facts
    assert "media.ocr" in account.facts


def test_nothing_but_pictures_and_nobody_to_read_them_is_said_so(tmp_path: Path) -> None:
    path = scanned_pdf(tmp_path / "pdf", [scan("ONE"), scan("TWO")])
    with pytest.raises(Unimplemented, match=r"only pictures of pages: .*media\.ocr"):
        read(path, Options("application/pdf", ocr="off"))


def test_an_empty_page_is_told_of(tmp_path: Path) -> None:
    account = read(pdf(tmp_path / "pdf", [["Hello"], [], []]), PDF)
    assert account.facts == "PDF document, 3 pages, pages 2 to 3 empty"


def test_an_encrypted_document_is_refused_as_such(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="encrypted and needs a password"):
        read(pdf(tmp_path / "pdf", [["Hello"]], password="secret"), PDF)


@pytest.mark.parametrize(
    "data",
    [
        b"%PDF-1.4\n",
        b"%PDF-1.7\n" + bytes(1000),
        pdf_without_end()[:200],
        b"%PDF-1.4\ntrailer << /Root 1 0 R >>",
    ],
)
def test_a_broken_document_is_refused_as_such(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "pdf").write_bytes(data)
    with pytest.raises(InvalidRequest, match="broken"):
        read(tmp_path / "pdf", PDF)


def test_a_document_that_lost_its_end_is_read_all_the_same(tmp_path: Path) -> None:
    data = pdf(tmp_path / "pdf", [["Hello"], ["World"]]).read_bytes()
    (tmp_path / "pdf").write_bytes(data[: data.rindex(b"xref")])
    assert [passage.text for passage in read(tmp_path / "pdf", PDF).passages] == ["Hello", "World"]


def test_a_document_without_pages_is_refused_as_such_whatever_came_before(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="encrypted"):
        read(pdf(tmp_path / "secret", [["Hello"]], password="secret"), PDF)
    (tmp_path / "pdf").write_bytes(
        pdf_of_objects([b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Count 0 /Kids [] >>"])
    )
    with pytest.raises(InvalidRequest, match="no pages"):
        read(tmp_path / "pdf", PDF)


def test_pages_that_hold_one_another_end(tmp_path: Path) -> None:
    """A tree of pages whose branch is its own root."""
    (tmp_path / "pdf").write_bytes(
        pdf_of_objects(
            [
                b"<< /Type /Catalog /Pages 2 0 R >>",
                b"<< /Type /Pages /Count 3 /Kids [3 0 R 2 0 R] >>",
                b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 100 100] >>",
            ]
        )
    )
    assert read(tmp_path / "pdf", PDF).facts.startswith("PDF document, 3 pages")


def test_more_pages_than_are_read_are_refused(tmp_path: Path) -> None:
    (tmp_path / "pdf").write_bytes(pdf_with_pages(PAGES + 1))
    with pytest.raises(InvalidRequest, match=f"has {PAGES + 1} pages: at most {PAGES}"):
        read(tmp_path / "pdf", PDF)


def test_the_first_pages_are_shown(tmp_path: Path) -> None:
    shown = pictures(pdf(tmp_path / "pdf", [["One"], ["Two"], ["Three"]]), 2, PDF)
    assert [(each.place, each.mime_type) for each in shown] == [("page 1", "image/png"), ("page 2", "image/png")]
    (tmp_path / "png").write_bytes(shown[0].data)
    with Image.open(tmp_path / "png") as page:
        assert page.size == pytest.approx((595.3 * 2, 841.9 * 2), abs=2)
        assert page.convert("L").getextrema() == (0, 255)
    assert pictures(tmp_path / "pdf", 0, PDF) == []


def test_a_page_as_large_as_a_wall_is_shown_smaller(tmp_path: Path) -> None:
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 14400 14400] >>"
    (tmp_path / "pdf").write_bytes(
        pdf_of_objects([b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Count 1 /Kids [3 0 R] >>", page])
    )
    (shown,) = pictures(tmp_path / "pdf", 5, PDF)
    (tmp_path / "png").write_bytes(shown.data)
    with Image.open(tmp_path / "png") as picture:
        assert 1000 < picture.width == picture.height <= PIXELS**0.5
