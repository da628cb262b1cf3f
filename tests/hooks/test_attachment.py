from __future__ import annotations

import gc
import logging
import weakref
from typing import Any

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.pool import (
    AssertionPool,
    NullPool,
    Pool,
    QueuePool,
    SingletonThreadPool,
    StaticPool,
)
from sqlalchemy.pool.base import _ConnectionFairy

from pool_observer.hooks import attachment
from pool_observer.hooks.attachment import root_engine
from tests.support import FakeDatabase, observer_of

POOLS = [QueuePool, NullPool, StaticPool, SingletonThreadPool, AssertionPool]


class TeamPool(QueuePool):
    """A pool of somebody's own."""


POOL_EVENTS = [
    "checkin",
    "checkout",
    "close",
    "close_detached",
    "connect",
    "detach",
    "invalidate",
    "reset",
    "soft_invalidate",
]


def traces(engine: Engine) -> dict[str, object]:
    """Everything an observer might leave on an engine."""
    pool = engine.pool
    return {
        "pool": {name: value for name, value in pool.__dict__.items() if callable(value)},
        "dialect": {name for name in engine.dialect.__dict__ if name.startswith("do_")},
        "listeners": {name: len(list(getattr(pool.dispatch, name))) for name in POOL_EVENTS},
    }


@pytest.mark.parametrize("poolclass", [*POOLS, TeamPool])
def test_closing_leaves_nothing_behind(database: FakeDatabase, poolclass: type[Pool]) -> None:
    engine = database.engine(poolclass=poolclass, pool_pre_ping=True)
    before = traces(engine)
    observer = observer_of(engine)
    assert traces(engine) != before
    with engine.connect() as connection:
        connection.execute(text("SELECT 1"))
    observer.close()
    assert traces(engine) == before


def test_closing_leaves_nothing_on_a_pool_that_was_recreated(database: FakeDatabase) -> None:
    engine = database.engine()
    before = traces(engine)["listeners"]
    observer = observer_of(engine)
    held = engine.connect()
    first = engine.pool
    engine.dispose()
    observer.close()
    assert traces(engine)["listeners"] == before
    assert {"connect", "recreate"}.isdisjoint(engine.pool.__dict__)
    assert {"connect", "recreate"}.isdisjoint(first.__dict__)
    engine.dispose()
    assert {"connect", "recreate"}.isdisjoint(engine.pool.__dict__)
    held.close()


def test_an_override_on_top_of_ours_survives_our_leaving(database: FakeDatabase) -> None:
    engine = database.engine()
    observer = observer_of(engine)
    ours = engine.pool.connect
    calls: list[int] = []

    def theirs() -> Any:
        calls.append(1)
        return ours()

    engine.pool.connect = theirs  # type: ignore[method-assign]
    observer.close()
    engine.connect().close()
    assert calls == [1]
    assert observer.snapshot().used == 0


def test_an_override_below_ours_is_called_and_put_back(database: FakeDatabase) -> None:
    engine = database.engine()
    original = engine.pool.connect
    calls: list[int] = []

    def theirs() -> Any:
        calls.append(1)
        return original()

    engine.pool.connect = theirs  # type: ignore[method-assign]
    with observer_of(engine) as observer, engine.connect():
        assert observer.snapshot().used == 1
    assert calls == [1]
    assert engine.pool.__dict__["connect"] is theirs


def test_a_pool_that_was_replaced_goes_away_at_once(database: FakeDatabase) -> None:
    engine = database.engine()
    gc.disable()  # without us it does not take the garbage collector either
    try:
        with observer_of(engine):
            engine.connect().close()
            first = weakref.ref(engine.pool)
            engine.dispose()
            assert first() is None
    finally:
        gc.enable()


def test_connecting_to_a_pool_that_was_just_replaced_takes_the_new_one(
    database: FakeDatabase,
) -> None:
    engine = database.engine()
    with observer_of(engine) as observer:
        connect = engine.pool.connect  # looked up by one thread ...
        engine.dispose()  # ... while another disposes of the pool
        gc.collect()
        proxy = connect()
        assert observer.snapshot().used == 1
        proxy.close()
        assert observer.snapshot().used == 0


def test_a_pool_of_somebodys_own_is_observed_as_what_it_is(database: FakeDatabase) -> None:
    engine = database.engine(poolclass=TeamPool)
    with observer_of(engine) as observer, engine.connect():
        state = observer.snapshot()
        assert (state.used, state.max, state.drift) == (1, 15, 0)
        assert type(engine.pool) is TeamPool


def test_the_engine_behind_options_is_found(database: FakeDatabase) -> None:
    engine = database.engine()
    assert root_engine(engine.execution_options().execution_options()) is engine


def test_an_unknown_sqlalchemy_is_observed_as_far_as_it_goes(
    database: FakeDatabase, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    real_hasattr = hasattr

    def lacks_records(owner: object, name: str) -> bool:
        return real_hasattr(owner, name) and not (
            owner is _ConnectionFairy and name == "_connection_record"
        )

    monkeypatch.setattr(attachment, "hasattr", lacks_records, raising=False)
    engine = database.engine(pool_size=1, max_overflow=0, pool_timeout=0)
    with caplog.at_level(logging.WARNING, "pool_observer"), observer_of(engine) as observer:
        with engine.connect() as connection:
            connection.execute(text("SELECT 1"))
            state = observer.snapshot()
            assert (state.used, state.waiting, state.drift) == (1, 0, 0)
            assert state.open_holds[0].call_site is not None
        assert observer.snapshot().used == 0
    assert len(caplog.records) == 1
    assert "lacks _ConnectionFairy._connection_record" in caplog.text


def test_a_sqlalchemy_without_a_hook_says_which_figures_are_missing(
    database: FakeDatabase, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    engine = database.engine()
    monkeypatch.delattr(engine.pool, "_invoke_creator")
    engine.pool._invoke_creator = None  # type: ignore[assignment]
    del engine.pool.__dict__["_invoke_creator"]
    with caplog.at_level(logging.WARNING, "pool_observer"), observer_of(engine):
        pass
    assert "lacks Pool._invoke_creator" in caplog.text
