"""A model of a pool: who holds what, and what they spend their time on.

It keeps no timestamps: whenever the fake database works, or the clock is advanced, it adds
that time to what each connection it knows of is doing. So it can only agree with the ledger,
to the nanosecond, if both are right.
"""

from __future__ import annotations

import asyncio
import weakref
from collections import Counter
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import DisconnectionError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.pool import Pool, QueuePool

from pool_observer import Activity, Ending, Hold, Outcome, PoolObserver, Stage
from tests.support import FakeClock, FakeDatabase

STATEMENT, PING = "a statement", "SELECT 1"
COSTS = {"connect": 7, PING: 3, STATEMENT: 11, "commit": 5, "rollback": 13, "close": 2}
"""Nanoseconds that the database works: all different, so that no mix-up goes unnoticed."""

Error = Callable[[FakeDatabase], BaseException]
ERROR: Error = lambda database: database.OperationalError("no")  # type: ignore[attr-defined] # noqa: E731
CLOSED: Error = lambda database: database.ProgrammingError("Cannot operate on a closed database.")  # type: ignore[attr-defined] # noqa: E731
CANCELLED = (asyncio.CancelledError, KeyboardInterrupt)
CANCELS: tuple[Error, ...] = (lambda _: asyncio.CancelledError(), lambda _: KeyboardInterrupt())

Fault = tuple[str, Error, int]
"""Where it strikes, with what, and how many times."""
ACQUIRING: list[Fault] = [
    *((place, error, 1) for place in ("connect", PING, "checkout") for error in (ERROR, *CANCELS)),
    (PING, CLOSED, 1),
    # SQLAlchemy makes two attempts: it gets over one disconnection, not over two.
    *(("checkout", lambda _: DisconnectionError(), times) for times in (1, 2)),
]


class Out:
    """What the model knows of one connection that is out."""

    def __init__(self, proxy: Any, pool: Pool) -> None:
        self.proxy = weakref.ref(proxy)
        self.pool = pool
        self.users: list[Any] = []
        self.unclosed = 0  # SingletonThreadPool counts who must close, not who still could
        self.autocommit = proxy.dbapi_connection.isolation_level is None
        self.seen = False
        self.begin(seen=False, waited=0)

    def begin(self, *, seen: bool, waited: int) -> None:
        self.seen = seen
        self.waited = waited
        self.activity = Activity.IDLE
        self.spent: Counter[Activity] = Counter()


def shape(held: Out | Hold) -> tuple[object, ...]:
    """What must be the same in the model and in the ledger."""
    if isinstance(held, Hold):
        spent = (held.executing_ns, held.in_transaction_ns, held.idle_ns)
        return (held.waited_ns, *spent, held.duration_ns, held.activity)
    return (held.waited, *map(held.spent.__getitem__, Activity), held.spent.total(), held.activity)


