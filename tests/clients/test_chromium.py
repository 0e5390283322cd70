"""Every action of a browser, done in a real Chromium to a real page."""

import io
from collections.abc import Mapping
from typing import Any

import pytest
from PIL import Image

from turnwise.clients.chromium import ActionError, Browser, web_address
from turnwise.tools.computer_use.actions import CURRENT, FOUNDING, Action

from .conftest import Site, open_site

FIELD = {"x": 200, "y": 150}
"""Its middle, on the model's screen: at 256, 120 of 1280 by 800 pixels."""
LIST = {"x": 600, "y": 600}
NOTHING = {"x": 500, "y": 375}
"""A place where there is nothing: at 640, 300."""


def log(browser: Browser) -> list[str]:
    """What the page has noticed since this was asked last."""
    return browser.page.evaluate("log.splice(0)")


def value(browser: Browser) -> str:
    return browser.page.evaluate("field.value")


def scrolled(browser: Browser, what: str = "document.scrollingElement") -> tuple[float, float]:
    return tuple(browser.page.evaluate(f"[{what}.scrollLeft, {what}.scrollTop]"))


# -- the mouse


@pytest.mark.parametrize(
    ("action", "noticed"),
    [
        ("click_at", ["mousedown 640,300 0", "mouseup 640,300 0", "click 640,300 0"]),
        ("click", ["mousedown 640,300 0", "mouseup 640,300 0", "click 640,300 0"]),
        ("middle_click", ["mousedown 640,300 1", "mouseup 640,300 1", "auxclick 640,300 1"]),
    ],
)
def test_a_click_is_where_the_model_means_it(browser: Browser, action: str, noticed: list[str]):
    browser.act(action, NOTHING)
    assert log(browser) == noticed


def test_clicks_may_be_many(browser: Browser):
    browser.act("double_click", NOTHING)
    assert "dblclick 640,300 0" in log(browser)
    browser.act("triple_click", NOTHING)
    assert [entry for entry in log(browser) if entry.startswith("click")] == ["click 640,300 0"] * 3


def test_the_right_button_opens_a_menu(browser: Browser):
    browser.act("right_click", NOTHING)
    assert "contextmenu 640,300 2" in log(browser)


@pytest.mark.parametrize("action", ["hover_at", "move"])
def test_the_mouse_is_moved_without_a_click(browser: Browser, action: str):
    browser.act(action, NOTHING)
    assert browser.page.evaluate("pointer") == "640,300"
    assert log(browser) == []


def test_the_button_is_held_until_it_is_released(browser: Browser):
    browser.act("mouse_down", NOTHING)
    assert log(browser) == ["mousedown 640,300 0"]
    browser.act("mouse_up", {"x": 500, "y": 500})
    assert log(browser)[0] == "mouseup 640,400 0"


@pytest.mark.parametrize(
    "arguments",
    [
        {"x": 500, "y": 375, "destination_x": 500, "destination_y": 500},
        {"start_x": 500, "start_y": 375, "end_x": 500, "end_y": 500},
    ],
)
def test_something_is_dragged_and_dropped(browser: Browser, arguments: dict[str, int]):
    browser.act("drag_and_drop", arguments)
    assert log(browser)[:2] == ["mousedown 640,300 0", "mouseup 640,400 0"]


# -- the keyboard


def test_text_is_typed_in_place_of_what_was_there(browser: Browser):
    browser.act("type_text_at", {**FIELD, "text": "smart fridge", "press_enter": False})
    assert value(browser) == "smart fridge"
    assert "keydown Enter" not in log(browser)


def test_text_is_typed_behind_what_was_there_and_enter_pressed(browser: Browser):
    browser.act("type_text_at", {**FIELD, "text": "hand", "clear_before_typing": False})
    assert value(browser) in ("beforehand", "handbefore", "behandfore", "befhandore", "befohandre", "beforhande")
    assert log(browser)[-2:] == ["keydown Enter", "keyup Enter"]


