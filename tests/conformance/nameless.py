"""A proxy that takes from a request everything by which turnwise knows who asks.

The server then cannot tell which dialect its client reads.
"""

import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from .programs import TIMEOUT


@contextmanager
def nameless(server: str, replies: list[bytes]) -> Iterator[str]:
    """The address of a proxy before the server. What the server replied is added to `replies`."""

    class Handler(BaseHTTPRequestHandler):
        def handle_call(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            request = urllib.request.Request(
                server + self.path.replace("/v1/", "/v1beta/", 1),
                data=body or None,
                headers={"Content-Type": "application/json", "User-Agent": "nobody"},
                method=self.command,
            )
            try:
                reply = urllib.request.urlopen(request, timeout=TIMEOUT)
            except urllib.error.HTTPError as error:
                reply = error
            with reply:
                replies.append(reply.read())
            self.send_response(reply.status)
            self.send_header("Content-Type", reply.headers["Content-Type"])
            self.send_header("Content-Length", str(len(replies[-1])))
            self.end_headers()
            self.wfile.write(replies[-1])

        do_GET = do_POST = handle_call

        def log_message(self, format: str, *arguments: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as proxy:
        serving = threading.Thread(target=proxy.serve_forever)
        serving.start()
        try:
            yield f"http://127.0.0.1:{proxy.server_port}"
        finally:
            proxy.shutdown()
            serving.join()
