"""A server that answers when the test says so: what endpoints wait for while they hold."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.support import wait_until


class SlowServer:
    """Each path is a question, asked as often as it likes, and answered when it is released."""

    def __init__(self) -> None:
        self.address = ""
        self._changed = threading.Condition()
        self._asked: Counter[str] = Counter()
        self._released: set[str] = set()
        self._all_released = False

    def wait_for(self, question: str, times: int = 1) -> None:
        """Return once so many have asked this."""
        wait_until(lambda: self._asked[question] >= times)

    def release(self, question: str) -> None:
        """Answer this question, to all who have asked it or will."""
        with self._changed:
            self._released.add(question)
            self._changed.notify_all()

    def release_all(self) -> None:
        """Answer every question from now on."""
        with self._changed:
            self._all_released = True
            self._changed.notify_all()

    def answer(self, question: str) -> None:
        """Return when it may be answered."""
        with self._changed:
            self._asked[question] += 1
            self._changed.wait_for(lambda: self._all_released or question in self._released)


@contextmanager
def slow_server() -> Iterator[SlowServer]:
    """One that listens; at the end it answers whatever is left."""
    server = SlowServer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            server.answer(self.path.removeprefix("/"))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    class Listening(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 100

        def handle_error(self, *_: Any) -> None:
            """Who has asked may be gone by now."""

    with Listening(("127.0.0.1", 0), Handler) as listening:
        server.address = f"http://127.0.0.1:{listening.server_address[1]}"
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.release_all()
            listening.shutdown()
            thread.join()
