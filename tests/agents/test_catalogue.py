"""Which agent answers to a name."""

import pytest

from turnwise.agents.agent import Budget
from turnwise.agents.catalogue import AgentEntry, Catalogue
from turnwise.domain.errors import ModelNotFound
from turnwise.plugins import agent

BUDGET = Budget(10, 20.0)


@agent("parrot")
async def parrot(task, desk):
    yield


def test_a_name_is_answered_by_its_agent_with_its_model_and_budget():
    catalogue = Catalogue({"one": AgentEntry("parrot", "qwen", BUDGET)}, {"parrot": lambda: parrot})
    hired = catalogue.find("one")
    assert (hired.agent, hired.model, hired.budget) == (parrot, "qwen", BUDGET)
    assert catalogue.names() == ["one"]


def test_an_agent_is_made_once_when_it_is_first_asked_for():
    made: list[int] = []

    def make() -> object:
        made.append(1)
        return parrot

    entries = {name: AgentEntry("parrot", "*", BUDGET) for name in ("one", "two")}
    catalogue = Catalogue(entries, {"parrot": make})  # type: ignore[dict-item]
    assert made == []
    catalogue.find("one")
    catalogue.find("two")
    assert made == [1]


def test_an_unknown_name_is_told_those_that_there_are():
    catalogue = Catalogue({"one": AgentEntry("parrot", "*", BUDGET)}, {"parrot": lambda: parrot})
    with pytest.raises(ModelNotFound, match="there is no agent 'two'; this server has: 'one'"):
        catalogue.find("two")


def test_the_star_answers_every_name_that_is_not_listed_and_is_none_itself():
    entries = {"one": AgentEntry("parrot", "a", BUDGET), "*": AgentEntry("parrot", "b", BUDGET)}
    catalogue = Catalogue(entries, {"parrot": lambda: parrot})
    assert (catalogue.find("one").model, catalogue.find("two").model) == ("a", "b")
    assert catalogue.names() == ["one"]


def test_an_entry_that_names_no_agent_is_refused():
    with pytest.raises(ValueError, match=r"agents\.one: agent: there is no agent 'owl'; there are: parrot"):
        Catalogue({"one": AgentEntry("owl", "*", BUDGET)}, {"parrot": lambda: parrot})
