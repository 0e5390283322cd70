"""What tools have told, read back as sentences."""

from engine.rules.told import BOWL, PORTAL, UNREACHED, UNREAD
from turnwise.engine.rules.findings import joined, read_failures, read_findings, split_sentences


def test_sentences_know_the_place_they_stand_at() -> None:
    findings = read_findings(BOWL)
    assert [(one.place, one.title) for one in findings if one.text.startswith(("Kansas", "Tickets"))] == [
        (2, "All winners"),
        (3, "Super Bowl LX: date and place"),
    ]


def test_headings_addresses_and_links_are_no_sentences() -> None:
    said = "\n".join(one.text for one in read_findings(PORTAL))
    assert said.startswith("Wikipedia The Free Encyclopedia\nEnglish")
    assert said.endswith("You can support our work with a donation.")
    assert "http" not in said


def test_what_is_told_twice_is_one_sentence() -> None:
    assert [one.text for one in read_findings("It rains. It rains.\nIt rains.")] == ["It rains."]


def test_an_abbreviation_ends_no_sentence() -> None:
    text = "Dr. Smith of the U.S. team met J. Doe at 5 p.m. on Friday. They won!"
    assert split_sentences(text) == [text[:-10], "They won!"]


def test_sentences_of_other_scripts_are_told_apart() -> None:
    assert split_sentences("西班牙赢了。英格兰输了。") == ["西班牙赢了。", "英格兰输了。"]


def test_why_there_is_nothing_is_no_finding() -> None:
    assert read_findings(UNREAD) == ()
    assert read_findings(UNREACHED) == ()
    assert read_failures(UNREAD) == ("Nothing was read (status error): there is no server of that name.",)
    assert read_failures(UNREACHED) == (UNREACHED,)


def test_sentences_are_joined_in_the_order_in_which_they_stood() -> None:
    first, second = read_findings("One is first\nTwo is second.")
    assert joined([second, first]) == "One is first. Two is second."


def test_a_heading_within_a_place_is_no_other_place() -> None:
    rome = "[1] Rome\nhttps://a.example\n# Rome\nRome is old.\n## Sights\nThe Colosseum is round."
    told = f"{rome}\n\n[2] Oslo\nOslo is cold."
    assert [(one.place, one.title) for one in read_findings(told)] == [(1, "Rome"), (1, "Rome: Sights"), (2, "Oslo")]
