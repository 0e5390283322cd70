"""The agents of the settings: those that come with turnwise, and those of plug-ins."""

from collections.abc import Callable, Mapping
from datetime import datetime

from turnwise.agents.agent import Agent, Agents, Budget
from turnwise.agents.catalogue import ANY, AgentEntry, Catalogue
from turnwise.engine.agents import SavedAgents
from turnwise.engine.thoughts import Sealer
from turnwise.plugins import PluginError, load_agents
from turnwise.settings import AgentSettings, Settings, SettingsError
from turnwise.store.store import ResourceStore
from turnwise.wire.tools import parse_tools

NAMES: Mapping[str, str] = {
    "deep-research-pro-preview-12-2025": "deep-research",
    "deep-research-preview-04-2026": "deep-research",
    "deep-research-max-preview-04-2026": "deep-research-max",
}
"""The names that requests use for the agents that come with turnwise, unless the settings say otherwise."""


def build_agents(settings: Settings) -> Catalogue:
    """The agents of this server. Those of plug-ins are loaded; the others are made when they are first asked for.

    Raises:
        SettingsError: a plug-in cannot be loaded, or an entry cannot be.
    """
    own: dict[str, Callable[[], Agent]] = {"deep-research": _deep_research, "deep-research-max": _deep_research_max}
    try:
        plugged = load_agents(settings.plugins, taken=own)
        makers = own | {name: _as_it_is(agent) for name, agent in plugged.items()}
        names = {**NAMES, **{name: name for name in plugged}}
        return Catalogue(_entries(settings, names, makers), makers)
    except (PluginError, ValueError) as error:
        raise SettingsError(str(error)) from error


def build_saved_agents(
    store: ResourceStore, agents: Agents, *, clock: Callable[[], datetime], sealer: Sealer
) -> SavedAgents:
    """The agents that owners define for themselves."""
    return SavedAgents(store, agents, clock=clock, sealer=sealer, parse_tools=parse_tools)


def _deep_research() -> Agent:
    from turnwise.agents.deep_research import DeepResearch  # most servers never do any

    return DeepResearch(render=_rendered)


def _deep_research_max() -> Agent:
    from turnwise.agents.deep_research import MAX, DeepResearch

    return DeepResearch(MAX, _rendered)


async def _rendered(svg: str, width: int, height: int) -> bytes:
    """A chart as PNG, drawn by what draws pictures."""
    from turnwise.models.drawing.rendering import render
    from turnwise.models.drawing.sizes import Size

    return await render(svg, Size(width, height), "image/png")


def _as_it_is(agent: Agent) -> Callable[[], Agent]:
    return lambda: agent


def _entries(
    settings: Settings, names: Mapping[str, str], makers: Mapping[str, Callable[[], Agent]]
) -> dict[str, AgentEntry]:
    """The entries of the catalogue: the names that there are anyway, as the settings have them, and those that the
    settings add."""
    listed = {name: settings.agents.get(name) or AgentSettings() for name in names} | settings.agents
    entries = {}
    for name, entry in listed.items():
        agent = entry.agent or names.get(name) or (name if name in makers else None)
        if agent is None:
            raise ValueError(f"agents.{name}: agent: say which agent answers to it; one of {', '.join(makers)}")
        entries[name] = AgentEntry(agent, _model(name, entry, settings), Budget(entry.tokens, entry.minutes * 60))
    return entries


def _model(name: str, entry: AgentSettings, settings: Settings) -> str:
    """The name of the model that an agent asks."""
    if entry.model is None:
        return ANY if ANY in settings.models else next(iter(settings.models), ANY)
    if entry.model not in settings.models and ANY not in settings.models:
        known = ", ".join(repr(listed) for listed in settings.models) or "none"
        raise ValueError(f"agents.{name}: model: {entry.model!r} is not listed; listed are: {known}")
    return entry.model
