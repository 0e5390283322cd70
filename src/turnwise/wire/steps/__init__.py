"""The current dialect, since May 2026: a timeline of `steps`, and `step.*` events."""

from turnwise.wire.steps.render import render_event, render_interaction

__all__ = ["render_event", "render_interaction"]
