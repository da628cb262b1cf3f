from __future__ import annotations

import asyncio
import math
from typing import Any

import pytest
from sqlalchemy import create_engine
from sqlalchemy.ext.asyncio import create_async_engine

from pool_observer import PoolObserver, observe
from tests.conftest import Observe
from tests.support import FakeDatabase


@pytest.mark.parametrize("engine", ["x", None, 1, object()], ids=str)
def test_what_is_no_engine_is_refused(engine: Any) -> None:
    with pytest.raises(TypeError, match=r"takes what create_engine\(\) or create_async_engine\(\)"):
        observe(engine)


def test_observing_twice_is_refused_with_the_mend(
    database: FakeDatabase, observed: Observe
) -> None:
    engine = database.engine()
    observed(engine, name="orders")
    with pytest.raises(
        ValueError, match=r'pool "orders" is already observed; close\(\) the first observer'
    ):
        observed(engine)
    engine.dispose()
    with pytest.raises(ValueError, match="already observed"):
        observed(engine, name="another")


def test_an_observer_that_is_closed_makes_room_for_another(
    database: FakeDatabase, observed: Observe
) -> None:
    engine = database.engine()
    for _ in range(3):
        with observed(engine, name="orders"), engine.connect():
            pass


def test_two_pools_of_one_name_are_refused_with_the_mend(
    database: FakeDatabase, observed: Observe
) -> None:
    first, second = database.engine(), database.engine()
    observed(first, name="orders")
    with pytest.raises(ValueError, match=r'a pool named "orders" .* observe\(engine, name="..."\)'):
        observed(second, name="orders")


def test_a_dropped_engine_gives_its_name_back(database: FakeDatabase, observed: Observe) -> None:
    for _ in range(5):
        engine = database.engine()
        observe(engine, name="orders")
        del engine
    observed(database.engine(), name="orders")


@pytest.mark.parametrize("name", ["", "   ", "two\nlines", "bell\a", "x" * 201])
def test_a_bad_name_is_refused(database: FakeDatabase, observed: Observe, name: str) -> None:
    with pytest.raises(ValueError, match="printable characters on one line"):
        observed(database.engine(), name=name)


def test_a_name_that_is_no_string_is_refused(database: FakeDatabase, observed: Observe) -> None:
    with pytest.raises(TypeError, match="name must be a string, not int"):
        observed(database.engine(), name=5)


@pytest.mark.parametrize("seconds", [-1, math.nan, "30", None, True])
def test_a_bad_leak_limit_is_refused(
    database: FakeDatabase, observed: Observe, seconds: object
) -> None:
    with pytest.raises(ValueError, match="leak_after must be a number of seconds, 0 or more"):
        observed(database.engine(), leak_after=seconds)


@pytest.mark.parametrize("limit", [-1, 0, 2.5, "200", True])
def test_a_bad_holder_limit_is_refused(
    database: FakeDatabase, observed: Observe, limit: object
) -> None:
    with pytest.raises(ValueError, match="holder_limit must be a whole number, 1 or more"):
        observed(database.engine(), holder_limit=limit)


@pytest.mark.parametrize("callers", ["app.db", [1], [""]])
def test_bad_callers_to_skip_are_refused(
    database: FakeDatabase, observed: Observe, callers: object
) -> None:
    with pytest.raises(TypeError, match="skip_callers takes"):
        observed(database.engine(), skip_callers=callers)


def test_a_refused_engine_is_left_untouched(database: FakeDatabase, observed: Observe) -> None:
    engine = database.engine()
    before = set(engine.pool.__dict__)
    with pytest.raises(ValueError, match="leak_after"):
        observed(engine, leak_after=-1)
    assert set(engine.pool.__dict__) == before
    observed(engine, name="orders")


def test_an_async_engine_is_observed_through_its_sync_engine(observed: Observe) -> None:
    async def main() -> None:
        engine = create_async_engine("sqlite+aiosqlite:///:memory:")
        observer = observed(engine, name="orders")
        async with engine.connect():
            assert observer.snapshot().used == 1
        assert observer.snapshot().used == 0
        await engine.dispose()

    asyncio.run(main())


def test_the_default_name_is_taken_from_the_url(observed: Observe) -> None:
    observer = observed(create_engine("sqlite:////var/lib/shop/orders.db"))
    assert isinstance(observer, PoolObserver)
    assert observer.name == "sqlite/orders.db"
