"""The child process that makes images by the package diffusers, and nothing else of turnwise.

    python -P -m turnwise.models.images.diffusers_worker

It reads JSON lines from stdin and writes JSON lines to stdout. The first says what to load, and is answered with
`{"ready": true, ...}` or `{"error": ...}`. Then each that comes is an image to make (`Order` in `diffusers.py`) or
`{"cancel": id}`. What becomes of an order is told under its id: `taken`, `step` by step, and in the end `image`,
`refused`, `cancelled`, `invalid` or `failed`. It leaves when its stdin ends.

It is a process of its own because torch takes gigabytes, which only the end of a process gives back, and because an
image that is being made holds up everything else.
"""

import base64
import inspect
import io
import json
import os
import queue
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any, TextIO, TypeAlias

from turnwise.models.embedded_worker import private_stdout, say

MISSING = (
    "images by diffusers need packages that are not installed here ({error}): run"
    " `pip install diffusers transformers accelerate torch`"
)

Ask: TypeAlias = tuple[Any, dict[str, Any]]
"""A pipeline, and what it is called with."""

STRENGTH = 0.75
"""How far an image may go from the one that it starts from: 1.0 would keep nothing of it."""


class Cancelled(Exception):
    """Nobody wants the image any more."""


class Invalid(Exception):
    """The pipeline cannot do this."""


class Orders:
    """What is to be made, and what no more."""

    def __init__(self) -> None:
        self.cancelled: set[int] = set()
        self._waiting: queue.Queue[dict[str, Any]] = queue.Queue()

    def listen(self) -> None:
        """Read stdin to its end, and leave at once then: whoever wanted something is gone."""
        for line in sys.stdin:
            order = json.loads(line)
            if "cancel" in order:
                self.cancelled.add(order["cancel"])
            else:
                self._waiting.put(order)
        os._exit(0)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        while True:
            yield self._waiting.get()


class Painter:
    """A pipeline that is loaded."""

    def __init__(self, load: dict[str, Any]) -> None:
        os.environ["HF_HUB_OFFLINE"] = "1"
        import torch
        from diffusers import DiffusionPipeline

        torch.set_num_threads(load["threads"])
        self._device = _device(torch)
        self._pipeline = DiffusionPipeline.from_pretrained(
            load["folder"],
            torch_dtype=torch.float32 if self._device == "cpu" else torch.float16,
            use_safetensors=True,  # the other form of weights may run code
            local_files_only=True,
        ).to(self._device)
        self._pipeline.set_progress_bar_config(disable=True)
        self._takes = set(inspect.signature(self._pipeline.__call__).parameters)
        self.tells_steps = "callback_on_step_end" in self._takes
        self._changing: Any = None

    def paint(self, ask: Ask, on_step: Callable[[int], bool]) -> dict[str, Any]:
        """An image, or that it was refused. `on_step` is told how many steps are done, and says whether to go on.

        Raises:
            Cancelled: it said no.
        """
        stopped = False

        def on_step_end(pipeline: Any, step: int, timestep: Any, values: dict[str, Any]) -> dict[str, Any]:
            nonlocal stopped
            if not on_step(step + 1):
                pipeline._interrupt = stopped = True
            return values

        pipeline, given = ask
        steps = {"callback_on_step_end": on_step_end} if self.tells_steps else {}
        made = pipeline(output_type="pil", **given, **steps)
        if stopped or not on_step(0):
            raise Cancelled
        if any(getattr(made, "nsfw_content_detected", None) or ()):
            return {"refused": "the pipeline's own safety checker took offence at the image"}
        out = io.BytesIO()
        made.images[0].save(out, "PNG")
        return {"image": base64.b64encode(out.getvalue()).decode()}

    def asked(self, order: dict[str, Any]) -> Ask:
        """The pipeline to ask, and with what.

        Raises:
            Invalid: the pipeline cannot do this.
        """
        given: dict[str, Any] = {"prompt": order["words"]}
        if order["seed"] is not None:
            import torch

            given["generator"] = torch.Generator("cpu").manual_seed(order["seed"])
        size = self._size(order["size"])
        if order["picture"] is not None:
            return self._changer(), {**given, "image": _picture(order["picture"], size), "strength": STRENGTH}
        if size is not None:
            given |= {"width": size[0], "height": size[1]}
        return self._pipeline, given

    def _size(self, wanted: list[int] | None) -> tuple[int, int] | None:
        """Sides that the pipeline can make, not smaller than those that are wanted."""
        if wanted is None:
            return None
        if not {"width", "height"} <= self._takes:
            raise Invalid("this pipeline makes images of one size only: leave out the aspect ratio and the size")
        step = getattr(self._pipeline, "vae_scale_factor", 8) * 2
        width, height = (-(-side // step) * step for side in wanted)
        return width, height

    def _changer(self) -> Any:
        """The same weights, for changing an image."""
        if self._changing is None:
            from diffusers import AutoPipelineForImage2Image

            try:
                self._changing = AutoPipelineForImage2Image.from_pipe(self._pipeline)
            except ValueError as error:
                raise Invalid("this pipeline makes images of words alone: it cannot change one") from error
            self._changing.set_progress_bar_config(disable=True)
        return self._changing


def main() -> None:
    answer = private_stdout()
    try:
        painter = Painter(json.loads(sys.stdin.readline()))
    except Exception as error:  # whatever it is, the parent has to be told
        say(answer, {"error": _explain(error)})
        os._exit(1)
    orders = Orders()
    threading.Thread(target=orders.listen, daemon=True).start()
    say(answer, {"ready": True, "tells_steps": painter.tells_steps})
    for order in orders:
        say(answer, {"id": order["id"], **_done(order, painter, orders.cancelled, answer)})
        orders.cancelled.discard(order["id"])


def _done(order: dict[str, Any], painter: Painter, cancelled: set[int], answer: TextIO) -> dict[str, Any]:
    """What became of an order."""
    id = order["id"]

    def on_step(step: int) -> bool:
        if step:
            say(answer, {"id": id, "step": step})
        return id not in cancelled

    try:
        if id in cancelled:
            raise Cancelled
        ask = painter.asked(order)
        say(answer, {"id": id, "taken": True})
        return painter.paint(ask, on_step)
    except Cancelled:
        return {"cancelled": True}
    except Invalid as error:
        return {"invalid": str(error)}
    except Exception as error:  # a pipeline may raise anything, and goes on to the next image all the same
        return {"failed": f"{type(error).__name__}: {error}"}


def _picture(data: str, size: tuple[int, int] | None) -> Any:
    from PIL import Image, ImageOps

    picture = Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB")
    return picture if size is None else ImageOps.fit(picture, size, Image.Resampling.LANCZOS)


def _device(torch: Any) -> str:
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def _explain(error: Exception) -> str:
    if isinstance(error, ImportError):
        return MISSING.format(error=error)
    return f"diffusers cannot load the pipeline: {error}"


if __name__ == "__main__":
    main()
