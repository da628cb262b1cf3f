"""A server that answers as the test says, and remembers what it was asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Server:
    address: str = ""
    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)
    answers: list[Any] = field(default_factory=list)
    """JSON that is answered in turn, if there is any; the last one again and again."""
    asked: list[str] = field(default_factory=list)
    told: list[dict[str, str]] = field(default_factory=list)

    def next(self) -> bytes:
        if not self.answers:
            return self.body
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return json.dumps(answer).encode()


@contextmanager
def answering(**changes: Any) -> Iterator[Server]:
    it = Server(**changes)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            it.asked.append(self.path)
            it.told.append({name.lower(): value for name, value in self.headers.items()})
            body = it.next()
            self.send_response(it.status)
            usual = {"content-type": "application/json", "content-length": str(len(body))}
            for name, value in (usual | it.headers).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        it.address = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=[0.01])
        thread.start()
        try:
            yield it
        finally:
            server.shutdown()
            thread.join()