def test_text_goes_where_the_focus_is(browser: Browser):
    browser.act("triple_click", FIELD)
    browser.act("type", {"text": "Köln 冰箱"})
    assert value(browser) == "Köln 冰箱"
    log(browser)
    browser.act("type", {"text": "!", "press_enter": True})
    assert log(browser)[-2:] == ["keydown Enter", "keyup Enter"]


@pytest.mark.parametrize(
    ("action", "arguments"),
    [
        ("key_combination", {"keys": "Control+A"}),
        ("key_combination", {"keys": "ctrl + a"}),
        ("hotkey", {"keys": ["Control", "a"]}),
    ],
)
def test_keys_are_pressed_at_once(browser: Browser, action: str, arguments: dict[str, Any]):
    browser.act("click", FIELD)
    browser.act(action, arguments)
    assert browser.page.evaluate("getSelection().toString()") == "before"
    assert log(browser)[-1] == "keyup Control"


@pytest.mark.parametrize(
    ("written", "pressed"),
    [("enter", "Enter"), ("Esc", "Escape"), ("page_down", "PageDown"), ("up", "ArrowUp"), ("f5", "F5"), ("+", "+")],
)
def test_a_key_may_be_called_in_many_ways(browser: Browser, written: str, pressed: str):
    browser.page.evaluate("addEventListener('keydown', event => event.preventDefault())")
    browser.act("press_key", {"key": written})
    browser.act("key_combination", {"keys": written})
    assert log(browser) == [f"keydown {pressed}", f"keyup {pressed}"] * 2


def test_a_key_is_held_until_it_is_released(browser: Browser):
    browser.act("key_down", {"key": "shift"})
    assert log(browser) == ["keydown Shift"]
    browser.act("key_up", {"key": "shift"})
    assert log(browser) == ["keyup Shift"]


def test_a_key_that_there_is_not_holds_none_of_the_others(browser: Browser):
    with pytest.raises(ActionError, match="Unknown key"):
        browser.act("hotkey", {"keys": ["Shift", "Any"]})
    assert log(browser) == ["keydown Shift", "keyup Shift"]


# -- the page


@pytest.mark.parametrize(
    ("direction", "place"), [("down", (100, 820)), ("up", (100, 0)), ("right", (1252, 100)), ("left", (0, 100))]
)
def test_the_page_is_scrolled_by_most_of_a_screen(browser: Browser, direction: str, place: tuple[int, int]):
    browser.page.evaluate("scrollTo(100, 100)")
    browser.act("scroll_document", {"direction": direction})
    assert scrolled(browser) == place


@pytest.mark.parametrize(
    ("action", "arguments", "distance"),
    [
        ("scroll_at", {}, 640),
        ("scroll_at", {"magnitude": 250}, 200),
        ("scroll", {}, 240),
        ("scroll", {"magnitude_in_pixels": 500}, 400),
    ],
)
def test_what_is_at_a_point_is_scrolled(browser: Browser, action: str, arguments: dict[str, int], distance: int):
    browser.act(action, {**LIST, "direction": "down", **arguments})
    assert scrolled(browser, "list") == (0, distance)
    assert scrolled(browser) == (0, 0)


def test_it_is_waited_as_long_as_the_model_says(browser: Browser):
    browser.page.evaluate("setTimeout(() => { field.value = 'now'; }, 1000)")
    browser.act("wait", {"seconds": 1})
    assert value(browser) == "now"
    browser.page.evaluate("setTimeout(() => { field.value = 'later'; }, 5000)")
    browser.act("wait_5_seconds", {})
    assert value(browser) == "later"


@pytest.mark.parametrize("action", ["open_web_browser", "take_screenshot"])
def test_looking_changes_nothing(browser: Browser, action: str):
    browser.act(action, {})
    assert log(browser) == []
    assert Image.open(io.BytesIO(browser.look())).size == (1280, 800)


# -- from page to page


