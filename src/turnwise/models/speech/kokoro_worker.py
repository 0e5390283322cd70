"""The process that speaks with Kokoro, and nothing else of turnwise.

    python -P -m turnwise.models.speech.kokoro_worker

`kokoro-onnx` needs espeak-ng and phonemizer, which are under the GPL. It is loaded here and in no other process;
turnwise neither brings it nor needs it.
"""

from typing import Any

from turnwise.models.speech.worker import Job, Missing, Write, serve

COMMAND = "pip install kokoro-onnx"


def set_up(orders: dict[str, Any]) -> tuple[dict[str, Any], Job]:
    try:
        import numpy
        from kokoro_onnx import Kokoro
        from kokoro_onnx.config import SAMPLE_RATE
    except ImportError as error:
        raise Missing(f"engine 'kokoro' needs Kokoro, which is not installed: {COMMAND}") from error
    kokoro = Kokoro(orders["model"], orders["voices"])

    def job(orders: dict[str, Any], write: Write) -> None:
        samples, _ = kokoro.create(orders["text"], orders["voice"], speed=orders["rate"], lang=orders["language"])
        scaled = numpy.clip(samples * orders["volume"], -1, 1) * 32767
        write(scaled.astype("<i2").tobytes())

    return {"rate": SAMPLE_RATE, "voices": sorted(kokoro.voices)}, job


if __name__ == "__main__":
    serve(set_up)
