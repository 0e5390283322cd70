"""The process that speaks with espeak-ng, and nothing else of turnwise.

    python -P -m turnwise.models.speech.espeak_worker

espeak-ng is under the GPL. It is loaded here, by name and when the process starts; this process and turnwise's own
exchange text and sound over pipes. The library and its data come with the package `espeakng-loader`, or else from the
system.
"""

import ctypes
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from turnwise.models.speech.worker import Job, Missing, Write, serve

COMMAND = "pip install 'turnwise[speech]'"

SYSTEM_LIBRARIES = {"darwin": ("libespeak-ng.1.dylib", "libespeak-ng.dylib"), "win32": ("espeak-ng.dll",)}
LINUX_LIBRARIES = ("libespeak-ng.so.1",)

SYNCHRONOUS = 2
"""The sound is given to the callback, and the call returns when it is made."""
UTF8 = 1
RATE, VOLUME, PITCH, RANGE = 1, 2, 3, 4
"""Of the library's parameters."""
PIECE_MS = 100

CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


class Voice(ctypes.Structure):
    """The beginning of the library's own record of a voice."""

    _fields_ = (("name", ctypes.c_char_p), ("languages", ctypes.c_void_p), ("identifier", ctypes.c_char_p))


def set_up(orders: dict[str, Any]) -> tuple[dict[str, Any], Job]:
    library, data = _load()
    rate = library.espeak_Initialize(SYNCHRONOUS, PIECE_MS, data, 1 << 15)  # the last: give up by telling, not exit
    if rate <= 0:
        raise Missing(f"espeak-ng is there, but its data cannot be read: {COMMAND} brings both")
    about = {"rate": rate, "languages": _languages(library), "variants": _variants(library)}

    def job(orders: dict[str, Any], write: Write) -> None:
        def heard(samples: Any, count: int, events: Any) -> int:
            try:
                if samples and count:
                    write(ctypes.string_at(samples, 2 * count))
            except BrokenPipeError:
                return 1  # stop: nobody listens any more
            return 0

        if library.espeak_SetVoiceByName(orders["voice"].encode()) != 0:
            raise ValueError(f"espeak-ng has no voice {orders['voice']!r}")
        for parameter, name in ((RATE, "rate"), (VOLUME, "volume"), (PITCH, "pitch"), (RANGE, "range")):
            library.espeak_SetParameter(parameter, orders[name], 0)
        callback = CALLBACK(heard)  # lives as long as the call
        library.espeak_SetSynthCallback(callback)
        text = orders["text"].replace("\0", " ").encode() + b"\0"
        if library.espeak_Synth(text, len(text), 0, 0, 0, UTF8, None, None) != 0:
            raise ValueError("espeak-ng could not read this text")

    return about, job


def _load() -> tuple[ctypes.CDLL, bytes | None]:
    """The library, and where its data are if it does not know by itself."""
    try:
        import espeakng_loader  # type: ignore[import-untyped]
    except ImportError:
        return _load_from_system(), None
    library = ctypes.CDLL(espeakng_loader.get_library_path())
    return library, os.fsencode(Path(espeakng_loader.get_data_path()).parent)


def _load_from_system() -> ctypes.CDLL:
    for name in SYSTEM_LIBRARIES.get(sys.platform, LINUX_LIBRARIES):
        try:
            return ctypes.CDLL(name)
        except OSError:
            continue
    raise Missing(f"speech needs espeak-ng, which is not installed: {COMMAND}")


def _languages(library: ctypes.CDLL) -> dict[str, str]:
    """The voice of each language, by the language's code in small letters. The library tells how well each fits."""
    library.espeak_ListVoices.restype = ctypes.POINTER(ctypes.POINTER(Voice))
    found: dict[str, tuple[int, str]] = {}
    for voice in _until_null(library.espeak_ListVoices(None)):
        for priority, language in _spoken(voice.languages):
            known = found.get(language)
            if known is None or priority < known[0]:
                found[language] = (priority, voice.identifier.decode())
    return {language: identifier for language, (_, identifier) in found.items()}


def _until_null(voices: Any) -> Iterator[Voice]:
    index = 0
    while voices[index]:
        yield voices[index].contents
        index += 1


def _spoken(place: int) -> Iterator[tuple[int, str]]:
    """The languages of a voice: a byte for the priority, then the code, then a zero; and a zero behind the last."""
    while priority := ctypes.string_at(place, 1)[0]:
        code = ctypes.string_at(place + 1)
        yield priority, code.decode().lower()
        place += 1 + len(code) + 1


def _variants(library: ctypes.CDLL) -> list[str]:
    """The names that may stand behind a voice's and a plus sign."""
    library.espeak_Info.restype = ctypes.c_char_p
    data = ctypes.c_char_p()
    library.espeak_Info(ctypes.byref(data))
    return sorted(path.name for path in Path(os.fsdecode(data.value or b"")).glob("voices/!v/*"))


if __name__ == "__main__":
    serve(set_up)
