from __future__ import annotations

import asyncio
import math
from collections.abc import Generator
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import create_async_engine

from pool_observer import Hold, PoolObserver, expect_long_hold, holding
from pool_observer.holder import current_holder
from tests.asgi.calling import call
from tests.conftest import Observe
from tests.support import FakeDatabase, RecordingListener, open_claims


def limits(observer: PoolObserver) -> list[tuple[str, float, str | None]]:
    """What is held now, the longest first: by whom, how long it may be, and why."""
    return [limit(hold) for hold in observer.snapshot().open_holds]


def limit(hold: Hold) -> tuple[str, float, str | None]:
    return hold.holder, hold.limit_seconds, hold.limit_reason


def test_what_is_taken_inside_may_be_held_for_longer(
    database: FakeDatabase, observed: Observe
) -> None:
    engine = database.engine()
    observer = observed(engine, leak_after=0)
    with engine.connect(), expect_long_hold(600, "nightly export"), holding("export"):
        with engine.connect():
            _, second = observer.snapshot().open_holds
            assert limit(second) == ("export", 600, "nightly export")
            assert not second.overdue
        with expect_long_hold(0.000_000_001, "a moment"), engine.connect():
            assert observer.snapshot().open_holds[-1].overdue
    with engine.connect():
        assert limits(observer) == [("unattributed", 0, None)]
        assert observer.snapshot().open_holds[0].overdue


def test_what_is_held_already_may_be_held_for_longer_and_remains_so(
    database: FakeDatabase, observed: Observe
) -> None:
    engine, other = database.engine(), FakeDatabase().engine()
    observer, second = observed(engine, name="orders"), observed(other, name="users")
    listener = RecordingListener()
    observer.subscribe(listener)
    with holding("listener"), engine.connect(), engine.connect(), other.connect():
        with expect_long_hold(math.inf, "LISTEN orders"):
            expected = ("listener", math.inf, "LISTEN orders")
            assert limits(observer) == [expected, expected]
            assert limits(second) == [expected]
        assert limits(observer) == [expected, expected]
        with engine.connect():
            assert limits(observer)[-1] == ("listener", 30, None)
    observer.deliver()
    assert sorted(limit(hold)[1] for hold in listener.holds) == [30, math.inf, math.inf]
    assert not any(hold.overdue for hold in listener.holds)


def test_what_others_hold_is_left_alone(observed: Observe, tmp_path: Any) -> None:
    engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path / 'orders.db'}")
    observer = observed(engine)

    async def task(name: str, go_on: asyncio.Event, expecting: bool) -> None:
        async with holding(name), engine.connect():
            if expecting:
                async with expect_long_hold(600, "export"):
                    go_on.set()
                    await finish.wait()
            go_on.set()
            await finish.wait()

    async def main() -> None:
        for name in ("a", "b", "c"):
            ready = asyncio.Event()
            tasks.append(asyncio.create_task(task(name, ready, name == "b")))
            await ready.wait()
        assert limits(observer) == [("a", 30, None), ("b", 600, "export"), ("c", 30, None)]
        finish.set()
        await asyncio.gather(*tasks)
        await engine.dispose()

    tasks: list[asyncio.Task[None]] = []
    finish = asyncio.Event()
    asyncio.run(main())


def test_in_a_request_it_counts_for_all_that_the_request_holds(
    database: FakeDatabase, observed: Observe
) -> None:
    engine = database.engine()
    app = FastAPI()

    @app.get("/export")
    async def export() -> None:
        with engine.connect():
            await asyncio.to_thread(expect_long_hold(600, "export").__enter__)
            seen.extend(limits(observer))

    seen: list[Any] = []
    observer = observed(engine, app=app)
    asyncio.run(call(app, "/export"))
    assert seen == [("GET /export", 600, "export")]


def test_the_reason_is_shown_with_the_hold(database: FakeDatabase, observed: Observe) -> None:
    engine = database.engine()
    observer = observed(engine)
    with engine.connect(), expect_long_hold(600, "nightly export"), engine.connect():
        explained = str(observer.explain())
        assert "meant to last up to 10 min: nightly export" in explained
        assert "2 x unattributed" in explained  # what was held already as well
    with engine.connect():
        assert "meant to last" not in str(observer.explain())


def test_functions_and_generators_may_expect_it(database: FakeDatabase, observed: Observe) -> None:
    engine = database.engine()
    observer = observed(engine)

    @expect_long_hold(600, "export")
    def rows() -> Generator[int, None, None]:
        with engine.connect():
            yield from range(1000)

    steps = rows()
    for _ in range(1000):
        next(steps)
    assert limits(observer) == [("unattributed", 600, "export")]
    assert current_holder.get() is None
    ((claim,), _) = open_claims(observer._ledger)
    depth = 0
    holder: Any = claim.holder
    while holder is not None:
        depth, holder = depth + 1, holder.outer
    assert depth == 1, "each step of the generator expected it again"
    steps.close()


@pytest.mark.parametrize("seconds", [0, -1, math.nan])
def test_a_limit_that_is_none_is_refused(seconds: float) -> None:
    with pytest.raises(ValueError, match="seconds must be more than 0"):
        expect_long_hold(seconds, "export")


@pytest.mark.parametrize("seconds", ["600", None, True])
def test_a_limit_that_is_no_number_is_refused(seconds: Any) -> None:
    with pytest.raises(TypeError, match=r"must be a number, not \w+: expect_long_hold\(600"):
        expect_long_hold(seconds, "export")


@pytest.mark.parametrize(("reason", "error"), [("", ValueError), (None, TypeError)])
def test_a_reason_has_to_be_given(reason: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="a reason"):
        expect_long_hold(600, reason)


def test_it_says_what_it_is() -> None:
    assert repr(expect_long_hold(600, "export")) == 'expect_long_hold(600, "export")'
