"""A Chromium that carries out the actions of the tool `computer_use`, by way of Playwright.

    with open_browser(headed=False, sandbox=True, search_url="https://duckduckgo.com") as browser:
        browser.act("navigate", {"url": "https://example.org"})
        browser.act("click_at", {"x": 500, "y": 120})
        png = browser.look()

It knows the founding actions (`click_at`) and the current ones (`click`). Its profile is its own, and gone behind it.
It opens addresses of the web only, takes no downloads, and says no to dialogs.
"""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Dialog, Page, Request

SCREEN = (1280, 800)
"""How large a page is shown, in pixels."""

SETTLING = 0.5
"""How long a page is given to react to an action, in seconds."""

LOADING = 15.0
"""How long a page may load, in seconds. What is not there then is not waited for."""

CLICKS: Mapping[str, Mapping[str, Any]] = {
    "click_at": {},
    "click": {},
    "double_click": {"click_count": 2},
    "triple_click": {"click_count": 3},
    "middle_click": {"button": "middle"},
    "right_click": {"button": "right"},
}

DIRECTIONS: Mapping[str, tuple[int, int]] = {"up": (0, -1), "down": (0, 1), "left": (-1, 0), "right": (1, 0)}

KEYS: Mapping[str, str] = {
    **{name.lower(): name for name in ("Alt", "Backspace", "Control", "Delete", "End", "Enter", "Escape", "Home")},
    **{name.lower(): name for name in ("Insert", "Meta", "PageDown", "PageUp", "Shift", "Space", "Tab")},
    **{name: f"Arrow{name.capitalize()}" for name in ("down", "left", "right", "up")},
    **{f"arrow{name}": f"Arrow{name.capitalize()}" for name in ("down", "left", "right", "up")},
    **{f"f{number}": f"F{number}" for number in range(1, 13)},
    **dict.fromkeys(("cmd", "command", "super", "win"), "Meta"),
    "ctrl": "Control",
    "option": "Alt",
    "esc": "Escape",
    "del": "Delete",
    "return": "Enter",
}
"""What Playwright calls the keys, by what models do, in small letters."""


class BrowserError(Exception):
    """There is no browser, or it cannot go on; the message says why."""


class ActionError(Exception):
    """An action cannot be carried out; the message is for the model."""


