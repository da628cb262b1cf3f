"""The `Server-Timing` header: what a request has cost in connections, in the browser's own tools.

It says how long, and never who, what or which: anybody may read a response.
"""

from __future__ import annotations

from collections.abc import Iterable

from pool_observer.asgi_types import Message
from pool_observer.claim import Claim

NANOSECONDS_PER_MS = 1_000_000


def with_server_timing(message: Message, claims: Iterable[Claim], now: int) -> Message:
    """The start of a response, with the header; other such headers stay as they are."""
    header = (b"server-timing", server_timing(claims, now).encode("ascii"))
    return {**message, "headers": [*message.get("headers", ()), header]}


def server_timing(claims: Iterable[Claim], now: int) -> str:
    """The header's value, in milliseconds. `db-exec` and `db-idle` add up to `pool-hold`."""
    waited = executing = idle = 0
    for claim in claims:
        waited += sum(claim.wait_split(now))
        if claim.granted_at is not None:
            executed, in_transaction, at_rest = claim.split(now)
            executing += executed
            idle += in_transaction + at_rest
    timings = {
        "pool-wait": waited,
        "pool-hold": executing + idle,
        "db-exec": executing,
        "db-idle": idle,
    }
    return ", ".join(
        f"{name};dur={nanoseconds / NANOSECONDS_PER_MS:.3f}"
        for name, nanoseconds in timings.items()
    )
