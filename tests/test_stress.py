"""Everything at once, from many threads and many tasks: nothing lost, counted twice or left.

Every worker keeps its own account of what it did, under a holder's name of its own. At the
end the observer must have the same, to the last wait.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import Connection, Engine, event, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

from pool_observer import Ending, Hold, Listener, Outcome, PoolObserver
from pool_observer.holding import holding
from tests.conftest import Observe
from tests.support import FakeDatabase, RecordingListener, observer_of

SEED = 20_250
THREADS, VISITS_A_THREAD = 12, 800
TASKS, VISITS_A_TASK = 200, 10

STATEMENT = text("SELECT 2")
WRONG = text("SELECT nothing FROM nowhere")
MOST_HELD = 5
"""Connections the threads have; whoever asks for one more, while it holds these, must time out."""


fault: ContextVar[BaseException | None] = ContextVar("fault", default=None)
"""What goes wrong next for this thread or task."""


def strike(*_: object) -> None:
    error = fault.get()
    if error is not None:
        fault.set(None)
        raise error


class BrokenListener(Listener):
    def hold_ended(self, hold: Hold) -> None:
        raise RuntimeError("an exporter that is broken")


class Account:
    """What one worker did to the pool."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.holder = f"worker {number}"
        self.random = Random(SEED + number)
        self.waits: Counter[Outcome] = Counter()
        self.endings: Counter[Ending] = Counter()
        self.returning: list[asyncio.Task[None]] = []

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Note how the wait in this block ends."""
        outcome = Outcome.FAILED
        try:
            yield
            outcome = Outcome.ACQUIRED
        except PoolTimeoutError:
            outcome = Outcome.TIMED_OUT
            raise
        except (asyncio.CancelledError, KeyboardInterrupt):
            outcome = Outcome.CANCELLED
            raise
        finally:
            self.waits[outcome] += 1
            fault.set(None)


@pytest.fixture(autouse=True)
def hurried() -> Iterator[None]:
    """Threads take turns, and garbage is collected, far more often than usual."""
    logger = logging.getLogger("sqlalchemy.pool")  # it logs each failure we cause
    level, interval, threshold = logger.level, sys.getswitchinterval(), gc.get_threshold()
    logger.setLevel(logging.CRITICAL + 1)
    sys.setswitchinterval(1e-5)
    gc.collect()
    gc.freeze()
    gc.set_threshold(200, 5, 5)
    yield
    gc.enable()
    gc.set_threshold(*threshold)
    gc.unfreeze()
    sys.setswitchinterval(interval)
    logger.setLevel(level)


def watchdogs() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if "watchdog" in thread.name]


@contextmanager
def watched_all_the_time(observer: PoolObserver) -> Iterator[None]:
    """Two threads ask for figures as fast as they can, and no total may ever go back."""
    done = threading.Event()

    def watch(ask: Callable[[], object]) -> None:
        before = (0, 0, 0)
        while not done.is_set():
            ask()
            holders = observer.snapshot().totals.holders.values()
            checkouts = sum(holder.checkouts for holder in holders)
            returns = sum(sum(holder.returns.values()) for holder in holders)
            spent = sum(sum(holder.activity_ns.values()) for holder in holders)
            now = (checkouts, returns, spent)
            assert returns <= checkouts
            assert all(earlier <= later for earlier, later in zip(before, now, strict=True))
            before = now

    with ThreadPoolExecutor(2) as threads:
        watching = [threads.submit(watch, ask) for ask in (observer.snapshot, observer.deliver)]
        try:
            yield
        finally:
            done.set()
    for result in watching:
        result.result()


def assert_that_books_agree(
    observer: PoolObserver, listener: RecordingListener, accounts: list[Account]
) -> None:
    observer.deliver()
    state = observer.snapshot()
    assert (state.used, state.waiting, state.drift, state.open_holds) == (0, 0, 0, ())

    assert set(state.totals.holders) == {account.holder for account in accounts}
    for account in accounts:
        totals = state.totals.holders[account.holder]
        assert totals.waits == {outcome: account.waits[outcome] for outcome in Outcome}
        assert totals.returns == {ending: account.endings[ending] for ending in Ending}
        assert totals.checkouts == account.waits[Outcome.ACQUIRED] == account.endings.total()

    heard = Counter((hold.holder, hold.ending) for hold in listener.holds)
    assert heard == Counter(
        {(one.holder, ending): n for one in accounts for ending, n in one.endings.items()}
    )
    assert Counter((wait.holder, wait.outcome) for wait in listener.waits) == Counter(
        {(one.holder, outcome): n for one in accounts for outcome, n in one.waits.items()}
    )
    assert len({id(event) for event in listener.events}) == len(listener.events)
    assert state.totals.internal_errors == {"BrokenListener.hold_ended": len(listener.holds)}
    assert state.totals.dropped_events == 0

    # The test would be worth little if one of these had never happened.
    assert sum((account.waits for account in accounts), Counter()).keys() == set(Outcome)
    assert sum((account.endings for account in accounts), Counter()).keys() == set(Ending)


# -- threads ---------------------------------------------------------------------------------


def test_threads_that_do_everything_at_once_are_accounted_for_exactly(observed: Observe) -> None:
    before = watchdogs()
    database = FakeDatabase()
    engine = database.engine(pool_size=MOST_HELD - 2, max_overflow=2, pool_timeout=0.002)
    database.work = lambda statement: strike() if statement in ("connect", str(STATEMENT)) else None
    event.listen(engine, "checkout", strike)
    broken = database.OperationalError("broken")  # type: ignore[attr-defined]

    def work(account: Account) -> None:
        with holding(account.holder):
            for number in range(VISITS_A_THREAD):
                if number % (THREADS * 3) == account.number:
                    engine.dispose(close=account.random.random() < 0.5)
                with suppress(SQLAlchemyError, KeyboardInterrupt, type(broken)):
                    visit(engine, account, broken)

    observer = observed(engine, name="threads", holder_limit=THREADS)
    listener = RecordingListener()
    observer.subscribe(listener)
    observer.subscribe(BrokenListener())
    accounts = [Account(number) for number in range(THREADS)]
    with watched_all_the_time(observer), ThreadPoolExecutor(THREADS) as threads:
        list(threads.map(work, accounts))
    gc.collect()
    assert_that_books_agree(observer, listener, accounts)
    observer.close()
    assert watchdogs() == before


class PreemptingPool(QueuePool):
    """Lets somebody else run as soon as a connection record is back."""

    meanwhile: Callable[[], object] | None = None

    def _do_return_conn(self, record: ConnectionPoolEntry) -> None:
        super()._do_return_conn(record)
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            meanwhile()


def test_a_record_used_by_another_while_it_is_detached_is_not_taken_for_an_unseen_one() -> None:
    engine = FakeDatabase().engine(poolclass=PreemptingPool, pool_size=1, max_overflow=1)
    unseen = engine.raw_connection()
    observer = observer_of(engine)
    detached = engine.raw_connection()
    # detach() gives the record back before it says so.
    assert isinstance(engine.pool, PreemptingPool)
    engine.pool.meanwhile = lambda: engine.raw_connection().close()
    detached.detach()
    state = observer.snapshot()
    assert (state.used, state.unseen, state.drift) == (1, 1, 0)
    unseen.close()
    assert observer.snapshot().unseen == 0


def visit(engine: Engine, account: Account, broken: Exception) -> None:
    """One use of the pool, of a kind that chance decides on."""
    random = account.random
    how = random.choice(
        ("return", "fail", "cancel", "invalidate", "soften", "detach", "lose", "hog")
    )
    connections: list[Connection] = []
    try:
        for _ in range(MOST_HELD + 1 if how == "hog" else random.choice((1, 1, 2))):
            if random.random() < 0.1:
                fault.set(random.choice((broken, KeyboardInterrupt())))
            with account.waiting():
                connections.append(engine.connect())
            connections[-1].execute(STATEMENT)
        connection = connections[0]
        if how in ("fail", "cancel"):
            fault.set(broken if how == "fail" else KeyboardInterrupt())
            connection.execute(STATEMENT)
        elif how == "invalidate":
            connection.invalidate()
        elif how == "soften":
            connection.connection.invalidate(soft=True)
            connection.commit()
        elif how == "detach":
            connection.detach()
            account.endings[Ending.DETACHED] += 1
            connections.remove(connection)
            connection.close()
        elif how == "lose":
            # In a transaction, which refers to it: only the collector can find this one.
            account.endings[Ending.LOST] += 1
            connections.remove(connection)
    finally:
        for connection in connections:
            account.endings[Ending.CHECKIN] += 1
            connection.close()


AIOSQLITE_PATIENCE = 5
"""Seconds in which any other closing is long done."""


# -- tasks -----------------------------------------------------------------------------------


# SQLAlchemy warns of each connection we drop, aiosqlite of each whose opening we cancel.
@pytest.mark.filterwarnings("ignore:The garbage collector is trying:sqlalchemy.exc.SAWarning")
@pytest.mark.filterwarnings("ignore:.*aiosqlite.* was deleted before being closed:ResourceWarning")
def test_tasks_that_do_everything_at_once_are_accounted_for_exactly(
    observed: Observe, tmp_path: Path
) -> None:
    before = watchdogs()
    engine = create_async_engine(
        f"sqlite+aiosqlite:///{tmp_path / 'stress.db'}",
        pool_size=15,
        max_overflow=5,
        pool_timeout=0.5,
    )
    event.listen(engine.sync_engine, "checkout", strike)
    # Drivers may only be told to terminate in the loop's own thread.
    gc.disable()

    async def work(account: Account) -> None:
        with holding(account.holder):
            for number in range(VISITS_A_TASK):
                if account.number % TASKS == number * 20:
                    await engine.dispose()
                task = asyncio.create_task(visit_async(engine, account))
                if account.random.random() < 0.3:
                    for _ in range(account.random.randrange(30)):
                        await asyncio.sleep(0)
                    task.cancel()
                with suppress(SQLAlchemyError, RuntimeError, asyncio.CancelledError):
                    await task

    async def work_all(accounts: list[Account]) -> None:
        await asyncio.gather(*map(work, accounts))
        # Some were cancelled as they returned connections, which goes on behind a shield.
        await asyncio.gather(*(task for account in accounts for task in account.returning))
        await whatever_goes_on_behind_shields()
        gc.collect()
        await engine.dispose()
        await whatever_goes_on_behind_shields()

    observer = observed(engine, name="tasks", holder_limit=TASKS)
    listener = RecordingListener()
    observer.subscribe(listener)
    observer.subscribe(BrokenListener())
    accounts = [Account(number) for number in range(TASKS)]
    with watched_all_the_time(observer):
        asyncio.run(work_all(accounts))
    assert_that_books_agree(observer, listener, accounts)
    observer.close()
    assert watchdogs() == before
    gc.collect()  # while what lost connections say of themselves is still ignored


async def whatever_goes_on_behind_shields() -> None:
    """SQLAlchemy closes a cancelled connection in a task that nobody but the loop knows.

    Once in many thousand times it closes one whose thread has ended, and then aiosqlite waits
    for that thread's answer for ever.
    """
    while others := asyncio.all_tasks() - {asyncio.current_task()}:
        _, stuck = await asyncio.wait(others, timeout=AIOSQLITE_PATIENCE)
        for task in stuck:
            assert "_terminate_graceful_close" in repr(task), task
            task.cancel()


async def visit_async(engine: AsyncEngine, account: Account) -> None:
    """One use of the pool, of a kind that chance decides on; it may be cancelled anywhere."""
    random = account.random
    how = random.choice(("return", "fail", "invalidate", "detach", "lose", "hog"))
    connections: list[AsyncConnection] = []
    try:
        for _ in range(5 if how == "hog" else random.choice((1, 1, 2))):
            if random.random() < 0.1:
                fault.set(RuntimeError("a checkout listener that is broken"))
            with account.waiting():
                connections.append(await engine.connect())
            await connections[-1].execute(STATEMENT)
        connection = connections[0]
        if how == "fail":
            await connection.execute(WRONG)
        elif how == "invalidate":
            await connection.invalidate()
        elif how == "detach":
            assert connection.sync_connection is not None
            connection.sync_connection.detach()
            account.endings[Ending.DETACHED] += 1
            connections.remove(connection)
            await closed(account, connection)
        elif how == "lose":
            account.endings[Ending.LOST] += 1
            connections.remove(connection)
            del connection
            gc.collect()
    finally:
        account.endings[Ending.CHECKIN] += len(connections)
        await closed(account, *connections)


async def closed(account: Account, *connections: AsyncConnection) -> None:
    """Return connections, even if whoever waits for that is cancelled."""

    async def close() -> None:
        for connection in connections:
            await connection.close()

    returning = asyncio.create_task(close())
    account.returning.append(returning)  # a loop refers to its tasks weakly
    await asyncio.shield(returning)
