"""Which dialect a request speaks: every rule, in its order, with what real clients send."""

from itertools import product
from typing import Any

import pytest

from turnwise.domain.errors import InvalidRequest
from turnwise.domain.interaction import DialectName
from turnwise.wire.dialect import Choice, Signs, choose_dialect, identified_dialect

OTHER: dict[DialectName, DialectName] = {"outputs": "steps", "steps": "outputs"}


def chosen(
    default: DialectName = "steps", made_in: DialectName | None = None, body: Any = None, **signs: Any
) -> Choice:
    return choose_dialect(Signs(**signs), default=default, made_in=made_in, body=body)


def sdk(version: str, language: str = "python/3.11.7", prefix: str = "") -> str:
    """The client's word as it arrives: `x-goog-api-client` and every `User-Agent`, joined."""
    word = f"google-genai-sdk/{version} gl-{language}"
    return f"{word} {prefix} {word}"


REAL_CLIENTS: dict[str, tuple[DialectName, dict[str, str]]] = {
    "Python 1.55": (
        "outputs",
        {"client": sdk("1.55.0", prefix="GeminiNextGenAPIClient/Python 1.55.0"), "version": "v1beta"},
    ),
    "Python 1.55, async": (
        "outputs",
        {"client": sdk("1.55.0", prefix="AsyncGeminiNextGenAPIClient/Python 1.55.0"), "version": "v1beta"},
    ),
    "Python 1.75": (
        "outputs",
        {"client": sdk("1.75.0", prefix="GeminiNextGenAPIClient/Python 1.75.0"), "version": "v1beta"},
    ),
    "Python 2.0": ("steps", {"client": sdk("2.0.0"), "version": "v1beta", "revision": "2026-05-20"}),
    "Python 2.34, without a revision": ("steps", {"client": sdk("2.34.0"), "version": "v1beta"}),
    "Python 3.4": ("steps", {"client": sdk("3.4.0"), "version": "v1"}),
    "Python 3.4 on the older path": ("steps", {"client": sdk("3.4.0"), "version": "v1beta"}),
    "JavaScript 1.33": ("outputs", {"client": sdk("1.33.0", "node/v20.20.0"), "version": "v1beta"}),
    "JavaScript 1.52": ("outputs", {"client": sdk("1.52.0", "node/v20.20.0"), "version": "v1beta"}),
    "JavaScript 2.0": (
        "steps",
        {"client": sdk("2.0.0", "node/v20.20.0"), "version": "v1beta", "revision": "2026-05-20"},
    ),
    "JavaScript 3.1": ("steps", {"client": sdk("3.1.0", "node/v22.1.0"), "version": "v1"}),
    "an SDK yet to come": ("steps", {"client": sdk("10.0.0"), "version": "v1beta"}),
    "google-adk": ("steps", {"client": "google-adk/2.13.0 gl-python/3.11.7", "version": "v1beta"}),
    "google-adk behind another word": ("steps", {"client": "gl-python/3.11.7 google-adk/2.13.0", "version": "v1beta"}),
    "the AI SDK": (
        "steps",
        {"client": " ai/7.0.1 ai-sdk/provider-utils/5.0.0 runtime/node.js/v20.20.0", "version": "v1beta"},
    ),
    "the AI SDK's provider": ("steps", {"client": " ai-sdk/google/4.0.0 runtime/node.js/v20", "version": "v1beta"}),
    "the AI SDK's provider by its other name": ("steps", {"client": "ai-sdk-google/4.0.0", "version": "v1beta"}),
    "curl on the path of today": ("steps", {"client": " curl/8.5.0", "version": "v1"}),
}


@pytest.mark.parametrize(("dialect", "signs"), REAL_CLIENTS.values(), ids=REAL_CLIENTS)
def test_a_client_that_says_who_it_is_is_known_for_certain(dialect: DialectName, signs: dict[str, str]):
    for default in OTHER:
        choice = chosen(default, made_in=OTHER[dialect], **signs)
        assert (choice.dialect, choice.certain) == (dialect, True)


@pytest.mark.parametrize(
    "client", ["", " curl/8.5.0", "python-requests/2.32", "Mozilla/5.0 (X11; Linux)", "openai/1.0", "mail/2", "chai/4"]
)
def test_any_other_client_is_not_known(client: str):
    assert identified_dialect(Signs(client=client, version="v1beta")) is None


# -- the order of the rules

USER = [{"type": "user_input", "content": "Hi"}]
ROLES = [{"role": "user", "content": "Hi"}]

