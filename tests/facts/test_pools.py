"""Facts about what pools say of themselves, and about engines that share one."""

from __future__ import annotations

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.pool import AssertionPool, NullPool, Pool, SingletonThreadPool, StaticPool

from pool_observer import Activity
from tests.conftest import Observe
from tests.support import FakeDatabase, observer_of


def test_fact_09_an_unused_pool_has_nothing_used_whatever_overflow_says(
    database: FakeDatabase,
) -> None:
    engine = database.engine(pool_size=4, max_overflow=3)
    engine.dispose()
    assert engine.pool.overflow() == -4  # type: ignore[attr-defined]
    with observer_of(engine) as observer:
        state = observer.snapshot()
        assert (state.used, state.idle, state.max, state.utilization) == (0, 0, 7, 0.0)


@pytest.mark.parametrize("poolclass", [NullPool, StaticPool, SingletonThreadPool])
def test_fact_09_a_pool_without_a_size_has_no_limit(
    database: FakeDatabase, poolclass: type[Pool]
) -> None:
    engine = database.engine(poolclass=poolclass)
    with observer_of(engine) as observer, engine.connect():
        state = observer.snapshot()
        assert (state.used, state.max, state.utilization, state.drift) == (1, None, None, None)
        assert "1 used, 0 idle, 0 waiting, unlimited" in repr(observer)


def test_fact_09_an_assertion_pool_hands_out_one(database: FakeDatabase) -> None:
    engine = database.engine(poolclass=AssertionPool)
    with observer_of(engine) as observer, engine.connect():
        state = observer.snapshot()
        assert (state.used, state.max, state.utilization) == (1, 1, 1.0)


def test_fact_09_an_unlimited_queue_pool_has_no_limit(database: FakeDatabase) -> None:
    engine = database.engine(max_overflow=-1)
    with observer_of(engine) as observer:
        assert observer.snapshot().max is None


@pytest.mark.parametrize("leave", ["detach", "invalidate"])
def test_fact_09_a_record_without_a_connection_is_not_an_idle_connection(
    database: FakeDatabase, leave: str
) -> None:
    engine = database.engine()
    engine.dispose()
    with observer_of(engine) as observer:
        connection = engine.connect()
        getattr(connection, leave)()
        assert engine.pool.checkedin() == 1  # type: ignore[attr-defined]
        assert observer.snapshot().idle == 0
        connection.close()


def test_fact_11_engines_with_options_share_the_pool_and_are_seen(database: FakeDatabase) -> None:
    engine = database.engine()
    options = engine.execution_options(isolation_level="AUTOCOMMIT")
    with observer_of(options) as observer:
        with engine.connect() as one, options.connect() as two:
            one.execute(text("SELECT 1"))
            two.execute(text("SELECT 1"))
            activities = [hold.activity for hold in observer.snapshot().open_holds]
            assert activities == [Activity.IN_TRANSACTION, Activity.IDLE]
        options.dispose()
        with engine.connect():
            assert observer.snapshot().used == 1


def test_fact_11_an_option_engine_and_its_engine_are_one_to_observe(
    database: FakeDatabase, observed: Observe
) -> None:
    engine = database.engine()
    observed(engine, name="orders")
    with pytest.raises(ValueError, match='pool "orders" is already observed'):
        observed(engine.execution_options(), name="other")


def test_fact_11_a_second_engine_on_the_pool_is_seen_with_its_statements(
    database: FakeDatabase,
) -> None:
    engine = database.engine()
    with observer_of(engine) as observer:
        second = create_engine(
            "sqlite:///nothing.db", module=engine.dialect.dbapi, pool=engine.pool
        )
        assert second.dialect is not engine.dialect
        observer.tick()
        with engine.connect() as one, second.connect() as two:
            one.execute(text("SELECT 1"))
            two.execute(text("SELECT 1"))
            activities = [hold.activity for hold in observer.snapshot().open_holds]
            assert activities == [Activity.IN_TRANSACTION, Activity.IN_TRANSACTION]
    assert "do_execute" not in second.dialect.__dict__
