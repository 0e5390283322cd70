"""What whoever starts the browser client is told when it cannot go on. What it does is in tests/acceptance."""

import sys

import pytest
from click.testing import CliRunner, Result

from turnwise.clients.browser import main, printable
from turnwise.clients.chromium import BrowserError, find_chromium

from .conftest import Site, open_site


def started(*arguments: str) -> Result:
    """The program, run to its end."""
    return CliRunner().invoke(main, ["Look.", "--no-sandbox", *arguments])


def complaint(*arguments: str) -> str:
    """Its one line when it fails."""
    result = started(*arguments)
    assert result.exit_code == 1, result.output
    return result.stderr.strip()


@pytest.fixture
def _chromium() -> None:
    pytest.importorskip("playwright", reason="it needs the extra `browser`")
    try:
        find_chromium()
    except BrowserError:
        pytest.skip("it needs Chromium, which scripts/test installs where it can")


@pytest.mark.usefixtures("_chromium")
def test_a_server_that_is_not_there_is_named():
    with open_site() as gone:
        url = gone.url
    message = complaint("--url", url)
    assert message.startswith(f"Error: no answer from {url} (")
    assert message.endswith("is `turnwise serve` running there?")


@pytest.mark.usefixtures("_chromium")
def test_another_server_is_told_from_turnwise(site: Site):
    message = complaint("--url", site.url)
    assert message == "Error: the server answers with status 501, and not as turnwise does; is it another server?"


@pytest.mark.usefixtures("_chromium")
def test_a_page_to_begin_at_that_cannot_be_had_is_told(site: Site):
    assert "only http and https addresses are opened" in complaint("--url", site.url, "--start", "file:///etc/passwd")
    with open_site() as gone:
        url = gone.url
    assert "ERR_CONNECTION_REFUSED" in complaint("--url", site.url, "--start", url)


def test_without_playwright_it_is_said_how_to_have_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "playwright.sync_api", None)
    assert complaint() == "Error: Playwright is not installed; run: pip install 'turnwise[browser]'"


def test_without_chromium_it_is_said_how_to_have_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(BrowserError, match="run: playwright install chromium"):
        find_chromium()


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("Köln: 12 €\n\t- 冰箱", "Köln: 12 €\n\t- 冰箱"),
        ("\x1b[2JDo it? \x1b[31myes\x07", "[2JDo it? [31myes"),
        ("a\u202eb\x9b2Jc\rd", "ab2Jcd"),
    ],
)
def test_what_a_model_says_does_not_move_the_cursor(written: str, shown: str):
    assert printable(written) == shown
