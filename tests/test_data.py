"""The data directory: what is left there by a process that was killed, and what cannot be."""

from pathlib import Path

import pytest

from turnwise.data import empty_folder
from turnwise.settings import Settings, SettingsError


def test_what_a_killed_process_left_is_removed(tmp_path: Path) -> None:
    left = tmp_path / "scratch" / "turnwise-x" / "file"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"half a file")
    assert list(empty_folder(tmp_path / "scratch").iterdir()) == []


def test_a_folder_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "scratch").write_text("")
    with pytest.raises(SettingsError, match=r"^the folder .*scratch cannot be made, or emptied: "):
        empty_folder(tmp_path / "scratch")


def test_databases_beside_each_other_have_folders_of_their_own(tmp_path: Path) -> None:
    names = ("a.db", "a.sqlite", "a.scratch")
    folders = {Settings(database_url=f"sqlite:///{tmp_path / name}").scratch_dir for name in names}
    assert len(folders) == 3
    assert not folders & {tmp_path / name for name in names}