class Browser:
    """A Chromium that carries out actions."""

    def __init__(self, context: "BrowserContext", search_url: str) -> None:
        self._context = context
        self._search_url = search_url
        self._loading: set[Request] = set()
        self._dialogs: list[str] = []
        context.set_default_timeout(LOADING * 1000)
        context.on("request", self._watch)
        context.on("requestfinished", self._forget)
        context.on("requestfailed", self._forget)
        context.on("dialog", self._dismiss)

    @property
    def page(self) -> "Page":
        """The page that was opened last."""
        return self._context.pages[-1] if self._context.pages else self._context.new_page()

    def act(self, name: str, arguments: Mapping[str, Any]) -> None:
        """Carry out an action, and wait until what it set off is there.

        Raises:
            ActionError: it could not be done.
        """
        from playwright.sync_api import Error

        try:
            self._act(name, arguments)
        except (KeyError, TypeError, ValueError) as error:
            raise ActionError(f"the arguments of '{name}' are wrong: {error!r}") from None
        except Error as error:
            self._settle()  # Chromium's own page about the error may be on its way
            raise ActionError(error.message.partition("\n")[0]) from None
        self._settle()

    def look(self) -> bytes:
        """The screen, as PNG."""
        return self.page.screenshot(scale="css")

    def dialogs(self) -> list[str]:
        """What the page has said in dialogs since this was asked last. All were dismissed."""
        said, self._dialogs = self._dialogs, []
        return said

    def _act(self, name: str, arguments: Mapping[str, Any]) -> None:
        page, mouse, keyboard = self.page, self.page.mouse, self.page.keyboard
        match name:
            case "open_web_browser" | "take_screenshot":
                pass
            case "wait_5_seconds":
                page.wait_for_timeout(5000)
            case "wait":
                page.wait_for_timeout(min(arguments.get("seconds", 1), 60) * 1000)
            case "search":
                page.goto(self._search_url)
            case "navigate":
                page.goto(web_address(arguments["url"]))
            case "go_back":
                if page.go_back() is None:
                    raise ActionError("there is no page to go back to")
            case "go_forward":
                if page.go_forward() is None:
                    raise ActionError("there is no page to go on to")
            case _ if name in CLICKS:
                mouse.click(*_point(arguments), **CLICKS[name])
            case "hover_at" | "move":
                mouse.move(*_point(arguments))
            case "mouse_down" | "mouse_up":
                mouse.move(*_point(arguments))
                mouse.down() if name == "mouse_down" else mouse.up()
            case "type_text_at":
                mouse.click(*_point(arguments))
                if arguments.get("clear_before_typing", True):
                    keyboard.press("ControlOrMeta+a")
                    keyboard.press("Delete")
                self._type(arguments["text"], arguments.get("press_enter", True))
            case "type":
                self._type(arguments["text"], arguments.get("press_enter", False))
            case "press_key":
                self._press([arguments["key"]])
            case "key_down":
                keyboard.down(_key(arguments["key"]))
            case "key_up":
                keyboard.up(_key(arguments["key"]))
            case "hotkey":
                self._press(arguments["keys"])
            case "key_combination":
                self._press([key for key in arguments["keys"].split("+") if key.strip()] or ["+"])
            case "scroll_document":
                across, down = DIRECTIONS[arguments["direction"]]
                script = "([x, y]) => scrollBy({left: x * innerWidth, top: y * innerHeight, behavior: 'instant'})"
                page.evaluate(script, [across * 0.9, down * 0.9])
            case "scroll_at":
                self._scroll(arguments, arguments.get("magnitude", 800))
            case "scroll":
                self._scroll(arguments, arguments.get("magnitude_in_pixels", 300))
            case "drag_and_drop":
                mouse.move(*_point(arguments, *(("start_x", "start_y") if "start_x" in arguments else ("x", "y"))))
                mouse.down()
                end = ("end_x", "end_y") if "end_x" in arguments else ("destination_x", "destination_y")
                mouse.move(*_point(arguments, *end), steps=10)
                mouse.up()
            case _:
                raise ActionError(f"there is no action '{name}' in this browser")

    def _type(self, text: str, press_enter: bool) -> None:
        self.page.keyboard.type(text)
        if press_enter:
            self.page.keyboard.press("Enter")

    def _press(self, keys: Sequence[str]) -> None:
        """Press keys at once: the last one while the others are held."""
        *held, last = map(_key, keys)
        try:
            for key in held:
                self.page.keyboard.down(key)
            self.page.keyboard.press(last)
        finally:
            for key in reversed(held):
                self.page.keyboard.up(key)

    def _scroll(self, arguments: Mapping[str, Any], distance: int) -> None:
        across, down = DIRECTIONS[arguments["direction"]]
        self.page.mouse.move(*_point(arguments))
        self.page.mouse.wheel(*(way * distance * size / 1000 for way, size in zip((across, down), SCREEN, strict=True)))

    def _settle(self) -> None:
        """Wait for the page to react, and for a page that is on its way; but not forever."""
        from playwright.sync_api import Error

        with suppress(Error):  # a page may close, or load forever
            self.page.wait_for_timeout(SETTLING * 1000)
            for _ in range(int(LOADING / SETTLING)):
                if not self._loading:
                    break
                self.page.wait_for_timeout(SETTLING * 1000)
            self._loading.clear()
            self.page.wait_for_load_state()

    def _watch(self, request: "Request") -> None:
        if request.is_navigation_request():
            self._loading.add(request)

    def _forget(self, request: "Request") -> None:
        self._loading.discard(request)

    def _dismiss(self, dialog: "Dialog") -> None:
        self._dialogs.append(f"{dialog.type}: {dialog.message}")
        dialog.dismiss()


def _point(arguments: Mapping[str, Any], x: str = "x", y: str = "y") -> tuple[float, float]:
    """A point of the model's screen, which is 1000 by 1000, in pixels of ours."""
    width, height = SCREEN
    return arguments[x] * width / 1000, arguments[y] * height / 1000


def _key(name: str) -> str:
    plain = name.strip()
    return KEYS.get(plain.lower().replace("_", ""), plain or name)


def web_address(url: str) -> str:
    """An address of the web, with its scheme.

    Raises:
        ActionError: it is one of something else, such as a file of this machine.
    """
    whole = url.strip() if "://" in url else f"https://{url.strip()}"
    if urlsplit(whole).scheme.lower() not in ("http", "https"):
        raise ActionError(f"'{url}' is no address of the web; only http and https addresses are opened")
    return whole


@contextmanager
def open_browser(*, headed: bool, sandbox: bool, search_url: str) -> Iterator[Browser]:
    """A Chromium, ended behind.

    Raises:
        BrowserError: there is none, or it does not start.
    """
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError:
        raise BrowserError("Playwright is not installed; run: pip install 'turnwise[browser]'") from None
    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
        try:
            chromium = playwright.chromium.launch(
                executable_path=None if Path(own).exists() else find_chromium(),
                headless=not headed,
                chromium_sandbox=sandbox,
            )
        except Error as error:
            raise BrowserError(f"Chromium does not start: {error.message.partition(chr(10))[0]}") from None
        try:
            width, height = SCREEN
            context = chromium.new_context(viewport={"width": width, "height": height}, accept_downloads=False)
            yield Browser(context, search_url)
        finally:
            with suppress(Error):  # it may have been ended already, as by Ctrl-C
                chromium.close()


def find_chromium() -> str:
    """The Chromium of this system.

    Raises:
        BrowserError: there is none.
    """
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    for name in names:
        if found := shutil.which(name):
            return found
    raise BrowserError("there is no Chromium here; run: playwright install chromium")
