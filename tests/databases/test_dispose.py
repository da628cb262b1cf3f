"""`engine.dispose()` replaces the pool, whoever holds what of the old one."""

from __future__ import annotations

from sqlalchemy import Engine, text
from sqlalchemy.pool import NullPool
from sqlalchemy.util import greenlet_spawn

from pool_observer.model import Activity, Ending, Outcome
from tests.databases.case import Case
from tests.databases.drivers import ASYNC, EVERY, SQLITE
from tests.databases.on import on


def use(engine: Engine) -> None:
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT 1")) == 1


@on(*EVERY)
def test_what_rests_is_closed_and_what_follows_is_observed(case: Case) -> None:
    use(case.engine)
    case.engine.dispose()
    state = case.state()
    assert (state.used, state.idle, state.drift) == (0, 0, 0)
    assert state.totals.connections_closed == 1
    use(case.engine)
    assert case.state().idle == 1
    assert len(case.holds) == 2
    assert [wait.connect_ns > 0 for wait in case.waits] == [True, True]


@on(*EVERY)
def test_holders_of_the_old_pool_are_used_but_do_not_fill_the_new_one(case: Case) -> None:
    old_pool = case.engine.pool
    with case.engine.connect() as old:
        old.execute(text("SELECT 1"))
        case.engine.dispose()
        with case.engine.connect() as new:
            state = case.state()
            assert (state.used, state.drift) == (2, 0)
            assert state.max is not None
            assert state.utilization == 1 / state.max
            assert old.scalar(text("SELECT 1")) == 1
            new.execute(text("SELECT 1"))
            new.commit()
            activities = [hold.activity for hold in case.state().open_holds]
            assert activities == [Activity.IN_TRANSACTION, Activity.IDLE]
        assert case.state().used == 1
        old.commit()
        assert case.activity is Activity.IDLE
    state = case.state()
    assert (state.used, state.idle, state.drift) == (0, 1, 0)
    assert [hold.ending for hold in case.holds] == [Ending.CHECKIN] * 2
    old_pool.dispose()  # where the other one rests, which nobody else would close


@on(*EVERY)
def test_without_closing_connections_the_pool_is_replaced_all_the_same(case: Case) -> None:
    """It is how a forked child leaves its parent's connections alone."""
    resting = case.engine.pool
    use(case.engine)
    case.engine.dispose(close=False)
    assert case.engine.pool is not resting
    assert case.state().totals.connections_closed == 0
    with case.engine.connect() as connection:
        connection.execute(text("SELECT 1"))
        assert case.activity is Activity.IN_TRANSACTION
        assert (case.state().used, case.state().drift) == (1, 0)
    assert len(case.holds) == 2
    resting.dispose()  # what we did not close above


@on(*EVERY)
def test_disposing_of_an_engine_that_borrows_the_pool(case: Case) -> None:
    borrower = case.engine.execution_options(isolation_level="AUTOCOMMIT")
    use(borrower)
    borrower.dispose()
    use(borrower)
    use(case.engine)
    assert len(case.holds) == 3
    assert case.state().drift == 0


@on(*EVERY)
def test_disposing_again_and_again(case: Case) -> None:
    for _ in range(5):
        use(case.engine)
        case.engine.dispose()
    assert len(case.holds) == len(case.waits) == 5
    totals = case.state().totals
    assert totals.connections_opened == totals.connections_closed == 5


@on(*ASYNC)
async def test_disposing_of_an_async_engine_with_a_holder(case: Case) -> None:
    engine = case.async_engine
    old_pool = engine.pool
    async with engine.connect() as old:
        await engine.dispose()
        async with engine.connect() as new:
            assert await old.scalar(text("SELECT 1")) == 1
            assert await new.scalar(text("SELECT 1")) == 1
            assert (case.state().used, case.state().drift) == (2, 0)
    assert [hold.ending for hold in case.holds] == [Ending.CHECKIN] * 2
    await greenlet_spawn(old_pool.dispose)


@on(*EVERY, poolclass=NullPool)
def test_without_a_pool_every_wait_is_a_connect(case: Case) -> None:
    for _ in range(2):
        with case.engine.connect() as one, case.engine.connect() as other:
            one.execute(text("SELECT 1"))
            assert other.scalar(text("SELECT 1")) == 1
            state = case.state()
            assert (state.used, state.idle, state.max, state.utilization) == (2, 0, None, None)
            assert state.drift is None  # such a pool keeps no count to compare with
        assert (case.state().used, case.state().idle) == (0, 0)
    case.engine.dispose()
    use(case.engine)
    assert {wait.outcome for wait in case.waits} == {Outcome.ACQUIRED}
    assert all(wait.connect_ns > 0 for wait in case.waits)
    assert len(case.holds) == 5
    pids = case.driver.backend is not SQLITE
    assert all((hold.backend_pid is not None) is pids for hold in case.holds)
    totals = case.state().totals
    assert totals.connections_opened == totals.connections_closed == 5
