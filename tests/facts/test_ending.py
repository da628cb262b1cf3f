"""Facts about how holds end, and how they do not."""

from __future__ import annotations

import asyncio
import gc
import weakref
from typing import Any

import pytest
from sqlalchemy import create_engine, event, text
from sqlalchemy.exc import SAWarning
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool, QueuePool, SingletonThreadPool, StaticPool

from pool_observer import Ending, Outcome
from pool_observer.settled import Settled
from tests.postgres import Postgres
from tests.support import FakeDatabase, RecordingListener, observer_of


def test_fact_04_detach_ends_the_hold_and_no_check_in_follows(database: FakeDatabase) -> None:
    engine = database.engine()
    checkins: list[object] = []
    event.listen(engine, "checkin", lambda *_: checkins.append(1))
    with observer_of(engine) as observer:
        with engine.connect() as connection:
            connection.detach()
            assert observer.snapshot().used == 0
        assert checkins == []
        (totals,) = observer.snapshot().totals.holders.values()
        assert totals.returns == {Ending.CHECKIN: 0, Ending.DETACHED: 1, Ending.LOST: 0}


def test_fact_04_invalidating_a_record_closes_the_connection_before_the_hold_ends(
    database: FakeDatabase,
) -> None:
    engine = database.engine()
    with observer_of(engine) as observer:
        proxy = engine.raw_connection()
        proxy._connection_record.invalidate()
        state = observer.snapshot()
        assert state.totals.connections_invalidated == 1
        assert state.totals.connections_closed == 1
        assert state.used == 1
        proxy.close()
        state = observer.snapshot()
        assert (state.used, state.drift) == (0, 0)
        assert state.totals.holders["unattributed"].returns[Ending.CHECKIN] == 1


def test_fact_05_an_async_connection_left_to_the_garbage_collector_is_lost(
    postgres: Postgres,
) -> None:
    async def main() -> None:
        engine = create_async_engine(postgres.url("asyncpg"))
        checkins: list[object] = []
        event.listen(engine.sync_engine, "checkin", lambda *_: checkins.append(1))
        with observer_of(engine.sync_engine) as observer:
            connection = await engine.connect()
            assert observer.snapshot().used == 1
            with pytest.warns(SAWarning, match="garbage collector"):
                del connection
                gc.collect()
            state = observer.snapshot()
            assert checkins == []
            assert (state.used, state.drift) == (0, 0)
            assert state.totals.holders["unattributed"].returns[Ending.LOST] == 1
        await engine.dispose()

    asyncio.run(main())


def test_fact_07_a_reconnected_record_gets_its_backend_pid_anew(postgres: Postgres) -> None:
    engine = create_engine(postgres.url("psycopg"), pool_size=1, max_overflow=0)
    with observer_of(engine) as observer:
        pids = set()
        for _ in range(3):
            with engine.connect() as connection:
                pid = connection.scalar(text("SELECT pg_backend_pid()"))
                (hold,) = observer.snapshot().open_holds
                assert hold.backend_pid == pid
                pids.add(pid)
                connection.invalidate()  # empties the record's info, and keeps the record
        assert len(pids) == 3
    engine.dispose()


def test_fact_07_objects_that_reuse_an_address_are_not_mistaken_for_each_other(
    database: FakeDatabase,
) -> None:
    # With NullPool each record is garbage after its check-in, and the next takes its place.
    engine = database.engine(poolclass=NullPool)
    with observer_of(engine) as observer:
        addresses: set[int] = set()
        for _ in range(100):
            proxy = engine.raw_connection()
            addresses.add(id(proxy._connection_record))
            assert observer.snapshot().used == 1
            proxy.close()
            assert observer.snapshot().used == 0
        assert len(addresses) < 100
        assert observer.snapshot().totals.holders["unattributed"].checkouts == 100


def test_fact_10_an_observer_attached_to_a_busy_engine_knows_of_what_it_never_saw(
    database: FakeDatabase,
) -> None:
    engine = database.engine()
    returned, detached, invalidated = engine.connect(), engine.connect(), engine.connect()
    with observer_of(engine) as observer:
        state = observer.snapshot()
        assert (state.used, state.unseen, len(state.open_holds), state.drift) == (3, 3, 0, 0)
        seen = engine.connect()
        returned.close()
        state = observer.snapshot()
        assert (state.used, state.unseen, len(state.open_holds), state.drift) == (3, 2, 1, 0)
        detached.detach()
        invalidated.invalidate()
        seen.close()
        state = observer.snapshot()
        assert (state.used, state.unseen, state.drift) == (0, 0, 0)
        assert state.totals.holders["unattributed"].checkouts == 1
    detached.close()


