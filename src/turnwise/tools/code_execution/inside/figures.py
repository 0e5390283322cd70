"""How Matplotlib shows figures in a sandbox: as files, which are handed over with the others.

It is a backend, as Matplotlib calls it, and is imported when figures first are: `MPLBACKEND=module://inside.figures`.
A figure is saved when it is shown, or else when its code has ended, but for one that the code has saved by itself.
"""

from itertools import count
from typing import Any

from matplotlib.backend_bases import FigureManagerBase
from matplotlib.backends.backend_agg import FigureCanvasAgg

_MOST = 16
_numbers = count(1)


class FigureManager(FigureManagerBase):
    """A manager whose figures are shown all at once."""

    @classmethod
    def pyplot_show(cls, *_: Any, **__: Any) -> None:
        """`pyplot.show()`."""
        save_open()


class FigureCanvas(FigureCanvasAgg):
    """A canvas that knows whether it was saved."""

    manager_class: Any = FigureManager
    is_saved = False

    def print_figure(self, *given: Any, **named: Any) -> Any:
        """Save it."""
        result = super().print_figure(*given, **named)
        self.is_saved = True
        return result


def save_open() -> None:
    """Save each figure that is open and was not saved, and close them all."""
    from matplotlib import pyplot  # which imports this file

    try:
        for number in pyplot.get_fignums()[:_MOST]:
            canvas = pyplot.figure(number).canvas
            if not getattr(canvas, "is_saved", False):
                canvas.figure.savefig(f"figure_{next(_numbers)}.png")
    finally:
        pyplot.close("all")
