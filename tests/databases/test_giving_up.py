"""Waits that end without a connection: refused, timed out, or given up."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from pool_observer import observe
from pool_observer.model import Outcome, Stage
from tests.databases.case import Case
from tests.databases.drivers import ASYNC, EVERY, PYMYSQL, WITH_A_SERVER
from tests.databases.on import on
from tests.databases.servers import sync_of
from tests.support import RecordingListener


@contextmanager
def a_port_that_refuses() -> Iterator[int]:
    """A port that is ours, so that nobody else listens there, and where we do not either."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


def failure_of(engine: Engine) -> tuple[type, type]:
    """What the application is told when it cannot connect."""
    try:
        engine.connect()
    except Exception as error:
        return type(error), type(getattr(error, "orig", None))
    raise AssertionError("nobody should have answered")


# PyMySQL leaks its socket when it is refused, of which the interpreter warns.
@on(*(driver for driver in WITH_A_SERVER if driver is not PYMYSQL))
def test_a_refused_connection_is_a_failed_wait_spent_connecting(case: Case) -> None:
    with a_port_that_refuses() as port:
        url = case.server.url(case.driver)
        url = url.set(host="127.0.0.1", port=port, query={})
        engine, twin = sync_of(case.bare(url=url)), sync_of(case.bare(url=url))
        listener = RecordingListener()
        with observe(engine, name="refused") as observer:
            observer.subscribe(listener)
            assert failure_of(engine) == failure_of(twin)
            observer.deliver()
            state = observer.snapshot()
    [wait] = listener.waits
    assert wait.outcome is Outcome.FAILED
    assert wait.stage is Stage.CONNECT
    assert wait.connect_ns > wait.queue_ns
    assert wait.ping_ns == 0
    assert listener.holds == []
    assert (state.used, state.idle, state.waiting, state.drift) == (0, 0, 0, 0)
    assert state.totals.internal_errors == {}


@on(*EVERY, pool_size=1, max_overflow=0, pool_timeout=0.05)
def test_a_wait_for_a_full_pool_times_out_in_the_queue(case: Case) -> None:
    with case.engine.connect():
        with pytest.raises(PoolTimeoutError):
            case.engine.connect()
        _, wait = case.waits
        assert wait.outcome is Outcome.TIMED_OUT
        assert wait.stage is Stage.QUEUE
        assert wait.queue_seconds >= 0.05
        assert wait.duration_ns == wait.queue_ns
        assert (case.state().used, case.state().waiting) == (1, 0)


@on(*EVERY, pool_size=1, max_overflow=0)
def test_a_waiter_is_seen_waiting_and_then_gets_what_it_waits_for(case: Case) -> None:
    with case.engine.connect() as connection:
        waiting = case.in_background(case.engine.connect)
        case.wait_until(lambda: case.state().waiting == 1)
        [wait] = case.state().open_waits
        assert (wait.outcome, wait.stage) == (None, Stage.QUEUE)
        assert case.state().utilization == 1.0
        connection.close()
        with waiting.result() as got:
            assert (case.state().used, case.state().waiting) == (1, 0)
            assert got.scalar(text("SELECT 1")) == 1
    first, second = case.waits
    assert second.outcome is Outcome.ACQUIRED
    assert second.queue_ns >= wait.queue_ns
    assert second.connect_ns == 0
    assert [hold.waited_ns for hold in case.holds] == [first.duration_ns, second.duration_ns]


@on(*ASYNC, pool_size=1, max_overflow=0)
async def test_a_cancelled_waiter_is_cancelled_and_nothing_else(case: Case) -> None:
    async with case.async_engine.connect() as connection:
        waiter = asyncio.ensure_future(_connect(case))
        await case.until(lambda: case.state().waiting == 1)
        waiter.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiter
        state = case.state()
        assert (state.used, state.waiting, state.drift) == (1, 0, 0)
        assert [wait.outcome for wait in case.waits] == [Outcome.ACQUIRED, Outcome.CANCELLED]
        assert case.waits[-1].duration_ns == case.waits[-1].queue_ns
        assert case.holds == []
        assert await connection.scalar(text("SELECT 1")) == 1
    assert case.state().totals.connections_opened == 1
    assert case.state().totals.connections_invalidated == 0


async def _connect(case: Case) -> None:
    async with case.async_engine.connect():
        pass


@on(*ASYNC, pool_size=1, max_overflow=0)
async def test_a_waiter_under_asyncio_timeout_is_cancelled(case: Case) -> None:
    """It is not the pool's time-out that ended this wait."""
    async with case.async_engine.connect():
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.02):
                await _connect(case)
        wait = case.waits[-1]
        assert wait.outcome is Outcome.CANCELLED
        assert wait.queue_ns > 0
        assert case.state().waiting == 0
    await _connect(case)


@on(*ASYNC, pool_size=1, max_overflow=0)
async def test_of_many_waiters_each_ends_once(case: Case) -> None:
    async with case.async_engine.connect():
        waiters = [asyncio.ensure_future(_connect(case)) for _ in range(10)]
        await case.until(lambda: case.state().waiting == 10)
        for waiter in waiters[::2]:
            waiter.cancel()
        await case.until(lambda: case.state().waiting == 5)
    ended = await asyncio.gather(*waiters, return_exceptions=True)
    assert [isinstance(end, asyncio.CancelledError) for end in ended] == [True, False] * 5
    outcomes = [wait.outcome for wait in case.waits]
    assert outcomes.count(Outcome.CANCELLED) == 5
    assert outcomes.count(Outcome.ACQUIRED) == 6