class PoolModel:
    """What an application has done to a pool of this class, and what must come of it."""

    pool: type[Pool]
    observer: PoolObserver | None
    # Of what the observer has seen:
    opened: int
    spent: Counter[Activity]
    endings: Counter[Ending]
    ended: list[tuple[object, ...]]
    waits: Counter[Outcome]
    waited_for: Counter[Stage]

    def begin(self, pre_ping: bool) -> None:
        self.database = FakeDatabase()
        sizes = {"pool_size": 2, "max_overflow": 1, "pool_timeout": 0}
        self.engine = self.database.engine(
            poolclass=self.pool, pool_pre_ping=pre_ping, **sizes if self.pool is QueuePool else {}
        )
        self.engines: dict[str, Engine] = {
            "plain": self.engine,
            "options": self.engine.execution_options(logging_token="x"),
            "autocommit": self.engine.execution_options(isolation_level="AUTOCOMMIT"),
        }
        self.database.work = self.work
        event.listen(self.engine, "checkout", lambda *_: self.strike("checkout"))
        self.expected: tuple[type[BaseException], ...] = (
            SQLAlchemyError,
            self.database.Error,
            AssertionError,  # how AssertionPool says that it is in use
            *CANCELLED,
        )
        self.clock = FakeClock()
        self.out: list[Out] = []
        self.detached: list[Any] = []
        self.faults: dict[str, tuple[Error, int]] = {}
        self.waited: Counter[Stage] = Counter()
        self.busy: Out | None = None
        self.leaving: Ending | None = None
        self.stage: Stage | None = None
        self.observer: PoolObserver | None = None

    def strike(self, place: str) -> None:
        error, times = self.faults.pop(place, (ERROR, 0))
        if times > 1:
            self.faults[place] = (error, times - 1)
        if times:
            raise error(self.database)

    def work(self, statement: str) -> None:
        """The database works, for whom the machine says, or for somebody who waits."""
        out = self.busy
        ends_transaction = statement in ("commit", "rollback")
        if out is not None and statement == "close" and self.leaving is not None:
            # What the pool does not keep is closed after its check-in.
            self.ends(out, self.leaving)
            out = self.busy = self.leaving = None
        if self.stage is not None and statement == "connect":
            self.stage = Stage.CONNECT
        elif self.stage is Stage.QUEUE and statement == PING:
            self.stage = Stage.PING
        executing = statement == STATEMENT or (
            ends_transaction and out is not None and out.activity is Activity.IN_TRANSACTION
        )
        self.passes(COSTS.get(statement, 1), out if executing else None)
        if out is not None and statement == STATEMENT:
            out.activity = Activity.IDLE if out.autocommit else Activity.IN_TRANSACTION
        self.strike(statement)
        if statement == "connect":
            self.opened += 1
        if out is not None and ends_transaction:
            out.activity = Activity.IDLE

    def passes(self, nanoseconds: int, executing: Out | None = None) -> None:
        self.clock.now += nanoseconds
        for out in self.out:
            activity = Activity.EXECUTING if out is executing else out.activity
            out.spent[activity] += nanoseconds
            if out.seen:
                self.spent[activity] += nanoseconds
        if self.stage is not None:
            self.waited[self.stage] += nanoseconds

    def ends(self, out: Out, ending: Ending) -> None:
        self.out.remove(out)
        if out.seen:
            self.endings[ending] += 1
            self.ended.append(shape(out))

    def does(self, out: Out, action: Callable[[], Any], leaving: Ending | None = None) -> bool:
        """Have an action done on a connection; returns whether it was cancelled."""
        self.busy, self.leaving = out, leaving
        try:
            action()
        except self.expected as error:
            return isinstance(error, CANCELLED)
        finally:
            self.busy = self.leaving = None
            self.faults.clear()
        return False

    def acquires(self, ask: Callable[[], Any]) -> bool:
        self.stage, self.waited = Stage.QUEUE, Counter()
        try:
            user = ask()
        except self.expected as error:
            timed_out, cancelled = isinstance(error, PoolTimeoutError), isinstance(error, CANCELLED)
            failed = Outcome.CANCELLED if cancelled else Outcome.FAILED
            self.wait_ends(Outcome.TIMED_OUT if timed_out else failed)
            return False
        finally:
            self.stage = None
            self.faults.clear()
        proxy = user.connection if isinstance(user, Connection) else user
        out = next((out for out in self.out if out.proxy() is proxy), None)
        if out is None:
            out = Out(proxy, self.engine.pool)
            self.out.append(out)
        out.users.append(user)
        out.unclosed += 1
        # SingletonThreadPool hands out what is out already: neither a wait nor a second hold.
        if not out.seen and self.observer is not None:
            out.begin(seen=True, waited=self.waited.total())
            self.wait_ends(Outcome.ACQUIRED)
        return True

    def wait_ends(self, outcome: Outcome) -> None:
        self.waits[outcome] += 1
        self.waited_for.update(self.waited)

    def is_closed_under_its_users(self, out: Out) -> None:
        self.ends(out, Ending.CHECKIN)
        for user in out.users:
            user.close()

    def pick(self, number: int, kind: type = object) -> tuple[Out, Any]:
        users = [(out, user) for out in self.out for user in out.users if isinstance(user, kind)]
        return users[number % len(users)]
