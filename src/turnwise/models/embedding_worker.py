"""The child process of an embedding model: llama.cpp, which tells what texts mean, and nothing else of turnwise.

    python -P -m turnwise.models.embedding_worker

It reads a JSON line from stdin that says what to load, answers with one that says whether it has, and from then on
answers each line of texts with a line of vectors. It leaves when its stdin ends, or its parent is another one.
"""

import json
import os
import shutil
import sys
import threading
import time
from pathlib import Path
from typing import Any

from turnwise.models.embedded_worker import GONE, explain, private_stdout, say
from turnwise.models.gguf import context_length

MOST_TOKENS = 2048
"""How much of a text is read at the most. Memory for it is taken at the start."""


def main() -> None:
    answer = private_stdout()
    options = json.loads(sys.stdin.readline())
    threading.Thread(target=_leave_with_parent, args=(options["folder"],), daemon=True).start()
    try:
        server = _load(options)
    except Exception as error:  # whatever it is, the parent has to be told
        say(answer, {"error": explain(error, None)})
        os._exit(1)
    say(answer, {"ready": True})
    for line in sys.stdin:
        order = json.loads(line)
        try:
            vectors = [_embed(server, text) for text in order["texts"]]
        except Exception as error:  # likewise
            say(answer, {"id": order["id"], "error": str(error)})
        else:
            say(answer, {"id": order["id"], "vectors": vectors})
    shutil.rmtree(options["folder"], ignore_errors=True)
    os._exit(0)  # at once: the engine's threads would not notice anything gentler


def _leave_with_parent(folder: str) -> None:
    parent = os.getppid()
    while os.getppid() == parent:
        time.sleep(GONE)
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(0)


def _load(options: dict[str, Any]) -> Any:
    """The model, with the pooling that its file asks for; with that of means, if it asks for none."""
    server = _serve(options, "file", pooling=None)
    if "error" not in server.handle_embeddings({"input": ["a"]}):
        return server
    import xllamacpp

    return _serve(options, "mean", pooling=xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN)


def _serve(options: dict[str, Any], name: str, *, pooling: Any) -> Any:
    import xllamacpp

    tokens = min(MOST_TOKENS, context_length(Path(options["path"])) or MOST_TOKENS)
    params = xllamacpp.CommonParams()
    params.model.path = options["path"]
    params.embedding = True
    params.n_ctx = params.n_batch = params.n_ubatch = tokens
    params.n_parallel = 1
    params.api_keys = [options["api_key"]]
    if options["has_sockets"]:
        params.hostnames = [f"{options['folder']}/{name}.sock"]  # it listens, whether anybody asks or not
    if pooling is not None:
        params.pooling_type = pooling
    for key, value in {"fit_params": False, "offline": True, "ui": False, "verbosity": 0}.items():
        # These names follow llama.cpp's, which come and go: one that is gone must not stop the engine.
        if hasattr(params, key):
            setattr(params, key, value)
    for cpu in (params.cpuparams, params.cpuparams_batch):
        cpu.n_threads = options["threads"]
    return xllamacpp.Server(params)


def _embed(server: Any, text: str) -> list[float]:
    """What a text means. One that is longer than the model reads is cut."""
    while True:
        # An empty text has no meaning, and is refused.
        reply = server.handle_embeddings({"input": [text or " "]})
        if "error" not in reply:
            vector: list[float] = reply["data"][0]["embedding"]
            return vector
        message = str(reply["error"].get("message"))
        is_too_long = "too large" in message or "context" in message
        if not is_too_long or len(text) < 2:
            raise RuntimeError(message)
        text = text[: len(text) // 2]


if __name__ == "__main__":
    main()