def test_fact_12_the_garbage_collector_may_check_in_while_we_settle(
    database: FakeDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = database.engine()
    with observer_of(engine) as observer:
        lost = [engine.raw_connection()]
        count = observer._ledger._settle

        def collect_garbage_in_the_middle(*arguments: Any) -> Settled:
            lost.clear()
            gc.collect()
            return count(*arguments)

        monkeypatch.setattr(observer._ledger, "_settle", collect_garbage_in_the_middle)
        assert observer.snapshot().totals.holders["unattributed"].returns[Ending.LOST] == 1


def test_fact_14d_a_sync_connection_left_to_the_garbage_collector_is_lost(
    database: FakeDatabase,
) -> None:
    engine = database.engine()
    checkins: list[object] = []
    event.listen(engine, "checkin", lambda *_: checkins.append(1))
    with observer_of(engine) as observer:
        engine.connect().close()
        connection = engine.connect()
        watch = weakref.ref(connection)
        del connection
        gc.collect()
        assert watch() is None
        assert len(checkins) == 2  # SQLAlchemy's events look the same
        (totals,) = observer.snapshot().totals.holders.values()
        assert totals.returns == {Ending.CHECKIN: 1, Ending.DETACHED: 0, Ending.LOST: 1}


def test_fact_14g_static_pool_proxies_are_held_and_returned_one_by_one(
    database: FakeDatabase,
) -> None:
    engine = database.engine(poolclass=StaticPool)
    checkins: list[object] = []
    event.listen(engine, "checkin", lambda *_: checkins.append(1))
    listener = RecordingListener()
    with observer_of(engine) as observer:
        observer.subscribe(listener)
        first, second, third = engine.connect(), engine.connect(), engine.connect()
        assert observer.snapshot().used == 3
        first.close()
        assert observer.snapshot().used == 2
        second.close()
        assert checkins == [1]
        assert observer.snapshot().used == 1
        del third
        gc.collect()
        assert observer.snapshot().used == 0
        observer.deliver()
        assert [hold.ending for hold in listener.holds] == [
            Ending.CHECKIN,
            Ending.CHECKIN,
            Ending.LOST,
        ]


def test_fact_14g_a_nested_connect_of_a_thread_is_one_hold_and_no_second_wait(
    database: FakeDatabase,
) -> None:
    engine = database.engine(poolclass=SingletonThreadPool)
    checkouts: list[object] = []
    event.listen(engine, "checkout", lambda *_: checkouts.append(1))
    with observer_of(engine) as observer:
        with engine.connect():
            with engine.connect():
                assert observer.snapshot().used == 1
            assert checkouts == [1]
            assert observer.snapshot().used == 1
        state = observer.snapshot()
        assert (state.used, state.waiting) == (0, 0)
        (totals,) = state.totals.holders.values()
        assert totals.checkouts == 1
        assert totals.waits[Outcome.ACQUIRED] == 1


def test_fact_14g_null_pool_closes_after_the_check_in(database: FakeDatabase) -> None:
    engine = database.engine(poolclass=NullPool)
    with observer_of(engine) as observer:
        with engine.connect():
            assert observer.snapshot().totals.connections_closed == 0
        state = observer.snapshot()
        assert (state.used, state.idle) == (0, 0)
        assert state.totals.connections_opened == state.totals.connections_closed == 1


def test_fact_14g_a_file_database_of_sqlite_has_a_queue_pool(tmp_path: Any) -> None:
    engine = create_engine(f"sqlite:///{tmp_path}/x.db")
    assert type(engine.pool) is QueuePool
    with observer_of(engine) as observer, engine.connect():
        assert observer.snapshot().max == 15
    engine.dispose()


def test_fact_14j_a_statement_that_is_cancelled_ends_the_hold(postgres: Postgres) -> None:
    async def main() -> None:
        engine = create_async_engine(postgres.url("asyncpg"))
        with observer_of(engine.sync_engine) as observer:

            async def ask() -> None:
                async with engine.connect() as connection:
                    await connection.execute(text("SELECT pg_sleep(60)"))

            task = asyncio.create_task(ask())
            while not any(hold.activity == "executing" for hold in observer.snapshot().open_holds):
                await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            state = observer.snapshot()
            assert (state.used, state.waiting, state.drift) == (0, 0, 0)
            assert state.totals.holders["unattributed"].returns[Ending.CHECKIN] == 1
            assert state.totals.connections_invalidated == 1
        await engine.dispose()

    asyncio.run(main())
