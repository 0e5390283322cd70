"""The agent that does research: `DeepResearch`, and `MAX` for the one that does more of it."""

from turnwise.agents.deep_research.agent import DeepResearch
from turnwise.agents.deep_research.effort import MAX, Effort

__all__ = ["MAX", "DeepResearch", "Effort"]
