"""The first steps on a computer that the client runs."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs, urlsplit

from turnwise.domain.content import Text
from turnwise.domain.steps import FunctionCall, FunctionResult, Step, UserInput
from turnwise.domain.tools import FunctionTool
from turnwise.engine.rules.acting import action_tools, next_action

FRIDGES = (
    "Search for highly rated smart fridges with touchscreen, 2 doors, around 25 cu ft, priced below 4000 dollars on "
    "Google Shopping. Create a bulleted list of the 3 cheapest options in the format of name, description, price."
)
FOUNDING = ("open_web_browser", "search", "navigate", "click_at", "type_text_at", "scroll_document")
PHONE = ("open_app", "click", "list_apps", "type", "take_screenshot")


def tools(names: Sequence[str]) -> list[FunctionTool]:
    return [FunctionTool(name) for name in names]


def actions(request: str, names: Sequence[str], **result: Any) -> list[tuple[str, Mapping[str, Any]]]:
    """All actions until there is none any more."""
    steps: list[Step] = [UserInput((Text(request),))]
    taken: list[tuple[str, Mapping[str, Any]]] = []
    while (action := next_action(steps, tools(names))) and len(taken) < 9:
        taken.append(action)
        steps += [FunctionCall("c", *action), FunctionResult("c", {"url": "about:blank"}, action[0], **result)]
    return taken


def test_a_browser_is_opened_and_sent_to_a_search_for_what_is_asked() -> None:
    (opened, _), (went, arguments) = actions(FRIDGES, FOUNDING)
    assert (opened, went) == ("open_web_browser", "navigate")
    query = parse_qs(urlsplit(arguments["url"]).query)["q"][0]
    assert query.startswith("highly rated smart fridges with touchscreen")
    assert "bulleted" not in query


def test_an_address_of_the_request_is_gone_to() -> None:
    assert actions("Go to www.example.com and read the headline.", FOUNDING)[-1] == (
        "navigate",
        {"url": "https://www.example.com"},
    )


def test_what_is_excluded_is_never_taken() -> None:
    names = [name for name in FOUNDING if name not in ("open_web_browser", "navigate")]
    assert [name for name, _ in actions(FRIDGES, names)] == ["search"]


def test_a_phone_shows_its_apps_or_opens_the_one_that_is_named() -> None:
    assert actions("Open Maps and find the way home.", PHONE) == [("open_app", {"app_name": "Maps"})]
    assert actions("Find the cheapest flight to Rome.", PHONE) == [("list_apps", {})]


def test_an_action_that_failed_is_not_followed_by_others() -> None:
    assert len(actions(FRIDGES, FOUNDING, is_error=True)) == 1


def test_a_greeting_and_a_poem_need_no_computer() -> None:
    assert actions("Hello!", FOUNDING) == []
    assert actions("Write a poem about the sea.", FOUNDING) == []


def test_a_function_of_the_clients_is_no_action_whatever_its_name() -> None:
    assert action_tools(tools(["search", "type", "get_weather"])) == {}
    assert action_tools(tools(["search"])) == {}
