"""A hold on a real connection: when it begins and ends, whose it is, and that it adds up."""

from __future__ import annotations

import time

from sqlalchemy import text

from pool_observer.model import Activity, Ending, Outcome
from tests.databases.case import Case
from tests.databases.drivers import EVERY, SQLITE
from tests.databases.on import on


@on(*EVERY)
def test_a_hold_lasts_from_connect_to_close(case: Case) -> None:
    before = time.perf_counter_ns()
    connection = case.engine.connect()
    connected = time.perf_counter_ns()
    state = case.state()
    assert (state.used, state.idle, state.waiting, state.drift) == (1, 0, 0, 0)
    assert case.hold.ending is None
    assert case.holds == []

    connection.execute(text("SELECT 1"))
    closing = time.perf_counter_ns()
    connection.close()
    after = time.perf_counter_ns()

    state = case.state()
    assert (state.used, state.idle, state.drift, state.open_holds) == (0, 1, 0, ())
    [hold] = case.holds
    assert hold.ending is Ending.CHECKIN
    assert closing - connected <= hold.duration_ns <= after - before
    assert hold.executing_ns > 0
    assert hold.in_transaction_ns > 0
    assert hold.idle_ns > 0


@on(*EVERY)
def test_the_backend_pid_is_the_one_the_server_knows(case: Case) -> None:
    own_id = text(case.driver.backend.own_id)
    with case.engine.connect() as one, case.engine.connect() as other:
        pids = [connection.scalar(own_id) for connection in (one, other)]
        assert [hold.backend_pid for hold in case.state().open_holds] == pids
    assert case.driver.backend is SQLITE or None not in pids
    with case.engine.connect() as again:  # from the pool, where it had been
        assert case.hold.backend_pid == again.scalar(own_id)
        assert case.hold.backend_pid in pids


@on(*EVERY)
def test_the_first_wait_is_spent_connecting_and_the_second_queueing(case: Case) -> None:
    for _ in range(2):
        with case.engine.connect():
            pass
    first, second = case.waits
    assert first.outcome is second.outcome is Outcome.ACQUIRED
    assert first.connect_ns > 0
    assert second.connect_ns == 0
    assert [hold.waited_ns for hold in case.holds] == [first.duration_ns, second.duration_ns]


@on(*EVERY)
def test_setting_up_the_dialect_is_part_of_no_hold(case: Case) -> None:
    """SQLAlchemy asks the server several things on the first connection of an engine."""
    with case.engine.connect():
        hold = case.hold
        assert hold.activity is Activity.IDLE
        assert (hold.executing_ns, hold.in_transaction_ns) == (0, 0)


@on(*EVERY)
def test_a_snapshot_of_an_open_hold_never_runs_backwards(case: Case) -> None:
    with case.engine.connect() as connection:
        connection.execute(text("SELECT 1"))
        earlier, later = case.hold, case.hold
        assert later.executing_ns == earlier.executing_ns
        assert later.idle_ns == earlier.idle_ns
        assert later.in_transaction_ns > earlier.in_transaction_ns
    [hold] = case.holds
    assert hold.executing_ns >= later.executing_ns
    assert hold.in_transaction_ns >= later.in_transaction_ns


@on(*EVERY, pool_pre_ping=True)
def test_a_ping_is_part_of_the_wait(case: Case) -> None:
    for _ in range(2):
        with case.engine.connect():
            pass
    first, second = case.waits
    assert first.ping_ns == 0  # nothing to test about a connection that has just been opened
    assert second.ping_ns > 0
    assert second.connect_ns == 0
    assert all(hold.executing_ns == 0 for hold in case.holds)
