"""A server of chat completions in front of a scripted model, for what must not hang on the words of a small one.

The model is a function: a request's body in, the message that answers it out. Everything else is done here as such a
server does it: whole or in a stream, with the cost, cut at stop sequences and at the limit of tokens (a word is a
token). What it was asked is kept.

`parrot` is such a model. It thinks ("I look it up." before a call, "I know." before an answer) when it is asked as
`thinker`; it calls the first function that it is offered, with Paris as every argument; it answers a function's result
with that result, and anything else with what was said last.
"""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TypeAlias

THINKER = "thinker"

PACE = 0.005
"""Seconds that a model takes over a word. Text that came all at once would rightly be told all at once."""

Model: TypeAlias = Callable[[dict], dict]


def parrot(body: dict) -> dict:
    """The message that answers a request."""
    last = body["messages"][-1]
    thought = {"reasoning_content": "I look it up."} if body["model"] == THINKER else {}
    if body.get("tools") and last["role"] == "user":
        function = body["tools"][0]["function"]
        arguments = dict.fromkeys(function["parameters"]["properties"], "Paris")
        return call("call_1", function["name"], arguments) | thought
    if thought:
        thought["reasoning_content"] = "I know."
    return {"role": "assistant", "content": f"You said: {last['content']}", **thought}


def call(id: str, name: str, arguments: dict) -> dict:
    """The message that calls a function."""
    function = {"name": name, "arguments": json.dumps(arguments)}
    calls = [{"index": 0, "id": id, "type": "function", "function": function}]
    return {"role": "assistant", "content": None, "tool_calls": calls}


class Upstream:
    """The server, and what it was asked."""

    def __init__(self, model: Model) -> None:
        self.address = ""
        self.asked: list[dict] = []
        self._model = model

    def answer(self, body: dict) -> "Answer":
        """What answers a request."""
        self.asked.append(body)
        return Answer(body, self._model(body))


class Answer:
    """A model's message within the limits of the request, and how it is told."""

    def __init__(self, body: dict, message: dict) -> None:
        self._message, self._asked = message, body
        self._finish = "tool_calls" if "tool_calls" in message else "stop"
        if message.get("content"):
            self._cut(body.get("stop") or [], body.get("max_tokens"))

    def _cut(self, stops: list[str], limit: int | None) -> None:
        content = self._message["content"]
        content = content[: min((content.find(stop) for stop in stops if stop in content), default=None)]
        pieces = words(content)
        if limit is not None and len(pieces) > max(limit - self._thought(), 0):
            pieces, self._finish = pieces[: max(limit - self._thought(), 0)], "length"
        self._message["content"] = "".join(pieces)

    def whole(self) -> bytes:
        """The answer in one piece."""
        choice = {"index": 0, "message": self._message, "finish_reason": self._finish}
        return json.dumps({"object": "chat.completion", "choices": [choice], "usage": self.usage()}).encode()

    def events(self) -> Iterator[bytes]:
        """The answer as a stream: a piece of it in each event, a text word by word, arguments in halves."""
        yield event(choices=[{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}])
        for piece in self._pieces():
            yield event(choices=[{"index": 0, "delta": piece, "finish_reason": None}])
        yield event(choices=[{"index": 0, "delta": {}, "finish_reason": self._finish}])
        if self._asked.get("stream_options", {}).get("include_usage"):
            yield event(choices=[], usage=self.usage())
        yield b"data: [DONE]\n\n"

    def _pieces(self) -> Iterator[dict]:
        yield from ({"reasoning_content": word} for word in words(self._message.get("reasoning_content")))
        yield from ({"content": word} for word in words(self._message["content"]))
        for made in self._message.get("tool_calls", ()):
            arguments = made["function"]["arguments"]
            half = len(arguments) // 2
            yield {"tool_calls": [{**made, "function": {**made["function"], "arguments": arguments[:half]}}]}
            yield {"tool_calls": [{"index": made["index"], "function": {"arguments": arguments[half:]}}]}

    def _thought(self) -> int:
        return len(words(self._message.get("reasoning_content")))

    def usage(self) -> dict:
        """What it cost."""
        made = " ".join(made["function"]["arguments"] for made in self._message.get("tool_calls", ()))
        prompt = len(words(json.dumps(self._asked["messages"])))
        completion = self._thought() + len(words(self._message["content"])) + len(words(made))
        return {
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "total_tokens": prompt + completion,
            "completion_tokens_details": {"reasoning_tokens": self._thought()},
        }


def words(text: str | None) -> list[str]:
    """The words of a text, each but the first with the blank before it."""
    first, *rest = (text or "").split(" ")
    return [word for word in (first, *(f" {word}" for word in rest)) if word]


def event(**chunk: object) -> bytes:
    return b"data: " + json.dumps({"object": "chat.completion.chunk", **chunk}).encode() + b"\n\n"


@contextmanager
def open_upstream(model: Model = parrot, pace: float = PACE) -> Iterator[Upstream]:
    """A server in front of this model, at so many seconds a word, that listens for as long as the block lasts."""
    upstream = Upstream(model)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # else a body waits for the acknowledgement of its headers

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            answer = upstream.answer(body)
            self.send_response(200)
            if body["stream"]:
                self.send_header("Content-Type", "text/event-stream")
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                for data in (*answer.events(), b""):
                    time.sleep(pace)
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
            else:
                content = answer.whole()
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True  # a connection that is kept has a thread that waits for more
        request_queue_size = 128

    server = Server(("127.0.0.1", 0), Handler)
    upstream.address = f"http://127.0.0.1:{server.server_port}/v1"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield upstream
    finally:
        server.shutdown()
        server.server_close()
