"""The process that speaks with Piper, and nothing else of turnwise.

    python -P -m turnwise.models.speech.piper_worker

Piper is under the GPL. It is loaded here and in no other process; turnwise neither brings it nor needs it.
"""

from typing import Any

from turnwise.models.speech.worker import Job, Missing, Write, serve

COMMAND = "pip install piper-tts"


def set_up(orders: dict[str, Any]) -> tuple[dict[str, Any], Job]:
    try:
        from piper import PiperVoice, SynthesisConfig
    except ImportError as error:
        raise Missing(f"engine 'piper' needs Piper, which is not installed: {COMMAND}") from error
    loaded: dict[str, Any] = {}

    def job(orders: dict[str, Any], write: Write) -> None:
        path = orders["path"]
        voice = loaded.get(path) or loaded.setdefault(path, PiperVoice.load(path))
        config = SynthesisConfig(
            speaker_id=orders["speaker"],
            length_scale=voice.config.length_scale / orders["rate"],
            volume=orders["volume"],
        )
        for chunk in voice.synthesize(orders["text"], config):
            write(chunk.audio_int16_bytes)

    return {}, job


if __name__ == "__main__":
    serve(set_up)
