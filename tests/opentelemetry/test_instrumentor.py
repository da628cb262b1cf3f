"""`PoolObserverInstrumentor`: engines that say nothing of us are observed."""

from __future__ import annotations

import asyncio
import gc
import weakref
from typing import Any

import fastapi
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import Engine
from sqlalchemy.ext.asyncio import create_async_engine
from starlette.applications import Starlette

from pool_observer import PoolObserver, automatic, observe
from pool_observer.instrumentor import LEAK_AFTER, SPANS_ABOVE, PoolObserverInstrumentor
from pool_observer.watchdog import process_watchdog
from pool_observer.wiring import observers_in_use
from tests.opentelemetry.instrumented import POOL, Instrument, deliver, pools, sqlite
from tests.opentelemetry.told import Told
from tests.support import FakeDatabase, wait_until


def test_every_engine_is_observed(told: Told, instrument: Instrument) -> None:
    before = sqlite()
    instrument()
    engine = sqlite()
    for each in (before, engine):
        with each.connect() as connection:
            connection.execute(text("SELECT 1"))
    deliver()
    assert [span.name for span in told.spans()] == ["pool wait", "connection hold"]
    assert {span.attributes[POOL] for span in told.spans() if span.attributes} == {"sqlite/null"}
    assert pools(told) == {"sqlite/null"}


def test_asyncio_engines_are_too(told: Told, instrument: Instrument) -> None:
    instrument()

    async def use() -> None:
        engine = create_async_engine("sqlite+aiosqlite://")
        async with engine.connect():
            pass
        deliver()
        await engine.dispose()

    asyncio.run(use())
    assert len(told.spans("connection hold")) == 1


def test_engines_that_exist_already_are_observed_when_they_are_named(
    told: Told, instrument: Instrument
) -> None:
    engines = [sqlite() for _ in range(3)]
    instrument(engine=engines[0], engines=engines[1:])
    assert pools(told) == {"sqlite/null", "sqlite/null#2", "sqlite/null#3"}


def test_engines_of_the_same_database_have_names_of_their_own(
    told: Told, instrument: Instrument
) -> None:
    instrument()
    first, second = sqlite(), sqlite()
    assert pools(told) == {"sqlite/null", "sqlite/null#2"}
    del first
    gc.collect()
    third = sqlite()  # and a name that is free is given again
    assert pools(told) == {"sqlite/null", "sqlite/null#2"}
    del second, third


def test_a_second_engine_on_a_pool_is_no_second_pool(told: Told, instrument: Instrument) -> None:
    instrument()
    engine = sqlite()
    again = create_engine("sqlite://", pool=engine.pool)
    with again.connect(), engine.execution_options(isolation_level="AUTOCOMMIT").connect():
        pass
    deliver()
    assert len(told.spans("connection hold")) == 2
    assert pools(told) == {"sqlite/null"}


