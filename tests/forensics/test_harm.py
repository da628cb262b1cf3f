"""Whatever fails in finding out what is wrong: the application does not feel it."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import AsyncIterator, Coroutine, Generator
from typing import Any

import pytest
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from pool_observer.explaining import Explainer
from pool_observer.forensics import Forensics
from pool_observer.holder import DerivedHolder, current_holder
from pool_observer.incidents import Incidents
from pool_observer.observer import PoolObserver
from pool_observer.standing import Look
from tests.forensics.overdue import HOLDER, SELECT, OurError, a_pool, assert_works, fail
from tests.support import FakeDatabase


class Nameless(DerivedHolder):
    """Cannot say who it is."""

    def name(self) -> str:
        raise OurError


def test_a_holder_that_cannot_be_named_is_warned_of_without_its_name(
    database: FakeDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    with a_pool(database) as pool:
        token = current_holder.set(Nameless(None, None))
        with pool.engine.connect(), pool.engine.connect():
            current_holder.reset(token)
            pool.clock.advance(31)
            with pytest.raises(PoolTimeoutError) as raised:
                pool.engine.connect()
            pool.observer.tick()
            assert pool.failures()["naming a holder"] >= 1
            assert str(pool.observer.explain()).startswith('pool "test": all 2 connections held')
        assert "  2 x unattributed, the longest for 31.0 s" in raised.value.__notes__[0]
        assert caplog.text.count("unattributed has held a connection for 31.0 s") == 2
        assert_works(pool.engine)


FORENSICS: list[tuple[object, str]] = [
    (sys, "_current_frames"),
    (Look, "at"),
    (Look, "stall_of"),
    (Explainer, "explain"),
    (Explainer, "__init__"),
    (Incidents, "add"),
    (Incidents, "timed_out"),
    (Incidents, "tell"),
    (Forensics, "explain"),
    (PoolTimeoutError, "add_note"),
]


@pytest.mark.parametrize(("owner", "name"), FORENSICS, ids=[name for _, name in FORENSICS])
def test_whatever_fails_is_counted_and_the_application_sees_its_own_exception(
    database: FakeDatabase, monkeypatch: pytest.MonkeyPatch, owner: object, name: str
) -> None:
    with a_pool(database, pool_size=1) as pool:
        bare = database.engine(pool_size=1, max_overflow=0, pool_timeout=0)
        with bare.connect(), pytest.raises(PoolTimeoutError) as expected:
            bare.connect()
        monkeypatch.setattr(owner, name, fail, raising=False)
        with pool.overdue(), pytest.raises(PoolTimeoutError) as raised:
            pool.engine.connect()
        assert type(raised.value) is type(expected.value)
        assert str(raised.value) == str(expected.value)
        assert raised.value.args == expected.value.args
        assert raised.value.__context__ is expected.value.__context__ is None
        with pool.overdue():
            watchdog_comes_by(pool.observer)
        watchdog_comes_by(pool.observer)
        monkeypatch.undo()
        assert sum(pool.failures().values()) >= 1
        totals = pool.observer.snapshot().totals.holders
        assert totals[HOLDER].overdue == 2
        assert sum(each.timed_out for each in totals.values()) == 1
        assert_works(pool.engine)


def watchdog_comes_by(observer: PoolObserver) -> None:
    """As the thread of the watchdog does it."""
    try:
        observer.tick()
    except Exception:
        observer.note_failure("the watchdog")


def test_without_frames_the_rest_is_said(
    database: FakeDatabase, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sys, "_current_frames", fail)
    with a_pool(database) as pool, pool.overdue():
        pool.observer.tick()
        assert pool.failures() == {"finding out where a holder stands": 1}
        (held,) = pool.observer.explain().holds
        assert held.standing is None
        assert held.diagnosis is not None
        assert held.diagnosis.kind == "idle_in_transaction"
    assert f"{HOLDER} has held a connection for 31.0 s" in caplog.text


def test_without_frames_a_blocked_loop_is_still_said_to_be_blocked(
    database: FakeDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    released, blocked = threading.Event(), threading.Event()
    with a_pool(database) as pool:

        async def block() -> None:
            with pool.engine.connect():
                pool.observer.follow_running_loop()
                blocked.set()
                released.wait()

        thread = threading.Thread(target=lambda: asyncio.run(block()))
        thread.start()
        try:
            assert blocked.wait(30)
            pool.observer.tick()
            pool.clock.advance(2)
            monkeypatch.setattr(sys, "_current_frames", fail)
            (loop,) = pool.observer.explain().blocked_loops
            assert loop.standing is None
            assert loop.seconds == 2
        finally:
            released.set()
            thread.join()


class Opaque(Coroutine[Any, Any, None]):
    """An awaitable as compiled code makes them: with nothing to be seen in it."""

    def __init__(self, inner: Coroutine[Any, Any, None]) -> None:
        self._inner = [inner]  # one step further than anybody looks

    def send(self, value: Any) -> Any:
        return self._inner[0].send(value)

    def throw(self, *error: Any) -> Any:
        return self._inner[0].throw(*error)

    def close(self) -> None:
        self._inner[0].close()

    def __await__(self) -> Generator[Any, Any, None]:
        raise NotImplementedError


@pytest.mark.parametrize("kind", ["step of a generator", "opaque"])
def test_a_task_of_compiled_code_is_no_obstacle(
    database: FakeDatabase, caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    async def use() -> None:
        over = asyncio.Event()

        async def steps() -> AsyncIterator[None]:
            with pool.engine.connect() as connection:
                connection.execute(SELECT)
                await over.wait()  # steps stands
            yield

        async def take() -> None:
            async for _ in steps():
                pass

        generator = steps()
        coroutine: Any = generator.__anext__() if kind != "opaque" else Opaque(take())
        task = asyncio.get_running_loop().create_task(coroutine)
        await asyncio.sleep(0)
        pool.clock.advance(31)
        pool.observer.tick()
        (held,) = pool.observer.explain().holds
        assert held.standing is not None
        assert held.standing.doing == "awaiting"
        if kind != "opaque":
            assert held.standing.at is not None
            assert held.standing.at.line == line_of("steps stands")
        over.set()
        await task

    with a_pool(database) as pool:
        asyncio.run(use())
        assert pool.failures() == {}
        assert caplog.text.count("has held a connection for 31.0 s") == 1


def line_of(marker: str) -> int:
    with open(__file__) as source:
        (found,) = [n for n, line in enumerate(source, 1) if line.endswith(f"  # {marker}\n")]
    return found


def test_a_note_that_cannot_be_added_does_not_keep_the_time_out_from_the_log(
    database: FakeDatabase, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(PoolTimeoutError, "add_note", fail, raising=False)
    with a_pool(database, pool_size=1) as pool, pool.overdue():
        with pytest.raises(PoolTimeoutError):
            pool.engine.connect()
        pool.observer.tick()
    assert "1 checkout timed out" in caplog.text
