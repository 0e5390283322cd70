"""The data directory: what is left there by a process that was killed, and what cannot be."""

import os
from contextlib import ExitStack
from pathlib import Path

import pytest

from turnwise.data import alone_with_children, empty_folder, working_folder
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


def test_as_long_as_a_child_has_the_right_to_serve_no_other_server_gets_it(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    with ExitStack() as child:
        with alone_with_children(settings) as (lock,):
            child.callback(os.close, os.dup(lock))
        with pytest.raises(SettingsError, match="another turnwise is serving from"), working_folder(settings):
            pass
    with working_folder(settings) as folder:
        assert folder.is_dir()


def test_each_process_of_a_server_has_a_folder_which_its_successor_finds_empty(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    with alone_with_children(settings), working_folder(settings, number=1) as first:
        (first / "file").write_bytes(b"half a file")
        with working_folder(settings, number=2) as second, working_folder(settings, number=1) as successor:
            assert (successor, list(first.iterdir())) == (first, [])
            assert second != first


def test_of_servers_that_share_a_store_those_that_live_keep_their_folders(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, database_url="postgresql://u@h/d")
    with working_folder(settings) as first:
        dead = settings.scratch_dir / "1-dead"
        dead.mkdir()
        dead.with_name("1-dead.lock").touch()
        with working_folder(settings) as second:
            assert {path for path in settings.scratch_dir.iterdir() if path.is_dir()} == {first, second}
    assert list(settings.scratch_dir.iterdir()) == []
