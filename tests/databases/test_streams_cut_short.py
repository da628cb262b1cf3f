"""Results from server-side cursors that outlive their hold, or fail on the way."""

from __future__ import annotations

import contextlib
import time

from sqlalchemy import Engine, text

from pool_observer.model import Activity, Ending
from tests.databases.case import Case
from tests.databases.drivers import ON_POSTGRESQL, PSYCOPG, PSYCOPG_ASYNC
from tests.databases.failures import pid_of
from tests.databases.on import on

SLOW = text("SELECT pg_sleep(0.002) FROM generate_series(1, 60)").execution_options(yield_per=5)


def failing_at(row: int) -> str:
    return f"SELECT 1 / ({row} - i) FROM generate_series(1, 200) AS i"


def told(error: Exception) -> tuple[type, type]:
    """What can be compared of an error. asyncpg's own get through from cursors, unwrapped."""
    return type(error), type(getattr(error, "orig", None))


@on(*ON_POSTGRESQL)
def test_fetching_after_a_detach_is_no_part_of_the_hold(case: Case) -> None:
    asked = time.perf_counter_ns()
    with case.engine.connect() as connection:
        result = connection.execute(SLOW)
        result.fetchone()
        connection.detach()
        detached = time.perf_counter_ns()
        assert len(result.all()) == 59
    [hold] = case.holds
    assert hold.ending is Ending.DETACHED
    assert hold.duration_ns <= detached - asked


@on(*ON_POSTGRESQL)
def test_a_row_that_fails_fails_as_it_does_without_us(case: Case) -> None:
    for row in (1, 2, 100):
        failures = []
        for engine in (case.twin(), case.engine):
            with engine.connect() as connection:
                statement = text(failing_at(row)).execution_options(yield_per=5)
                try:
                    connection.execute(statement).all()
                except Exception as error:
                    failures.append(told(error))
                if engine is case.engine:
                    assert case.activity is Activity.IN_TRANSACTION
        assert len(failures) == 2
        assert failures[0] == failures[1]


@on(*(driver for driver in ON_POSTGRESQL if driver not in (PSYCOPG, PSYCOPG_ASYNC)))
def test_a_connection_killed_between_fetches_fails_as_it_does_without_us(case: Case) -> None:
    """psycopg cannot close a cursor whose server is gone, and warns that it is open."""
    twin, engine = (_killed_between_fetches(each, case) for each in (case.twin(), case.engine))
    assert twin == engine
    [hold] = case.holds
    assert hold.ending is Ending.CHECKIN
    assert case.state().totals.connections_invalidated == 1


def _killed_between_fetches(engine: Engine, case: Case) -> tuple[type, type]:
    connection = engine.connect()
    pid = pid_of(connection, case)
    result = connection.execute(SLOW)
    result.fetchone()
    case.server.kill(pid)
    try:
        result.all()
    except Exception as error:
        return told(error)
    finally:
        with contextlib.suppress(Exception):
            connection.close()  # rolls back, which fails as well
        connection.close()
    raise AssertionError("the server should have been gone")