def test_pages_are_gone_to_and_back_and_forward(browser: Browser, site: Site):
    browser.act("search", {})
    browser.act("navigate", {"url": f"{site.url}/second"})
    assert site.asked == ["/search", "/second"]
    browser.act("go_back", {})
    assert browser.page.url == f"{site.url}/search"
    browser.act("go_forward", {})
    assert browser.page.url == f"{site.url}/second"
    with pytest.raises(ActionError, match="no page to go on to"):
        browser.act("go_forward", {})


def test_a_page_that_an_action_leads_to_is_there_behind_it(browser: Browser, site: Site):
    site.pages["/slow"] = "<title>Arrived</title>"
    browser.page.evaluate("() => { onclick = () => { location = '/slow'; }; }")
    browser.act("click", NOTHING)
    assert browser.page.title() == "Arrived"


def test_a_page_that_opens_beside_is_the_one_that_is_seen(browser: Browser, site: Site):
    browser.page.evaluate("() => { onclick = () => { open('/beside'); }; }")
    browser.act("click", NOTHING)
    assert browser.page.url == f"{site.url}/beside"
    browser.page.close()
    assert browser.page.url == f"{site.url}/"


def test_a_dialog_is_dismissed_and_told(browser: Browser):
    browser.page.evaluate("() => { onclick = () => { field.value = String(confirm('Really delete?')); }; }")
    browser.act("click", NOTHING)
    assert value(browser) == "false"
    assert browser.dialogs() == ["confirm: Really delete?"]
    assert browser.dialogs() == []


# -- what is not done


@pytest.mark.parametrize("url", ["file:///etc/passwd", "chrome://settings", "FILE:///etc/passwd", "ftp://a/b"])
def test_only_addresses_of_the_web_are_opened(browser: Browser, site: Site, url: str):
    with pytest.raises(ActionError, match="is no address of the web"):
        browser.act("navigate", {"url": url})
    assert browser.page.url == f"{site.url}/"


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,hello", "view-source:file:///etc/passwd"])
def test_what_has_no_host_is_taken_for_one_and_not_found(browser: Browser, url: str):
    with pytest.raises(ActionError):
        browser.act("navigate", {"url": url})
    assert "file" not in browser.page.url


def test_an_address_without_a_scheme_is_one_of_the_web():
    assert web_address("example.org/page") == "https://example.org/page"
    assert web_address(" http://example.org ") == "http://example.org"


def test_a_page_that_cannot_be_had_is_told_in_one_line(browser: Browser):
    with open_site() as gone:
        url = gone.url
    with pytest.raises(ActionError, match="ERR_CONNECTION_REFUSED") as refused:
        browser.act("navigate", {"url": url})
    assert "\n" not in str(refused.value)
    browser.page.wait_for_url("chrome-error://**")


@pytest.mark.parametrize(
    ("action", "arguments"),
    [
        ("click", {}),
        ("click", {"x": "left", "y": 1}),
        ("scroll", {**LIST, "direction": "in"}),
        ("navigate", {"url": 1}),
    ],
)
def test_wrong_arguments_are_told(browser: Browser, action: str, arguments: dict[str, Any]):
    with pytest.raises(ActionError, match=f"arguments of '{action}' are wrong"):
        browser.act(action, arguments)


def test_an_action_that_there_is_not_is_told(browser: Browser):
    with pytest.raises(ActionError, match="no action 'open_app'"):
        browser.act("open_app", {"app_name": "Shop"})


@pytest.mark.parametrize("action", [*FOUNDING, *CURRENT["browser"]], ids=lambda action: action.name)
def test_every_action_that_a_browser_is_offered_can_be_done(browser: Browser, site: Site, action: Action):
    samples: Mapping[str, Any] = {
        "direction": "down",
        "key": "Shift",
        "keys": ["Shift"] if action.name == "hotkey" else "Shift",
        "text": "a",
        "url": f"{site.url}/second",
    }
    required = [name for name, schema in action.properties.items() if "default" not in schema]
    browser.act("navigate", {"url": f"{site.url}/second"})
    browser.act("navigate", {"url": f"{site.url}/"})
    if action.name == "go_forward":
        browser.act("go_back", {})
    browser.act(action.name, {name: samples.get(name, 500) for name in required})
