"""Programs under test are bounded in time and tell how they ended; so does the server."""

import subprocess
import sys

import pytest

from .programs import run
from .serving import Output, ServerFailed

NO_SERVER = "http://127.0.0.1:9"


def test_program_without_an_end_is_ended_with_its_children(tmp_path):
    outcome = run(["bash", "-c", "echo begun; tail -f /dev/null & wait"], tmp_path, NO_SERVER, timeout=1)
    assert outcome.code != 0
    assert outcome.stdout == "begun\n"
    assert "no end after 1 s" in outcome.stderr


def test_program_that_fails_shows_what_it_printed(tmp_path):
    outcome = run(["bash", "-c", "echo said; echo complained >&2; exit 3"], tmp_path, NO_SERVER)
    with pytest.raises(AssertionError, match=r"(?s)ended with 3.*said.*complained"):
        outcome.succeeded()


def test_program_sees_the_server_and_no_other_setting(tmp_path, monkeypatch):
    monkeypatch.setenv("GOOGLE_API_KEY", "a key of this machine")
    outcome = run(["bash", "-c", "env | grep -E '^(GOOGLE|GEMINI)_' | sort"], tmp_path, NO_SERVER)
    assert outcome.stdout.splitlines() == ["GEMINI_API_KEY=any-key", f"GOOGLE_GEMINI_BASE_URL={NO_SERVER}"]


def test_server_that_dies_before_it_is_ready_shows_what_it_printed():
    with subprocess.Popen(
        [sys.executable, "-c", "print('the port is taken')"], stdout=subprocess.PIPE, encoding="utf-8"
    ) as process:
        output = Output(process)
        with pytest.raises(ServerFailed, match="the port is taken"):
            output.address()
