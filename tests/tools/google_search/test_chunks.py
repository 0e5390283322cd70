"""Documents in pieces."""

from turnwise.tools.google_search.chunks import SECTION, Chunk, Passage, cut, first_heading

LONG = "Say it again. " * (SECTION // 10)


def chunks(*texts: str) -> list[Chunk]:
    return list(cut([Passage(text) for text in texts], is_markdown=True))


def test_a_heading_begins_a_piece_if_there_is_enough_before_it():
    first, second = chunks(f"# Leave\n{LONG}\n## Parents\n{LONG}")
    assert (first.heading, second.heading) == ("Leave", "Leave > Parents")
    assert first.text == f"# Leave\n{LONG}".rstrip("\n")
    assert second.text.startswith("## Parents\n")


def test_short_sections_stay_together():
    (chunk,) = chunks("# Leave\n\n## Parents\nTwo years.\n\n## Others\nThirty days.")
    assert chunk.heading == "Leave > Parents"
    assert chunk.text.endswith("Thirty days.")


def test_headings_hold_from_passage_to_passage():
    assert [chunk.heading for chunk in chunks("# A\n## B\nx", "more of it", "# C\ny")] == ["A > B", "A > B", "C"]


def test_what_looks_like_a_heading_in_code_is_none():
    assert [
        chunk.heading for chunk in chunks("# A\n```sh\n# no heading\n```\n", "more", "~~~\n# none\n", "# none")
    ] == [
        "A",
        "A",
        "A",
        "A",
    ]


def test_headings_do_not_hold_elsewhere():
    passages = [Passage("# Leave\nThirty days."), Passage("Imprint", "around the main text")]
    assert [chunk.heading for chunk in cut(passages, is_markdown=True)] == ["Leave", ""]


def test_other_texts_have_no_headings():
    assert list(cut([Passage("# not a heading")], is_markdown=False)) == [Chunk("# not a heading")]


def test_pages_and_times_are_kept_and_lines_are_not():
    passages = [Passage("a", "page 3"), Passage("b", "00:12"), Passage("c", "line 40"), Passage(" \n")]
    found = list(cut(passages, is_markdown=False))
    assert [(chunk.place, chunk.page) for chunk in found] == [("page 3", 3), ("00:12", None), ("", None)]


def test_the_first_heading_is_what_a_document_begins_with():
    assert first_heading(chunks("# Leave #\n## Parents\nx")) == "Leave"
    assert first_heading(chunks("no heading")) == ""
    assert first_heading([]) == ""
