"""The founding dialect, of December 2025: a flat list of `outputs`, and `content.*` events."""

from turnwise.wire.outputs.render import render_event, render_interaction

__all__ = ["render_event", "render_interaction"]
