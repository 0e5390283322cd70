"""What texts are made of, as far as two of them can be compared."""

import pytest

from turnwise.agents.deep_research.words import addresses, meaning, names, numbers, quotes, sentences, unwrapped


def split(text: str) -> list[str]:
    return [text[start:end] for start, end in sentences(text)]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("It is so. It was so!", ["It is so.", "It was so!"]),
        ("N. Jouppi et al. wrote it. It is long.", ["N. Jouppi et al. wrote it.", "It is long."]),
        ("It has 4.7 times more. So it is.", ["It has 4.7 times more.", "So it is."]),
        ("A heading\nA line", ["A heading", "A line"]),
        ("東京です。大阪です。", ["東京です。", "大阪です。"]),
        ("See fig. 3", ["See fig. 3"]),
        ("It was sold to Acme Corp. in 1999.", ["It was sold to Acme Corp. in 1999."]),
        ("", []),
    ],
)
def test_a_text_is_parted_where_its_sentences_end(text: str, parts: list[str]):
    assert split(text) == parts


def test_numbers_are_the_same_with_and_without_their_commas():
    assert numbers("65,536 of them, 4.7 times, in 2015.") == {"65536", "4.7", "2015"}
    assert numbers("in 2015, 2016") == {"2015", "2016"}


def test_words_of_one_stem_are_one():
    assert meaning("chips announced") == meaning("chip announces")
    assert "the" not in meaning("the chip")


@pytest.mark.parametrize(
    ("verb", "noun"),
    [("authenticate", "authentication"), ("construct", "construction"), ("configures", "configuration")],
)
def test_a_verb_and_the_noun_of_it_are_one(verb: str, noun: str):
    assert meaning(verb) == meaning(noun)


def test_station_and_state_are_two():
    assert meaning("station") != meaning("state")


def test_a_chinese_question_is_about_what_it_asks_for():
    assert meaning("茶是什么时候传入欧洲的？") == meaning("茶 传入欧洲")


def test_writing_without_blanks_is_compared_by_pairs():
    assert meaning("東京大学") & meaning("東京")


def test_names_are_words_that_begin_large_within_a_sentence():
    assert names("The chip is by Texas Instruments. Others say Google.") == meaning("Texas Instruments Google")


def test_quotations_and_addresses_are_found():
    assert quotes('He said "we ran out of machines" and left.') == ["we ran out of machines"]
    assert addresses("see https://a.example/b, www.c.example or me@d.example.") == [
        "https://a.example/b",
        "www.c.example",
        "me@d.example",
    ]


def test_lines_that_were_broken_because_they_were_full_are_joined():
    full = "This line is as long as the lines of this paragraph are\nand goes on here."
    assert unwrapped(full) == full.replace("\n", " ")
    assert unwrapped("# Heading\nText") == "# Heading\nText"
    assert unwrapped(f"{'long ' * 12}\n- item") == f"{('long ' * 12).rstrip()}\n- item"


def test_where_a_passage_stands_and_what_was_left_out_between_two_are_no_part_of_their_text():
    place = "(The history of the lighthouse > The first one > How it was built)"
    assert unwrapped(f"{place}\nIt was built.") == f"{place}\nIt was built."
    assert unwrapped(f"{'long ' * 12}\n...\nshort") == f"{('long ' * 12).rstrip()}\n...\nshort"
