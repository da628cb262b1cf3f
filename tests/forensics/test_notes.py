"""The note on a time-out: for threads on psycopg as well, and never more than one can read."""

from __future__ import annotations

import threading
import traceback
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from pool_observer import holding
from pool_observer.holder import DerivedHolder, current_holder
from tests.conftest import Observe
from tests.forensics.running import FOLDER
from tests.postgres import Postgres
from tests.support import FakeDatabase, observer_of, wait_until

SELECT = text("SELECT 1")


def failure_of(engine: Engine) -> PoolTimeoutError:
    with pytest.raises(PoolTimeoutError) as raised:
        engine.connect()  # fails
    return raised.value


def line_of(marker: str) -> int:
    with open(__file__) as source:
        (found,) = [n for n, line in enumerate(source, 1) if line.endswith(f"  # {marker}\n")]
    return found


def test_fifty_threads_for_fifteen_connections(postgres: Postgres, observed: Observe) -> None:
    engine = create_engine(postgres.url("psycopg"), pool_size=5, max_overflow=10, pool_timeout=1)
    observer = observed(engine, name="threads", registry=None)
    over = threading.Event()

    def export() -> None:
        with holding("export"), engine.connect() as connection:  # export takes
            connection.execute(SELECT)
            over.wait()  # export stands

    def mail() -> None:
        with holding("mail"), engine.connect():  # mail takes
            over.wait()  # mail stands

    def read() -> str:
        with holding("read"):
            error = failure_of(engine)
        (note,) = error.__notes__
        assert str(note) in "".join(traceback.format_exception(error))
        return str(note)

    with ThreadPoolExecutor(50) as threads:
        try:
            held = [threads.submit(export) for _ in range(8)]
            wait_until(lambda: observer.snapshot().used == 8)
            held += [threads.submit(mail) for _ in range(7)]
            wait_until(lambda: observer.snapshot().used == 15)
            notes = [each.result(30) for each in [threads.submit(read) for _ in range(35)]]
        finally:
            over.set()
        for each in held:
            each.result(30)
    for note in notes:
        lines = note.splitlines()
        assert lines[0].startswith('pool "threads": all 15 connections held, ')
        assert_stands(lines[1:5], "8 x export", "export")
        assert_stands(lines[5:9], "7 x mail", "mail")
        assert len(lines) == 9
    holders = observer.snapshot().totals.holders
    assert holders["read"].timed_out == 35
    assert holders["read"].blamed_seconds == 0
    export_share = holders["export"].blamed_seconds / holders["mail"].blamed_seconds
    assert export_share == pytest.approx(8 / 7, rel=0.05)
    engine.dispose()


def assert_stands(lines: list[str], who: str, name: str) -> None:
    taken, now, says, mend = lines
    file = f"{FOLDER}/test_notes.py"
    function = f"{name}"
    assert taken.startswith(f"  {who}, the longest for ")
    assert taken.endswith(f"taken at {file}:{line_of(f'{name} takes')} in {function}")
    line = line_of(f"{name} stands")
    assert now.startswith(f"      now {file}:{line} in {function}, in threading.py:")
    assert says.startswith("      idle")
    assert mend.startswith("      -> ")


def test_who_times_out_with_a_connection_in_its_hands_is_told_so(database: FakeDatabase) -> None:
    engine = database.engine(pool_size=1, max_overflow=0, pool_timeout=0)
    with observer_of(engine), holding("selfish"), engine.connect():
        (note,) = failure_of(engine).__notes__
    headline, taken, _, says, mend = note.splitlines()
    assert headline.startswith('pool "test": ')
    assert ", 1 caller waits, the first for " in headline
    assert taken.startswith("  1 x selfish, for ")
    line = line_of("fails")
    at = f"at {FOLDER}/test_notes.py:{line} in failure_of"
    assert says == f"      waiting for a second connection, {at}, with the first in its hands"
    assert mend.startswith("      -> pass on the session that is there")


def crowd_of(stack: ExitStack, engine: Engine, names: list[str]) -> None:
    """A connection held by each of these, all in trouble."""
    for name in names:
        token = current_holder.set(DerivedHolder(None, None, name=name))
        stack.enter_context(engine.connect())
        current_holder.reset(token)


def lines_of_note(database: FakeDatabase, names: list[str]) -> list[str]:
    options: dict[str, Any] = {"pool_size": len(names), "max_overflow": 0, "pool_timeout": 0}
    engine = database.engine(**options)
    now = [0]

    def later() -> int:
        now[0] += 1_000_000_000
        return now[0]

    with observer_of(engine, clock=later), ExitStack() as stack:
        crowd_of(stack, engine, names)
        (note,) = failure_of(engine).__notes__
    return str(note).split("\n")


def test_two_hundred_holders_do_not_make_it_long(database: FakeDatabase) -> None:
    lines = lines_of_note(database, [f"job {number}" for number in range(200)])
    assert len(lines) < 60
    assert lines[1].startswith("  1 x job 0, for ")
    assert lines[-1] == "  190 more connections held, none of them for longer"
    assert len("\n".join(lines)) < 10_000


@pytest.mark.parametrize(
    "hostile",
    ["GET /" + "x" * 100_000, "a\nb\r\nc\x1b[2Jd\u2028e\u202ef", "\ud800", "n" * 199],
    ids=["long", "control", "surrogate", "nearly too long"],
)
def test_hostile_names_are_cut_and_stay_on_their_line(database: FakeDatabase, hostile: str) -> None:
    harmless = lines_of_note(database, ["a", "b", "c"])
    lines = lines_of_note(database, [hostile, "b", "c"])
    assert len(lines) == len(harmless)
    for line in lines:
        assert line.isprintable()
        assert len(line) <= 200
        line.encode()


def test_a_name_as_long_as_names_may_be_is_cut_no_more_than_must_be(
    database: FakeDatabase,
) -> None:
    name = "n" * 200
    with holding(name):
        pass  # as long as is accepted
    lines = lines_of_note(database, [name])
    assert any("n" * 150 in line for line in lines)
