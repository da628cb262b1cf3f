"""What several test modules need: clocks that stand still, and a database that costs nothing."""

from __future__ import annotations

import time
import types
from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy import Engine, create_engine
from sqlalchemy.pool import QueuePool

from pool_observer import Listener, PoolObserver
from pool_observer.claim import Claim
from pool_observer.contract import CONTRACT
from pool_observer.holder import DerivedHolder, Holder
from pool_observer.ledger import Ledger
from pool_observer.model import (
    ConnectionClosed,
    ConnectionInvalidated,
    ConnectionOpened,
    Hold,
    Wait,
)
from pool_observer.server_metrics import SERVER_METRICS
from pool_observer.state import PoolTotals

UNPROBED = tuple(metric for metric in CONTRACT if metric not in SERVER_METRICS)
"""The metrics of a pool whose server nobody asks."""


class FakeClock:
    """Nanoseconds that pass only when a test says so."""

    def __init__(self, now: int = 0) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += round(seconds * 1_000_000_000)


class CountingClock:
    """Each reading is one nanosecond after the one before, so every interval is exact."""

    def __init__(self) -> None:
        self.now = 0

    def __call__(self) -> int:
        self.now += 1
        return self.now


def named(name: str) -> Holder:
    """A holder of that name."""
    return DerivedHolder(None, None, name=name)


def totals_of(ledger: Ledger) -> PoolTotals:
    """What the ledger has counted until now."""
    totals = ledger.settle(freeze=True).totals
    assert totals is not None
    return totals


def open_claims(ledger: Ledger) -> tuple[list[Claim], list[Claim]]:
    """Who holds and who waits now, the oldest first."""
    settled = ledger.settle()
    return settled.holding, settled.waiting


class RecordingListener(Listener):
    """Keeps what it was told, in order."""

    def __init__(self) -> None:
        self.events: list[Any] = []
        self.closed = 0

    def wait_ended(self, wait: Wait) -> None:
        self.events.append(wait)

    def hold_ended(self, hold: Hold) -> None:
        self.events.append(hold)

    def connection_opened(self, event: ConnectionOpened) -> None:
        self.events.append(event)

    def connection_closed(self, event: ConnectionClosed) -> None:
        self.events.append(event)

    def connection_invalidated(self, event: ConnectionInvalidated) -> None:
        self.events.append(event)

    def observer_closed(self) -> None:
        self.closed += 1

    @property
    def waits(self) -> list[Wait]:
        return [event for event in self.events if isinstance(event, Wait)]

    @property
    def holds(self) -> list[Hold]:
        return [event for event in self.events if isinstance(event, Hold)]


def observer_of(
    engine: Engine,
    *,
    name: str = "test",
    clock: Callable[[], int] | None = None,
    wall_clock: Callable[[], int] = time.time_ns,
    leak_after: float = 30.0,
    holder_limit: int = 200,
    skip_callers: Iterable[str] = (),
) -> PoolObserver:
    """An observer that no watchdog ticks for, on a clock of the test's own."""
    return PoolObserver(
        engine,
        name,
        leak_after=leak_after,
        holder_limit=holder_limit,
        skip_callers=skip_callers,
        clock=clock or CountingClock(),
        wall_clock=wall_clock,
    )


class FakeConnection:
    """A DBAPI connection to nothing. `work` runs inside everything that would be I/O."""

    isolation_level: str | None = ""

    def __init__(self, work: Callable[[str], object]) -> None:
        self.work = work

    def cursor(self, *_: Any) -> FakeCursor:
        return FakeCursor(self)

    def commit(self) -> None:
        self.work("commit")

    def rollback(self) -> None:
        self.work("rollback")

    def close(self) -> None:
        self.work("close")

    def create_function(self, *_: Any, **__: Any) -> None:
        pass


class FakeCursor:
    description = None
    rowcount = 0
    lastrowid = None

    def __init__(self, connection: FakeConnection) -> None:
        self._connection = connection

    def execute(self, statement: str, parameters: Any = None) -> None:
        self._connection.work(statement)

    def executemany(self, statement: str, parameters: Any = None) -> None:
        self._connection.work(statement)

    def fetchone(self) -> None:
        return None

    def fetchall(self) -> list[Any]:
        return []

    def fetchmany(self, size: int | None = None) -> list[Any]:
        return []

    def close(self) -> None:
        pass


class FakeDatabase:
    """A DBAPI module. Set `work` to make statements take time, or fail."""

    paramstyle = "qmark"
    sqlite_version_info = (3, 40, 0)
    sqlite_version = "3.40.0"
    version_info = (2, 6, 0)

    def __init__(self) -> None:
        self.work: Callable[[str], object] = lambda _: None
        self.connections = 0
        self.Error = type("Error", (Exception,), {})
        for name in (
            "InterfaceError",
            "DatabaseError",
            "OperationalError",
            "ProgrammingError",
            "IntegrityError",
            "DataError",
            "InternalError",
            "NotSupportedError",
        ):
            setattr(self, name, type(name, (self.Error,), {}))

    def connect(self, *_: Any, **__: Any) -> FakeConnection:
        self.work("connect")
        self.connections += 1
        return FakeConnection(lambda statement: self.work(statement))

    def engine(self, **options: Any) -> Engine:
        """An engine on this database. Its dialect has been set up already."""
        options.setdefault("poolclass", QueuePool)
        module = types.SimpleNamespace(
            **{name: getattr(self, name) for name in dir(self) if not name.startswith("_")}
        )
        engine = create_engine("sqlite:///nothing.db", module=module, **options)
        with engine.connect():
            pass
        return engine


def wait_until(condition: Callable[[], object]) -> None:
    """Return once another thread has made the condition true; fail if it never does."""
    deadline = time.monotonic() + 30
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError("it never came true")
        time.sleep(0.001)
