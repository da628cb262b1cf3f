"""Two-phase transactions: prepared on one connection, and perhaps ended on another."""

from __future__ import annotations

from sqlalchemy import Connection, text

from pool_observer.model import Activity
from tests.databases.case import Case
from tests.databases.drivers import AIOMYSQL, PSYCOPG, PSYCOPG2, PSYCOPG_ASYNC, PYMYSQL
from tests.databases.on import on

EXECUTING, IN_TRANSACTION, IDLE = Activity.EXECUTING, Activity.IN_TRANSACTION, Activity.IDLE

ON_POSTGRESQL = (PSYCOPG, PSYCOPG_ASYNC, PSYCOPG2)  # asyncpg's dialect has no two-phase
EVERY = (*ON_POSTGRESQL, AIOMYSQL, PYMYSQL)


def _executing_ns(case: Case) -> int:
    return case.hold.executing_ns


@on(*EVERY)
def test_prepare_and_commit_end_idle(case: Case) -> None:
    with case.engine.connect() as connection:
        transaction = connection.begin_twophase()
        connection.execute(text("SELECT 1"))
        assert case.activity is IN_TRANSACTION
        begun = _executing_ns(case)
        transaction.prepare()
        assert case.activity is IN_TRANSACTION
        prepared = _executing_ns(case)
        assert case.hold.committed_after_ns is None
        transaction.commit()
        assert case.activity is IDLE
        assert begun < prepared < _executing_ns(case)
        assert case.hold.committed_after_ns is not None


@on(*EVERY)
def test_prepare_and_rollback_end_idle(case: Case) -> None:
    with case.engine.connect() as connection:
        transaction = connection.begin_twophase()
        connection.execute(text("SELECT 1"))
        transaction.prepare()
        prepared = _executing_ns(case)
        transaction.rollback()
        assert case.activity is IDLE
        assert _executing_ns(case) > prepared
        assert case.hold.committed_after_ns is None


@on(*EVERY)
def test_commit_without_prepare_ends_idle(case: Case) -> None:
    with case.engine.connect() as connection:
        with connection.begin_twophase():
            connection.execute(text("SELECT 1"))
        assert case.activity is IDLE


@on(*EVERY)
def test_rollback_without_prepare_ends_idle(case: Case) -> None:
    with case.engine.connect() as connection:
        transaction = connection.begin_twophase()
        connection.execute(text("SELECT 1"))
        transaction.rollback()
        assert case.activity is IDLE


@on(*EVERY)
def test_closing_the_connection_rolls_back(case: Case) -> None:
    with case.engine.connect() as connection:
        connection.begin_twophase()
        connection.execute(text("SELECT 1"))
    [hold] = case.holds
    assert hold.activity is IDLE


@on(*EVERY, pool_size=1, max_overflow=0)
def test_an_ordinary_transaction_may_follow(case: Case) -> None:
    for _ in range(2):
        with case.engine.connect() as connection:
            transaction = connection.begin_twophase()
            connection.execute(text("SELECT 1"))
            transaction.prepare()
            transaction.commit()
            assert case.activity is IDLE
            assert connection.scalar(text("SELECT 1")) == 1
            assert case.activity is IN_TRANSACTION
            connection.commit()
            assert case.activity is IDLE


@on(*ON_POSTGRESQL)
def test_a_prepared_transaction_may_be_recovered_on_another_connection(case: Case) -> None:
    with case.engine.connect() as connection:
        transaction = connection.begin_twophase("abandoned")
        connection.execute(text("SELECT 1"))
        transaction.prepare()
        connection.invalidate()
    with case.engine.connect() as connection:
        _recover(connection, "abandoned")
        assert case.activity is IDLE
        assert case.hold.executing_ns > 0
        assert connection.scalar(text("SELECT count(*) FROM pg_prepared_xacts")) == 0


def _recover(connection: Connection, xid: str) -> None:
    assert xid in connection.recover_twophase()
    connection.rollback()  # the one that looking began
    connection.commit_prepared(xid, recover=True)
