"""A real uvicorn with the example service: `python -m pool_observer.demo.serving SOCKET FOLDER`.

The socket is a listening one that the demo has opened: whoever serves, the address stays.
"""

from __future__ import annotations

import socket
import sys

import uvicorn


def serve(listening: socket.socket) -> None:
    """Until it is told to end."""
    config = uvicorn.Config(
        "llm_service.main:create_app",
        factory=True,
        log_level="warning",
        access_log=False,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=0,
    )
    uvicorn.Server(config).run(sockets=[listening])


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
