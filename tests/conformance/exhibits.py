"""What the media snippets of the founding document are given to read, and the public address at which it lies.

Each exhibit says something that only whoever read it knows: a notice, a film in which a number changes, a report of
300 pages, and a conversation of two. A web server on loopback stands for the public address; the servers under
test are told that they may reach it. `witness` is a model with ears and without eyes, which repeats what it was told.
"""

import base64
import hashlib
import threading
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np

from media.makers import pdf
from media.staged import filmed, saved, screen

NOTICE = ("Harbour office, 9 March", "The ferry to Skagen leaves at 14:35.", "A ticket costs 120 kroner.")
POSTER = ("CATS AND DOGS", "are welcome in this shop")
STATIONS = ("17", "42", "99")
SECONDS = 2.0
"""How long the film shows each station."""

PAGES, PAGE = 300, 217
DIRECTOR = "The director of the waterworks is Ingrid Solberg."
"""What stands on that page of the report, and nowhere else."""

RATE = 24_000


def make_exhibits(folder: Path) -> None:
    """All of them but the conversation, which is spoken by the server under test."""
    saved(folder / "notice.png", screen(*NOTICE, size=(800, 360)))
    saved(folder / "cats-and-dogs.jpg", screen(*POSTER, letters=40, size=(800, 360)))
    stops = [(screen("The train stops at", f"station {number}.", size=(800, 240)), SECONDS) for number in STATIONS]
    filmed(folder / "journey.mp4", stops)
    well = "The pump works well, and nothing had to be mended."
    pages = [[f"This page is about pump {number} of the waterworks.", well] for number in range(1, PAGES + 1)]
    pages[PAGE - 1].append(DIRECTOR)
    pdf(folder / "report.pdf", pages, title="Report on the waterworks")


def write_wave(path: Path, samples: bytes) -> None:
    """Bare samples as a WAV file."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples)


def samples_of(pcm: bytes) -> np.ndarray:
    """Bare sound as numbers."""
    return np.frombuffer(pcm, "<i2").astype(float)


@contextmanager
def open_web(folder: Path) -> Iterator[str]:
    """The address of a web server that has the files of a folder, for as long as the block lasts."""

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def witness(body: dict) -> dict:
    """The message of a model that repeats the words that it was told, and says which sounds it heard."""
    content = body["messages"][-1]["content"]
    parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
    return {"role": "assistant", "content": "\n".join(_witnessed(part) for part in parts)}


def _witnessed(part: dict) -> str:
    if part["type"] == "text":
        return part["text"]
    sound = part["input_audio"]
    return f"I heard {sound['format']} {hash_of(base64.b64decode(sound['data'], validate=True))}"


def hash_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
