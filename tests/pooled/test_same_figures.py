"""PgBouncer measures by itself for how long transactions have had a server connection."""

from __future__ import annotations

from sqlalchemy import text

from tests.databases.case import Case
from tests.databases.drivers import ON_POSTGRESQL
from tests.pooled.through import pgbouncer_of, pool_of, through_pgbouncer

SELECT = text("SELECT 1")


def total_ns(case: Case, column: str) -> int:
    (totals,) = [
        row for row in pgbouncer_of(case).ask("SHOW STATS_TOTALS") if row["database"] != "pgbouncer"
    ]
    return int(totals[column]) * 1000


@through_pgbouncer(*ON_POSTGRESQL)
def test_its_transaction_time_is_our_executing_and_in_transaction(case: Case) -> None:
    with case.engine.connect():  # what drivers ask at first is part of no hold
        pass
    case.wait_until(lambda: pool_of(case).sv_active == 0)
    before = total_ns(case, "xact_time")
    with case.engine.connect() as connection:
        connection.execute(SELECT)
        case.server.ask("SELECT pg_sleep(0.05)")  # straight to the server
        connection.commit()
    case.wait_until(lambda: pool_of(case).sv_active == 0)
    spent = total_ns(case, "xact_time") - before
    *_, hold = case.holds
    assert hold.in_transaction_seconds >= 0.05
    assert hold.in_transaction_ns <= spent <= hold.in_transaction_ns + hold.executing_ns


@through_pgbouncer(*ON_POSTGRESQL, settings={"default_pool_size": 1})
def test_its_wait_time_is_in_our_executing(case: Case) -> None:
    with case.engine.connect() as first, case.engine.connect() as second:
        for connection in (first, second):
            connection.execute(SELECT)
            connection.commit()
        before = total_ns(case, "wait_time")
        first.execute(SELECT)
        running = case.in_background(lambda: second.execute(SELECT))
        case.wait_until(lambda: pool_of(case).cl_waiting == 1)
        first.commit()
        running.result()
        waited = total_ns(case, "wait_time") - before
        assert 0 < waited < case.state().open_holds[1].executing_ns
