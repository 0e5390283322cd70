"""A scripted model behind chat completions, for what must not hang on the words of a small one.

It thinks ("I look it up." before a call, "I know." before an answer) when it is asked as `thinker`; it calls the first
function that it is offered, with Paris as every argument; it answers a function's result with that result, and
anything else with what was said last. What it was asked is kept.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

THINKER = "thinker"


class Upstream:
    """The server, and what it was asked."""

    def __init__(self) -> None:
        self.address = ""
        self.asked: list[dict] = []

    def answer(self, body: dict) -> dict:
        """The message that answers a request."""
        self.asked.append(body)
        last = body["messages"][-1]
        thought = {"reasoning_content": "I look it up."} if body["model"] == THINKER else {}
        if body.get("tools") and last["role"] == "user":
            function = body["tools"][0]["function"]
            arguments = json.dumps(dict.fromkeys(function["parameters"]["properties"], "Paris"))
            call = {"index": 0, "id": "call_1", "type": "function"}
            call["function"] = {"name": function["name"], "arguments": arguments}
            return {"role": "assistant", "content": None, "tool_calls": [call], **thought}
        if thought:
            thought["reasoning_content"] = "I know."
        return {"role": "assistant", "content": f"You said: {last['content']}", **thought}


@contextmanager
def open_upstream() -> Iterator[Upstream]:
    """A scripted model that listens for as long as the block lasts."""
    upstream = Upstream()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            message = upstream.answer(body)
            if body["stream"]:
                self._send("text/event-stream", b"".join(_events(message)))
            else:
                choice = {"message": message, "finish_reason": _finish(message)}
                self._send("application/json", json.dumps({"choices": [choice], "usage": USAGE}).encode())

        def _send(self, content_type: str, content: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    upstream.address = f"http://127.0.0.1:{server.server_port}/v1"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield upstream
    finally:
        server.shutdown()
        server.server_close()


USAGE = {"prompt_tokens": 12, "completion_tokens": 7, "completion_tokens_details": {"reasoning_tokens": 3}}


def _finish(message: dict) -> str:
    return "tool_calls" if "tool_calls" in message else "stop"


def _events(message: dict) -> Iterator[bytes]:
    """The message as a stream: a piece of it in each event, a text word by word."""
    words = (message["content"] or "").split(" ")
    texts = [{"content": word if index == 0 else f" {word}"} for index, word in enumerate(words) if word]
    thoughts = [{"reasoning_content": message["reasoning_content"]}] if "reasoning_content" in message else []
    calls = [{"tool_calls": [call]} for call in message.get("tool_calls", ())]
    for piece in (*thoughts, *texts, *calls):
        yield _event(choices=[{"delta": piece, "finish_reason": None}])
    yield _event(choices=[{"delta": {}, "finish_reason": _finish(message)}])
    yield _event(choices=[], usage=USAGE)
    yield b"data: [DONE]\n\n"


def _event(**chunk: object) -> bytes:
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"
