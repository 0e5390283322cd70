"""The child process of the embedded engine: llama.cpp behind a private socket, and nothing else of turnwise.

    python -P -m turnwise.models.embedded_worker

It reads one JSON line from stdin (the fields of `Options` in `embedded.py`, and where to listen), loads the model,
writes one JSON line to stdout (`{"address": ...}` or `{"error": ...}`), and then serves until its stdin ends. A pipe
ends when the parent goes, however it goes, so a parent that was killed leaves no orphan behind.

It is a process of its own because llama.cpp aborts when an assertion fails, and because a prompt that is being read
cannot be stopped other than by killing whoever reads it.
"""

import json
import os
import select
import shutil
import threading
from typing import Any, TextIO

LIBGOMP = (
    "the embedded engine needs the system library libgomp, which is not installed:"
    " `apt-get install libgomp1` (Debian, Ubuntu) or `dnf install libgomp` (Fedora, RHEL)"
)

GONE = 1.0
"""How often, in seconds, to look whether the parent is another one: its pipe can be held open by a fork of it."""

SIMILAR = 0.9
"""How much of a prompt a slot must hold to be used as it is. Where it holds less, what it holds is put by, and the
prompt's beginning is looked for among what was put by before. llama.cpp's own default is 0.1."""

SIMILAR_TO_CHOOSE = 0.5
"""The same where the engine chooses the slot itself. A slot that holds less is not chosen then, even if it holds the
conversation, which may be read anew; while one that holds more may be another conversation's, whose rest is lost."""


def main() -> None:
    answer = private_stdout()
    options = json.loads(_read_line())
    threading.Thread(target=_leave_with_parent, args=(options["folder"],), daemon=True).start()
    try:
        server = _serve(options)
    except Exception as error:  # whatever it is, the parent has to be told
        say(answer, {"error": explain(error, options["projector"])})
        os._exit(1)
    say(answer, {"address": server.listening_address})
    threading.Event().wait()


def private_stdout() -> TextIO:
    """Our line to the parent. The engine may print what it likes: it goes to stderr."""
    answer = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    return answer


def _read_line() -> bytes:
    """The first line of stdin, read without a buffer: what comes after it is for the thread that waits for its end."""
    line = b""
    while not line.endswith(b"\n"):
        byte = os.read(0, 4096)
        if not byte:
            os._exit(0)
        line += byte
    return line


def _leave_with_parent(folder: str) -> None:
    parent = os.getppid()
    while os.getppid() == parent:
        readable = not hasattr(select, "poll") or select.select([0], [], [], GONE)[0]
        if readable and not os.read(0, 4096):
            break
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(0)  # at once: the engine's threads would not notice anything gentler


def _serve(options: dict[str, Any]) -> Any:
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = options["path"]
    if options["projector"]:
        params.mmproj.path = options["projector"]
    params.n_ctx = options["context"] * options["slots"]  # llama.cpp's is the total
    params.n_parallel = options["slots"]
    params.api_keys = [options["api_key"]]
    if options["socket"]:
        params.hostnames = [options["socket"]]
    for name, value in _tuning(options).items():
        # These names follow llama.cpp's, which come and go: one that is gone must not stop the engine.
        if hasattr(params, name):
            setattr(params, name, value)
    for cpu in (params.cpuparams, params.cpuparams_batch):
        cpu.n_threads = options["threads"]
    return xllamacpp.Server(params)


def _tuning(options: dict[str, Any]) -> dict[str, Any]:
    return {
        "n_batch": options["batch"],
        "n_ubatch": options["batch"],
        "cache_ram_mib": options["cache_mib"],
        "n_threads_http": options["connections"] + 8,  # the others are for questions about its health
        "endpoint_props": True,
        "slot_prompt_similarity": SIMILAR_TO_CHOOSE if options["chooses_slots"] else SIMILAR,
        "fit_params": False,
        "offline": True,
        "ui": False,
        "verbosity": 0,
    }


def explain(error: Exception, projector: str | None) -> str:
    """What to tell people of a model that could not be loaded."""
    what = f"the model with the mmproj {projector}: is it that model's own?" if projector else "the model"
    if isinstance(error, ImportError) and "libgomp" in str(error):
        return LIBGOMP
    if isinstance(error, ImportError):
        return f"the embedded engine cannot be imported (is the package xllamacpp installed?): {error}"
    return f"the embedded engine cannot load {what}: {error}"


def say(answer: TextIO, message: dict[str, Any]) -> None:
    answer.write(json.dumps(message) + "\n")
    answer.flush()


if __name__ == "__main__":
    main()