RULES: list[dict[DialectName, dict[str, Any]]] = [
    {"outputs": {"revision": "2026-05-07"}, "steps": {"revision": "2026-05-20"}},
    {"outputs": {"client": sdk("1.75.0")}, "steps": {"client": sdk("2.34.0")}},
    {"steps": {"client": "google-adk/2.13.0"}},
    {"steps": {"version": "v1"}},
    {"outputs": {"made_in": "outputs"}, "steps": {"made_in": "steps"}},
    {"steps": {"body": {"input": USER}}},
    {"outputs": {"body": {"input": ROLES}}},
    {"outputs": {"client": "curl/8.5.0"}},
    {"outputs": {"alt_sse": True}},
    {"outputs": {"default": "outputs"}, "steps": {"default": "steps"}},
]
"""What speaks for a dialect, the strongest first."""


def against() -> list[Any]:
    """Each rule against each weaker one that would have it the other way."""
    pairs = [(i, j, dialect) for i, j in product(range(len(RULES)), repeat=2) if i < j for dialect in RULES[i]]
    return [
        pytest.param(RULES[i][dialect], RULES[j][OTHER[dialect]], dialect, id=f"{i}-{j}-{dialect}")
        for i, j, dialect in pairs
        if OTHER[dialect] in RULES[j] and not ("body" in RULES[i][dialect] and "body" in RULES[j][OTHER[dialect]])
    ]


@pytest.mark.parametrize(("strong", "weak", "dialect"), against())
def test_of_two_rules_that_disagree_the_stronger_decides(
    strong: dict[str, Any], weak: dict[str, Any], dialect: DialectName
):
    clients = " ".join(rule["client"] for rule in (strong, weak) if "client" in rule)
    assert chosen(**(weak | strong | ({"client": clients} if clients else {}))).dialect == dialect


@pytest.mark.parametrize(("number", "rule"), list(enumerate(RULES)))
def test_each_rule_speaks_when_no_stronger_one_does(number: int, rule: dict[DialectName, dict[str, Any]]):
    for dialect, signs in rule.items():
        choice = chosen(**({"default": OTHER[dialect]} | signs))
        assert choice == Choice(dialect, certain=number < 4)


# -- each sign by itself


@pytest.mark.parametrize(
    ("revision", "dialect"),
    [("2025-12-11", "outputs"), ("2026-05-19", "outputs"), ("2026-05-20", "steps"), ("2027-01-01", "steps")],
)
def test_revisions_are_compared_by_date(revision: str, dialect: DialectName):
    assert chosen(revision=revision) == Choice(dialect, certain=True)


@pytest.mark.parametrize("revision", ["latest", "2026-5-20", "20260520", "2026-05-20T00:00"])
def test_a_revision_that_is_no_date_is_refused_by_name(revision: str):
    with pytest.raises(InvalidRequest, match=f"Api-Revision: '{revision}' is not a date; send .* YYYY-MM-DD"):
        chosen(revision=revision)


@pytest.mark.parametrize(
    "body",
    [
        {"input": USER},
        {"input": {"type": "user_input", "content": "Hi"}},
        {"input": [{"type": "text", "text": "Hi"}, {"type": "model_output", "content": []}]},
        {"input": "Hi", "response_format": {"type": "text", "mime_type": "application/json"}},
        {"input": "Hi", "response_format": [{"type": "image"}]},
        {"input": ROLES, "response_format": {"type": "audio"}},
    ],
    ids=["steps", "one step", "content and a step", "a typed format", "a list of formats", "roles and a typed format"],
)
def test_what_only_todays_clients_write_means_steps(body: Any):
    assert chosen("outputs", body=body) == Choice("steps", certain=False)


@pytest.mark.parametrize("body", [{"input": ROLES}, {"input": ROLES[0]}], ids=["turns", "one turn"])
def test_turns_with_roles_are_the_founding_form(body: Any):
    assert chosen("steps", body=body) == Choice("outputs", certain=False)


@pytest.mark.parametrize(
    "body",
    [
        None,
        {},
        {"input": "Hi"},
        {"input": {"type": "text", "text": "Hi"}},
        {"input": [{"type": "text", "text": "Hi"}, {"type": "function_result", "call_id": "1", "result": "x"}]},
        {"input": ["Hi", 3, None]},
        {"input": [{"type": ["text"]}]},
        {"input": "Hi", "response_format": {"type": "object", "properties": {}}},
        {"input": "Hi", "response_format": {"type": ["object", "null"]}},
        {"input": "Hi", "response_format": []},
    ],
)
def test_what_both_kinds_of_client_write_decides_nothing(body: Any):
    for default in OTHER:
        assert chosen(default, body=body) == Choice(default, certain=False)


@pytest.mark.parametrize("client", ["ai/7.0.1 runtime/node.js", "ai-sdk/google/4.0.0", "ai-sdk-google/4.0.0"])
def test_the_ai_sdk_knows_of_no_budgets(client: str):
    assert not chosen(client=client, version="v1beta").knows_budgets


@pytest.mark.parametrize("client", ["google-genai-sdk/3.4.0 gl-python/3.11", "google-adk/2.13.0", "mail/1.0", ""])
def test_other_clients_know_of_budgets(client: str):
    assert chosen(client=client, version="v1").knows_budgets
