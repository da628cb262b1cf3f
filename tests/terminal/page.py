"""A live page that says what the test says, and may go away and come back."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Page:
    """On one address, whether somebody answers there or not."""

    def __init__(self) -> None:
        self.document: Any = {}
        self.asked = 0
        self.go_on = threading.Event()
        self.go_on.set()
        self._server: ThreadingHTTPServer | None = None
        self._address = ("127.0.0.1", 0)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._address[1]}/debug/pools"

    def come(self) -> None:
        page = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                page.asked += 1
                page.go_on.wait(30)
                body = json.dumps(page.document).encode()
                with contextlib.suppress(ConnectionError):  # nobody waits for it any more
                    self.send_response(200)
                    self.send_header("content-type", "application/json")
                    self.end_headers()
                    self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(self._address, Handler)
        self._address = ("127.0.0.1", self._server.server_address[1])
        threading.Thread(target=self._server.serve_forever, args=[0.01]).start()

    def go(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None


@contextmanager
def page(document: Any) -> Iterator[Page]:
    it = Page()
    it.document = document
    it.come()
    try:
        yield it
    finally:
        it.go_on.set()
        it.go()
