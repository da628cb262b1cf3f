"""The metrics of what the database server says, where it is asked (`server_probe`).

Every worker asks the same server, so of its figures the worst is the one; what is joined with
holds adds up. While the server does not answer, its limits are as they were; the rest is not there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable

from pool_observer.metric import Across, Kind, Metric, Reading
from pool_observer.server import JoinedHold, ServerState
from pool_observer.state import PoolState

COUNTER, GAUGE, _ = Kind

Read = Callable[[PoolState], Iterable[Reading]]


def _server(value: Callable[[ServerState], float | None]) -> Read:
    """One figure; no series where it is not known."""

    def read(state: PoolState) -> Iterable[Reading]:
        figure = None if state.server is None else value(state.server)
        return [] if figure is None else [((), figure)]

    return read


def _holders(value: Callable[[JoinedHold], float], together: Callable[..., float]) -> Read:
    """A figure for each holder that the server's sessions were joined with."""

    def read(state: PoolState) -> Iterable[Reading]:
        holders: dict[str, list[float]] = {}
        for hold in () if state.server is None else state.server.holds:
            holders.setdefault(hold.holder, []).append(value(hold))
        return [((holder,), together(figures)) for holder, figures in holders.items()]

    return read


def _sessions(state: PoolState) -> Iterable[Reading]:
    counts = {} if state.server is None else state.server.sessions
    return [((owner.value, doing.value), number) for (owner, doing), number in counts.items()]


def _longest_transactions(state: PoolState) -> Iterable[Reading]:
    longest = {} if state.server is None else state.server.longest_transaction
    return [((owner.value,), seconds) for owner, seconds in longest.items()]


def _holder_sessions(state: PoolState) -> Iterable[Reading]:
    holds = () if state.server is None else state.server.holds
    return Counter((hold.holder, hold.session.state.value) for hold in holds).items()


SERVER_METRICS: tuple[Metric, ...] = (
    Metric(
        "pool_observer.server.up", GAUGE, "", (),
        "Whether the database server answered the probe the last time: 1 or 0. Of several workers, "
        "0 if it did not answer one of them.",
        _server(lambda server: float(server.up) if server.asked else None),
        Across.LEAST,
    ),
    Metric(
        "pool_observer.server.probe_failures", COUNTER, "{failure}", (),
        "How often the database server did not answer the probe.",
        _server(lambda server: server.failures),
    ),
    Metric(
        "pool_observer.server.pooler", GAUGE, "", (),
        "Whether a pooler such as PgBouncer keeps connections of its own between us and the "
        "server, so that holds cannot be joined with the server's sessions: 1 or 0.",
        _server(lambda server: float(server.pooler) if server.up else None),
        Across.WORST,
    ),
    Metric(
        "pool_observer.server.sessions", GAUGE, "{session}", ("owner", "state"),
        "Sessions that the server has: ours, of the role and database that the pool uses, in "
        "whichever process, and others'; by what they do.",
        _sessions,
        Across.WORST,
    ),
    Metric(
        "pool_observer.server.max_connections", GAUGE, "{connection}", (),
        "The most sessions that the server takes.",
        _server(lambda server: server.limits.max_connections),
        Across.WORST,
    ),
    Metric(
        "pool_observer.server.reserved_connections", GAUGE, "{connection}", (),
        "How many of those are kept for superusers and other roles with a privilege.",
        _server(
            lambda server: server.limits.reserved if server.limits.max_connections else None
        ),
        Across.WORST,
    ),
    Metric(
        "pool_observer.server.longest_transaction", GAUGE, "s", ("owner",),
        "How long the oldest transaction has been open, ours and others'.",
        _longest_transactions,
        Across.WORST,
    ),
    Metric(
        "pool_observer.server.holder_sessions", GAUGE, "{session}", ("holder", "state"),
        "Sessions that were held all the while the probe looked, by who held them and what the "
        "server says they do. Names the route of what is idle in transaction.",
        _holder_sessions,
    ),
    Metric(
        "pool_observer.server.holder_transaction", GAUGE, "s", ("holder",),
        "How long the oldest transaction of each holder has been open, by the server's account.",
        _holders(lambda hold: hold.session.transaction_seconds or 0.0, max),
        Across.WORST,
    ),
    Metric(
        "pool_observer.server.holder_blocked", GAUGE, "{session}", ("holder",),
        "Sessions of each holder that wait for a lock.",
        _holders(lambda hold: float(bool(hold.blocked_by)), sum),
    ),
    Metric(
        "pool_observer.server.holder_blocks", GAUGE, "{session}", ("holder",),
        "Sessions that wait for a lock because of this holder, its own included, where it does not "
        "wait itself. The holder is the culprit.",
        _holders(lambda hold: hold.blocks, sum),
    ),
)  # fmt: skip
