"""The head of GGUF files, as the package that writes them writes them."""

from pathlib import Path

import pytest
from gguf import GGUFWriter

from turnwise.domain.errors import ModelUnavailable
from turnwise.models.gguf import architecture, check_projector


def test_the_architecture_is_found_behind_values_of_every_kind(tmp_path: Path) -> None:
    path = tmp_path / "odd.gguf"
    writer = GGUFWriter(path, "clip")
    head = writer.kv_data[0]
    named = head.pop("general.architecture")
    writer.add_string("text", "ä" * 300)
    writer.add_bool("flag", True)
    writer.add_float64("number", 0.5)
    writer.add_array("words", ["one", "two"])
    writer.add_array("numbers", [1, 2, 3])
    head["general.architecture"] = named
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()
    assert architecture(path) == "clip"
    check_projector(path)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "no GGUF file"),
        (b"GGUF", "cannot be read"),
        (b"GGUF\3\0\0\0" + bytes(8) + b"\1" + bytes(7) + b"\xff" * 8, "cannot be read"),
        (b"GGUF\3\0\0\0" + bytes(16), "does not say"),
    ],
    ids=["empty", "cut", "endless", "silent"],
)
def test_what_cannot_be_read_is_said(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "odd.gguf"
    path.write_bytes(content)
    with pytest.raises(ModelUnavailable, match=reason):
        check_projector(path)
