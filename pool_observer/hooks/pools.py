"""What a pool says about itself. SQLAlchemy's pools share few public methods."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from operator import attrgetter
from typing import Any
from weakref import ref

from sqlalchemy.pool import (
    AssertionPool,
    AsyncAdaptedQueuePool,
    NullPool,
    Pool,
    QueuePool,
    SingletonThreadPool,
    StaticPool,
)
from sqlalchemy.pool.base import _ConnectionFairy

from pool_observer.state import PoolSettings


def shares_its_connection(pool: Pool) -> bool:
    """Whether several proxies may hold the pool's one connection at the same time."""
    return isinstance(pool, StaticPool)


def key_function(pool: Pool) -> Callable[[Any], Hashable]:
    """What tells the pool's holds apart, as a function of the proxied connection.

    It is the connection record, which pool events name too. Only StaticPool gives one record
    to many proxies; its holds are told apart by (a weak reference to) the proxy itself.
    """
    return _proxy_itself if shares_its_connection(pool) else attrgetter("_connection_record")


def _proxy_itself(proxy: Any) -> Hashable:
    # While a dialect sets itself up, its methods are given a stand-in for a proxy.
    return ref(proxy) if isinstance(proxy, _ConnectionFairy) else None


def max_connections(pool: Pool) -> int | None:
    """The most connections the pool hands out at a time; None without a limit."""
    if isinstance(pool, QueuePool):
        overflow: int = pool._max_overflow
        return None if overflow < 0 else pool.size() + overflow
    return 1 if isinstance(pool, AssertionPool) else None


def most_idle(pool: Pool) -> int | None:
    """The most connections the pool keeps when nobody uses them; None without a limit."""
    if isinstance(pool, QueuePool):
        return pool.size() or None  # a size of 0 is none
    if isinstance(pool, NullPool):
        return 0
    return 1 if isinstance(pool, AssertionPool | StaticPool) else None


def settings_of(pool: Pool) -> PoolSettings:
    """How the pool is configured, as far as it is a pool of SQLAlchemy's own."""
    queue = pool if isinstance(pool, QueuePool) else None
    recycle = getattr(pool, "_recycle", -1)
    return PoolSettings(
        pool_class=type(pool).__name__,
        dialect=getattr(pool._dialect, "name", ""),
        driver=getattr(pool._dialect, "driver", ""),
        size=None if queue is None else queue.size(),
        max_overflow=None if queue is None else queue._max_overflow,
        timeout=None if queue is None else queue._timeout,
        recycle=None if recycle is None or recycle < 0 else recycle,
        pre_ping=getattr(pool, "_pre_ping", None),
    )


def checked_out(pool: Pool) -> int | None:
    """The pool's own count of what is out; None where it keeps none."""
    return pool.checkedout() if isinstance(pool, QueuePool) else None


def idle_connections(pool: Pool) -> int:
    """Open connections resting in the pool.

    `checkedin()` will not do: it counts records, and a record whose connection was detached
    or invalidated rests in the pool as well, with nothing behind it.
    """
    try:
        records = _records(pool)
    except AttributeError:  # a pool of somebody's own, or an unknown SQLAlchemy
        return pool.checkedin() if isinstance(pool, QueuePool) else 0
    return sum(record.dbapi_connection is not None and not record.in_use for record in records)


def _records(pool: Any) -> list[Any]:
    """The records the pool keeps at hand. copy() is atomic where iterating would not be."""
    if isinstance(pool, AsyncAdaptedQueuePool):
        return list(pool._pool._queue._queue.copy())  # type: ignore[attr-defined]
    if isinstance(pool, QueuePool):
        return list(pool._pool.queue.copy())  # type: ignore[attr-defined]
    if isinstance(pool, SingletonThreadPool):
        return list(pool._all_conns.copy())
    if isinstance(pool, StaticPool):
        return [pool.__dict__["connection"]] if "connection" in pool.__dict__ else []
    if isinstance(pool, AssertionPool):
        return [] if pool._conn is None else [pool._conn]
    return []
