"""Acting: the first steps on a computer that the client runs (`computer_use`), for a model that sees no screen.

Where something is on a screen such a model cannot tell. So it goes where an address leads: to the one that the request
names, or to a search for what it asks. What is on the screen then is told in words, as any other result is.
"""

import re
from collections.abc import Mapping, Sequence
from urllib.parse import quote_plus

from turnwise.domain.content import JSON
from turnwise.domain.steps import FunctionCall, FunctionResult, Step, UserInput
from turnwise.domain.tools import FunctionTool
from turnwise.engine.rules.addresses import addresses_in
from turnwise.engine.rules.calling import text_of
from turnwise.engine.rules.questions import query_of
from turnwise.engine.rules.speaking import form_of, main_sentence, sentences, shortened

ACTIONS = frozenset(
    """open_web_browser wait_5_seconds go_back go_forward search navigate click_at hover_at type_text_at key_combination
    scroll_document scroll_at drag_and_drop click double_click triple_click middle_click right_click mouse_down mouse_up
    move type wait press_key key_down key_up hotkey take_screenshot scroll open_app list_apps long_press""".split()  # noqa: SIM905
)
"""The predefined actions, of all kinds of computers."""

_TELLING = frozenset(("click_at", "type_text_at", "key_combination", "scroll_document", "hover_at", "take_screenshot"))
"""Actions that no function of a client is called by chance, beside others of them."""

_SEARCH = "https://www.google.com/search?q="


def action_tools(tools: Sequence[FunctionTool]) -> dict[str, FunctionTool]:
    """The actions among functions. Empty: these are no actions, whatever one of them may be called."""
    found = {tool.name: tool for tool in tools if tool.name in ACTIONS}
    return found if len(found) > 2 and (found.keys() & _TELLING or "navigate" in found) else {}


def next_action(steps: Sequence[Step], tools: Sequence[FunctionTool]) -> tuple[str, Mapping[str, JSON]] | None:
    """What to do next for the last request, and how. None: there is nothing to do, or nothing more that can be done
    without eyes."""
    actions, request, done = action_tools(tools), "", list[str]()
    last = steps[-1] if steps else None
    for step in steps:
        match step:
            case UserInput():
                request, done = shortened(text_of(step)), []
            case FunctionCall(name=name):
                done.append(name)
            case _:
                continue
    if not actions or not request or (isinstance(last, FunctionResult) and last.is_error):
        return None
    if form_of(request[main_sentence(request) :]) in ("none", "creative") and not addresses_in(request):
        return None
    return next((one for one in _plan(request, actions) if one[0] not in done), None)


def _plan(request: str, actions: Mapping[str, FunctionTool]) -> list[tuple[str, Mapping[str, JSON]]]:
    """What leads to where the request wants to go, as far as these actions can do it."""
    addresses = addresses_in(request)
    address = _whole(addresses[0]) if addresses else _SEARCH + quote_plus(_query(request))
    plan: list[tuple[str, Mapping[str, JSON]]] = [("open_web_browser", {})]
    if "navigate" in actions:
        plan.append(("navigate", {"url": address}))
    elif "search" in actions:
        plan.append(("search", {}))
    elif "open_app" in actions:
        named = re.search(
            r"(?i)\b(?:open|start|launch|use) (?:the )?([A-Z][\w ]*?)(?: app)?\b(?=[.,;!?]| and | to |$)", request
        )
        plan.append(("open_app", {"app_name": named[1]}) if named else ("list_apps", {}))
    else:
        plan.append(("take_screenshot", {}))
    return [one for one in plan if one[0] in actions]


def _query(request: str) -> str:
    """What to search for: what the sentence says that tells what is wanted."""
    start = main_sentence(request)
    end = next((end for begin, end in sentences(request) if begin <= start < end), len(request))
    return query_of(request[start:end])


def _whole(address: str) -> str:
    return address if "://" in address else f"https://{address}"
