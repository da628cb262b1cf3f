"""Many clients at a time, in a process of their own: `python -m tests.asgi.flood PORT N AT_A_TIME`.

Each asks for the next path again and again over one connection. They stop at the first answer
that is not 200.
"""

from __future__ import annotations

import asyncio
import itertools
import sys

ROUTES = 50


async def client(port: int, numbers: itertools.count[int], last: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while (number := next(numbers)) < last:
        # A stride without common factors: all routes are asked for at a time, in all orders.
        path = f"/route{number * 7 % ROUTES}/{number}"
        writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        if b" 200 " not in head.split(b"\r\n", 1)[0]:
            raise RuntimeError(f"{path}: {head!r}")
        if b"transfer-encoding: chunked" in head:
            await reader.readuntil(b"0\r\n\r\n")
        else:
            length = head.partition(b"content-length: ")[2].partition(b"\r\n")[0]
            await reader.readexactly(int(length))
    writer.close()
    await writer.wait_closed()


async def flood(port: int, requests: int, at_a_time: int) -> None:
    numbers = itertools.count()
    async with asyncio.TaskGroup() as clients:
        for _ in range(at_a_time):
            clients.create_task(client(port, numbers, requests))


if __name__ == "__main__":
    asyncio.run(flood(*map(int, sys.argv[1:])))