def test_there_is_an_end_to_it(
    told: Told,
    instrument: Instrument,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(automatic, "MOST_POOLS", 2)
    instrument()
    engines = [sqlite() for _ in range(4)]
    assert len(pools(told)) == 2
    with engines[3].connect():
        pass
    assert [record.getMessage()[:23] for record in caplog.records] == ["2 engines are observed,"]


def test_nothing_of_ours_reaches_who_creates_an_engine(
    instrument: Instrument, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(automatic, "observe", fail)
    instrument()
    try:
        int("password")
    except ValueError:
        first = sqlite()
    for engine in (first, sqlite()):
        with engine.connect() as connection:
            assert connection.scalar(text("SELECT 1")) == 1
    (record,) = caplog.records
    assert "could not follow a new Engine" in record.getMessage()
    assert "ZeroDivisionError" in caplog.text
    assert "password" not in caplog.text


# -- who asks for an observer ------------------------------------------------------------------


def test_a_users_own_observer_takes_the_place(told: Told, instrument: Instrument) -> None:
    instrument()
    engine = sqlite()
    with observe(engine, name="orders") as observer:
        assert observers_in_use() == [observer]
        with engine.connect():
            pass
        deliver()
        assert len(told.spans()) == 2  # OpenTelemetry is told as before
        assert pools(told) == {"orders"}


def test_a_user_may_want_opentelemetry_not_to_be_told(told: Told, instrument: Instrument) -> None:
    instrument()
    engine = sqlite()
    with observe(engine, name="orders", opentelemetry=False):
        with engine.connect():
            pass
        deliver()
        assert told.spans() == []
        assert pools(told) == set()


def test_a_users_settings_are_the_ones_that_count(told: Told, instrument: Instrument) -> None:
    instrument()
    engine = sqlite()
    with observe(engine, name="orders", opentelemetry=told.settings(metrics=False)):
        with engine.connect():
            pass
        deliver()
        assert len(told.spans()) == 2
        assert pools(told) == set()


def test_what_is_refused_leaves_the_engine_observed(told: Told, instrument: Instrument) -> None:
    instrument()
    engine, taken = sqlite(), sqlite()
    with observe(taken, name="orders"):
        with pytest.raises(ValueError, match="already observed"):
            observe(engine, name="orders")
        with pytest.raises(TypeError):
            observe(engine, registry="mine")  # type: ignore[arg-type]
        assert pools(told) == {"orders", "sqlite/null"}


def test_an_observer_that_is_told_of_goes_with_its_engine(
    told: Told, instrument: Instrument
) -> None:
    instrument()

    def observe_and_forget() -> weakref.ref[PoolObserver]:
        return weakref.ref(observe(sqlite(), name="orders"))

    observer = observe_and_forget()
    gc.collect()
    assert observer() is None
    assert pools(told) == set()


def test_a_name_that_a_user_wants_is_given_up(told: Told, instrument: Instrument) -> None:
    instrument()
    first, second = sqlite(), sqlite()
    with observe(second, name="sqlite/null"):
        assert pools(told) == {"sqlite/null", "sqlite/null#2"}
        by_name = {observer.name: observer for observer in observers_in_use()}
        assert by_name["sqlite/null"].observes(second.pool)
        assert by_name["sqlite/null#2"].observes(first.pool)


# -- the end -----------------------------------------------------------------------------------


def test_uninstrument_leaves_nothing_behind(told: Told, instrument: Instrument) -> None:
    classes = (Engine, fastapi.FastAPI, Starlette)
    before = [made.__dict__["__init__"] for made in classes]
    instrumentor = instrument()
    assert [made.__dict__["__init__"] for made in classes] != before
    engine = sqlite()
    app = fastapi.FastAPI()
    own_engine = sqlite()
    own = observe(own_engine, name="orders")
    with engine.connect():
        instrumentor.uninstrument()
    assert [made.__dict__["__init__"] for made in classes] == before
    assert "connect" not in engine.pool.__dict__
    assert "build_middleware_stack" not in app.__dict__
    assert process_watchdog.watched() == [own]
    count = len(told.spans())
    for each in (engine, own_engine, sqlite()):
        with each.connect():
            pass
    deliver()
    assert len(told.spans()) == count
    assert own.snapshot().totals.holders["unattributed"].checkouts == 1
    assert pools(told) == set()
    own.close()
    wait_until(lambda: process_watchdog.watched() == [])


def test_it_can_be_done_again(told: Told, instrument: Instrument) -> None:
    instrument().uninstrument()
    instrument()
    with sqlite().connect():
        pass
    deliver()
    assert len(told.spans()) == 2


def test_what_another_has_put_around_ours_still_works(
    told: Told, instrument: Instrument, monkeypatch: pytest.MonkeyPatch
) -> None:
    instrumentor = instrument()
    ours = Engine.__init__

    def around(*args: Any, **kwargs: Any) -> None:
        ours(*args, **kwargs)

    monkeypatch.setattr(Engine, "__init__", around)
    instrumentor.uninstrument()
    with sqlite().connect():
        deliver()
    assert (told.spans(), observers_in_use()) == ([], [])
    monkeypatch.undo()
    # Ours stands there again, as the other tool has put it back; it does nothing.
    with sqlite().connect():
        assert observers_in_use() == []
    Engine.__init__ = ours.__wrapped__  # type: ignore[attr-defined, method-assign]


# -- settings ----------------------------------------------------------------------------------


def test_settings_come_from_the_environment(
    database: FakeDatabase, instrument: Instrument, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SPANS_ABOVE, "2.5")
    monkeypatch.setenv(LEAK_AFTER, "7")
    instrument(spans_above=None)
    engine = database.engine()
    automatic = PoolObserverInstrumentor()._automatic
    assert automatic is not None
    assert automatic._settings.spans_above == 2.5
    (observer,) = observers_in_use()
    with engine.connect():
        (hold,) = observer.snapshot().open_holds
        assert hold.limit_seconds == 7


@pytest.mark.parametrize("written", ["soon", "-1", "nan"])
def test_what_the_environment_says_wrongly_is_said_and_ignored(
    instrument: Instrument,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    written: str,
) -> None:
    monkeypatch.setenv(SPANS_ABOVE, written)
    instrument(spans_above=None)
    automatic = PoolObserverInstrumentor()._automatic
    assert automatic is not None
    assert automatic._settings.spans_above == 0.1
    (record,) = caplog.records
    assert SPANS_ABOVE in record.getMessage()
