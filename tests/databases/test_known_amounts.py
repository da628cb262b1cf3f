"""A statement of known length is found again in the figures. Lower bounds only."""

from __future__ import annotations

from sqlalchemy import text

from tests.databases.case import Case
from tests.databases.drivers import EVERY, ON_POSTGRESQL
from tests.databases.on import on

PAUSE = 0.05


@on(*EVERY)
def test_the_time_of_a_statement_is_executing(case: Case) -> None:
    with case.engine.connect() as connection:
        connection.execute(text(case.driver.backend.pause), {"seconds": 0.2})
        while_open = case.hold
    [hold] = case.holds
    assert while_open.executing_seconds >= 0.2
    assert hold.executing_seconds >= 0.2
    assert hold.in_transaction_ns < hold.executing_ns
    assert hold.idle_ns < hold.executing_ns


@on(*EVERY)
def test_the_time_between_statements_is_in_transaction(case: Case) -> None:
    """Another connection's pause is what passes in between, so that it has a known length."""
    with case.engine.connect() as waiting, case.engine.connect() as other:
        waiting.execute(text("SELECT 1"))
        other.execute(text(case.driver.backend.pause), {"seconds": PAUSE})
        hold, _ = case.state().open_holds
        assert hold.in_transaction_seconds >= PAUSE
        waiting.commit()
        other.execute(text(case.driver.backend.pause), {"seconds": PAUSE})
        hold, _ = case.state().open_holds
        assert hold.idle_seconds >= PAUSE
        assert hold.executing_ns < hold.idle_ns


@on(*EVERY)
def test_the_totals_know_of_it_while_the_hold_is_open(case: Case) -> None:
    with case.engine.connect() as connection:
        connection.execute(text(case.driver.backend.pause), {"seconds": PAUSE})
        state = case.state()
        [tally] = state.totals.holders.values()
        [hold] = state.open_holds
        executing, in_transaction, idle = tally.activity_ns.values()
        assert executing == hold.executing_ns
        assert in_transaction <= hold.in_transaction_ns  # taken a little earlier
        assert idle == hold.idle_ns
        assert tally.checkouts == 1


SLOW_COMMIT = (
    "CREATE TEMPORARY TABLE slow (i int)",
    "CREATE FUNCTION pg_temp.be_slow() RETURNS trigger LANGUAGE plpgsql "
    f"AS 'BEGIN PERFORM pg_sleep({PAUSE}); RETURN NULL; END'",
    "CREATE CONSTRAINT TRIGGER be_slow AFTER INSERT ON slow DEFERRABLE INITIALLY DEFERRED "
    "FOR EACH ROW EXECUTE FUNCTION pg_temp.be_slow()",
)
"""What makes COMMIT take its time: a constraint that is checked then."""


@on(*ON_POSTGRESQL)
def test_the_time_of_a_commit_is_executing(case: Case) -> None:
    with case.engine.connect() as connection:
        for statement in SLOW_COMMIT:
            connection.execute(text(statement))
        connection.commit()
        connection.execute(text("INSERT INTO slow VALUES (1)"))
        before = case.hold
        connection.commit()
        after = case.hold
    assert after.executing_seconds - before.executing_seconds >= PAUSE
    assert after.in_transaction_ns - before.in_transaction_ns < after.executing_ns
