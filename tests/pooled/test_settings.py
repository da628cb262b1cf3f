"""What drivers keep on the server between transactions, where the next one may be elsewhere."""

from __future__ import annotations

import re
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from tests.databases.case import Case
from tests.databases.drivers import ASYNCPG, ON_POSTGRESQL, PSYCOPG, PSYCOPG_ASYNC
from tests.pooled.swapping import OFTEN, execute_often, swap_servers
from tests.pooled.through import through_pgbouncer

PREPARED = text("SELECT name FROM pg_prepared_statements")
MISSING = re.compile("prepared statement .* does not exist")
TAKEN = re.compile("prepared statement .* already exists")


@through_pgbouncer(*ON_POSTGRESQL)
def test_the_settings_of_the_documentation_are_right(case: Case) -> None:
    with case.engine.connect() as first, case.engine.connect() as second:
        for _ in range(3):
            swap_servers(first, second)
        for connection in (first, second):
            assert connection.scalars(PREPARED).all() == []


@through_pgbouncer(*ON_POSTGRESQL, isolation_level="AUTOCOMMIT")
def test_they_are_right_without_transactions(case: Case) -> None:
    with case.engine.connect() as first, case.engine.connect() as second:
        for number, connection in enumerate((first, second, first, second)):
            execute_often(connection, number)
            assert connection.scalars(PREPARED).all() == []


@through_pgbouncer(*ON_POSTGRESQL, poolclass=NullPool)
def test_they_are_right_without_a_pool_of_ours(case: Case) -> None:
    for _ in range(3):
        with case.engine.connect() as first, case.engine.connect() as second:
            swap_servers(first, second)


@through_pgbouncer(ASYNCPG, connect_args={})
def test_asyncpgs_defaults_are_wrong(case: Case) -> None:
    with (
        case.engine.connect() as first,
        case.engine.connect() as second,
        pytest.raises(DBAPIError, match=MISSING),
    ):
        swap_servers(first, second)


@through_pgbouncer(PSYCOPG, PSYCOPG_ASYNC, connect_args={}, settings={"default_pool_size": 1})
def test_psycopgs_defaults_are_wrong(case: Case) -> None:
    with case.engine.connect() as first, case.engine.connect() as second:
        execute_often(first, 1)
        first.commit()
        with pytest.raises(DBAPIError, match=TAKEN):
            execute_often(second, 2)


@through_pgbouncer(PSYCOPG, PSYCOPG_ASYNC, connect_args={})
def test_psycopgs_defaults_may_even_answer_what_somebody_else_has_asked(case: Case) -> None:
    with case.engine.connect() as first, case.engine.connect() as second:
        for _ in range(OFTEN):
            first.execute(text("SELECT 'first'"))
            second.execute(text("SELECT 'second'"))
        first.commit()
        second.commit()  # so that its server is the next to be used
        assert first.scalar(text("SELECT 'first'")) == "second"


def unique() -> str:
    return f"__{uuid4()}__"


@through_pgbouncer(
    ASYNCPG, connect_args={"statement_cache_size": 0, "prepared_statement_name_func": unique}
)
def test_unique_names_are_wrong_while_sqlalchemy_keeps_the_statements(case: Case) -> None:
    with (
        case.engine.connect() as first,
        case.engine.connect() as second,
        pytest.raises(DBAPIError, match=MISSING),
    ):
        swap_servers(first, second)


@through_pgbouncer(
    ASYNCPG,
    connect_args={
        "statement_cache_size": 0,
        "prepared_statement_cache_size": 0,
        "prepared_statement_name_func": unique,
    },
)
def test_unique_names_stay_behind_on_the_server(case: Case) -> None:
    with case.engine.connect() as first, case.engine.connect() as second:
        for _ in range(3):
            swap_servers(first, second)
        left_behind = [
            name for connection in (first, second) for name in connection.scalars(PREPARED)
        ]
        assert len(left_behind) > 2  # each has but one statement of its own at a time
