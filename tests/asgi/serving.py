"""A real uvicorn for the applications under test, and a client that may be as rude as it likes."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import uvicorn

from tests.support import wait_until


@contextmanager
def serving(app: Any, loop: Literal["asyncio", "uvloop"] = "asyncio") -> Iterator[str]:
    """Serve the application in a thread of its own; gives the address."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        config = uvicorn.Config(
            app, log_level="critical", timeout_graceful_shutdown=5, ws="wsproto", loop=loop
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            wait_until(lambda: server.started or not thread.is_alive())
            assert server.started
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()
