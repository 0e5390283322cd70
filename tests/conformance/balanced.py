"""A balancer before a server, as stands before most: where the server does not answer, it says 503."""

import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from .programs import TIMEOUT

PASSED_ON = ("content-type", "user-agent", "x-goog-api-client", "x-goog-api-key", "api-revision")


@contextmanager
def balanced(server: str) -> Iterator[str]:
    """The address of a balancer before the server, for as long as the block lasts."""

    class Handler(BaseHTTPRequestHandler):
        def handle_call(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            headers = {name: self.headers[name] for name in PASSED_ON if name in self.headers}
            request = urllib.request.Request(server + self.path, body or None, headers, method=self.command)
            try:
                with urllib.request.urlopen(request, timeout=TIMEOUT) as reply:
                    self.answer(reply.status, reply.read())
            except urllib.error.HTTPError as error:
                with error:
                    self.answer(error.code, error.read())
            except OSError:
                self.answer(503, b'{"error": {"code": 503, "message": "no server is there"}}')

        def answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = handle_call

        def log_message(self, format: str, *arguments: object) -> None:
            """Say nothing."""

    balancer = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=balancer.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{balancer.server_port}"
    finally:
        balancer.shutdown()
        balancer.server_close()
