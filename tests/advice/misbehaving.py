"""A server of bytes: what each connection gets is the test's affair."""

from __future__ import annotations

import itertools
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

Behaviour = Callable[[socket.socket, threading.Event], None]
"""What a connection gets, after its question was read, until the test is over."""


@contextmanager
def misbehaving(*behaviours: Behaviour) -> Iterator[str]:
    """Its address. Each connection gets what is next; after the last, the first again."""
    over = threading.Event()
    turns = itertools.cycle(behaviours)
    threads: list[threading.Thread] = []

    def serve(connection: socket.socket, behave: Behaviour) -> None:
        with connection:
            try:
                connection.recv(1 << 16)
                behave(connection, over)
            except OSError:  # they have hung up
                pass

    def accept() -> None:
        while not over.is_set():
            try:
                connection, _ = server.accept()
            except TimeoutError:
                continue
            connection.settimeout(30)
            thread = threading.Thread(target=serve, args=(connection, next(turns)))
            thread.start()
            threads.append(thread)

    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        server.settimeout(0.05)
        accepting = threading.Thread(target=accept)
        accepting.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}"
        finally:
            over.set()
            accepting.join()
            for thread in threads:
                thread.join()


def answers(document: Any) -> Behaviour:
    body = json.dumps(document).encode()

    def behave(connection: socket.socket, _: threading.Event) -> None:
        head = f"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
        connection.sendall(head.encode() + b"\r\n\r\n" + body)

    return behave


def refuses(connection: socket.socket, _: threading.Event) -> None:
    connection.sendall(b"HTTP/1.0 503 Busy\r\nContent-Type: text/plain\r\n\r\n")


def hangs(_: socket.socket, over: threading.Event) -> None:
    over.wait()


def drips_a_body(connection: socket.socket, over: threading.Event) -> None:
    connection.sendall(b"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n[")
    _drip(connection, over, b" ")


def drips_headers(connection: socket.socket, over: threading.Event) -> None:
    connection.sendall(b"HTTP/1.0 200 OK\r\nX: ")
    _drip(connection, over, b"x")


def drips_a_refusal(connection: socket.socket, over: threading.Event) -> None:
    connection.sendall(b"HTTP/1.0 404 No\r\nContent-Type: application/json\r\n\r\n")
    _drip(connection, over, b" ")


def _drip(connection: socket.socket, over: threading.Event, drop: bytes) -> None:
    while not over.wait(0.02):
        connection.sendall(drop)
