"""When the probe looks, what it says when there is no answer, and how it ends."""

from __future__ import annotations

import asyncio
import gc
import itertools
import logging
import threading
from typing import Any

import pytest

from pool_observer.probe.joining import Joining
from pool_observer.probe.probing import LONGEST_PAUSE, TOO_OLD, Probe
from pool_observer.probe.reading import Reading
from pool_observer.server import Owner, SessionState
from tests.probe.rows import LIMITS, PROBE, reading, row

INTERVAL = 10.0


class Observed:
    """Stands for an observer."""

    name = "orders"

    def __init__(self) -> None:
        self.in_use = True
        self.engine_is_gone = False
        self.held: dict[int, tuple[int, str]] = {10: (7, "POST /chat")}
        self.failed: list[str] = []

    def backends(self) -> dict[int, tuple[int, str]]:
        return self.held

    def now(self) -> int:
        return 99

    def note_failure(self, place: str) -> None:
        self.failed.append(place)


class Connection:
    """Stands for a connection to a server that says what the test wants."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def close(self) -> None:
        self.calls.append("close")

    def abandon(self) -> list[object]:
        self.calls.append("abandon")
        return [self]


class Bench:
    def __init__(self) -> None:
        self.now = 1000.0
        self.looks = 0
        self.left: list[Probe] = []
        self.observed = Observed()
        self.connection = Connection()
        self.answer: Reading | BaseException = reading(row(10))
        self.meanwhile: Any = lambda: None
        self.probe = Probe(
            self.observed,
            self.connection,  # type: ignore[arg-type]
            self._read,
            Joining(same_way=True),
            self.left.append,
            interval=INTERVAL,
            clock=lambda: self.now,
            wall_clock=lambda: self.now + 1_000_000,
        )

    def _read(self, _: object) -> tuple[Reading, int | None]:
        self.looks += 1
        self.meanwhile()
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer, PROBE

    def after(self, seconds: float) -> int:
        """How many looks there have been by so many seconds later, with a tick every second."""
        for _ in range(round(seconds)):
            self.now += 1
            self.probe.tick()
        return self.looks


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_it_looks_once_an_interval(bench: Bench) -> None:
    bench.probe.tick()
    assert bench.looks == 1
    assert bench.after(9) == 1
    assert bench.after(1) == 2
    assert bench.after(100) == 12


def test_it_does_not_look_before_the_pool_is_used(bench: Bench) -> None:
    bench.observed.in_use = False
    assert bench.after(60) == 0
    assert not bench.probe.state.asked
    bench.observed.in_use = True
    assert bench.after(1) == 1
    bench.observed.in_use = False  # all are closed again; the server is there nevertheless
    assert bench.after(10) == 2


def test_what_was_found_out_is_its_state(bench: Bench) -> None:
    bench.probe.tick()
    state = bench.probe.state
    assert (state.up, state.at, state.failures, state.error) == (True, 1_001_000.0, 0, None)
    assert (state.limits, state.total, state.pooler) == (LIMITS, 2, False)
    assert state.sessions[Owner.OURS, SessionState.ACTIVE] == 1
    (held,) = state.holds
    assert (held.key, held.holder, held.seen_ns) == (7, "POST /chat", 99)


def test_a_hold_that_ends_while_the_server_is_asked_is_not_joined(bench: Bench) -> None:
    bench.meanwhile = lambda: setattr(bench.observed, "held", {})
    bench.probe.tick()
    assert bench.probe.state.up
    assert bench.probe.state.holds == ()


def test_a_server_that_does_not_answer_is_said_so_once_and_asked_ever_less_often(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "pool_observer")
    bench.probe.tick()
    bench.answer = ConnectionRefusedError("postgresql://app:secret@host")
    looks_at = []
    for _ in range(150):
        before = bench.looks
        if bench.after(1) > before:
            looks_at.append(bench.now - 1000)
    pauses = [later - earlier for earlier, later in itertools.pairwise(looks_at)]
    assert looks_at[0] == INTERVAL
    assert pauses == [10.0, 20.0, 40.0, LONGEST_PAUSE]
    state = bench.probe.state
    assert (state.up, state.failures, state.error) == (False, 5, "ConnectionRefusedError")
    assert state.at == 1_001_000.0  # when it answered last
    assert state.limits == LIMITS  # these do not change
    assert (state.sessions, state.holds) == ({}, ())

    bench.answer = reading()
    bench.after(LONGEST_PAUSE)
    assert bench.probe.state.up
    assert bench.probe.state.failures == 5
    looks = bench.looks
    assert bench.after(INTERVAL) == looks + 1  # it is asked as often as before
    said = [(record.levelname, record.getMessage()) for record in caplog.records]
    assert [level for level, _ in said] == ["WARNING", "INFO"]
    assert "ConnectionRefusedError" in said[0][1]
    assert "secret" not in caplog.text


def test_an_interval_longer_than_the_longest_pause_is_kept() -> None:
    bench = Bench()
    bench.probe._interval = 300.0
    bench.answer = OSError()
    bench.probe.tick()
    assert bench.after(299) == 1
    assert bench.after(1) == 2


def test_a_failure_of_ours_is_counted_as_ours_and_not_as_the_servers(bench: Bench) -> None:
    def fail() -> dict[int, tuple[int, str]]:
        raise RuntimeError("a bug")

    bench.observed.backends = fail  # type: ignore[method-assign]
    with pytest.raises(RuntimeError):  # the watchdog counts what it raises
        bench.probe.tick()
    assert bench.probe.state.failures == 0
    assert bench.after(9) == 0  # and it does not try again at once
    bench.probe.note_failure("the watchdog")
    assert bench.observed.failed == ["the watchdog"]


def test_a_pooler_is_said_once(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "pool_observer")
    bench.answer = reading(pid=PROBE + 1)
    assert bench.after(2 * INTERVAL) > 1
    assert bench.probe.state.pooler
    (record,) = caplog.records
    assert (record.levelname, "a pooler such as PgBouncer" in record.getMessage()) == ("INFO", True)


def test_what_nobody_could_look_at_for_long_is_not_told_as_if_it_were_so(bench: Bench) -> None:
    bench.probe.tick()
    bench.now += INTERVAL + TOO_OLD
    assert bench.probe.state.up
    bench.now += 1
    state = bench.probe.state
    assert (state.up, state.error, state.holds) == (False, "not asked for long", ())
    assert state.limits == LIMITS
    bench.probe.tick()
    assert bench.probe.state.up


@pytest.mark.parametrize("error", [asyncio.CancelledError(), SystemExit(1), KeyboardInterrupt()])
def test_whatever_a_creator_raises_is_the_servers_and_nobody_elses(
    bench: Bench, error: BaseException
) -> None:
    bench.answer = error
    bench.probe.tick()
    assert bench.probe.state.failures == 1


# -- the end ----------------------------------------------------------------------------------


def test_closing_ends_the_connection_at_once(bench: Bench) -> None:
    bench.probe.tick()
    bench.probe.close()
    assert bench.connection.calls == ["close"]
    assert bench.left == [bench.probe]
    assert bench.after(60) == 1


def test_who_closes_in_the_middle_of_a_look_waits_a_little_and_it_ends_by_itself(
    bench: Bench,
) -> None:
    def close_meanwhile() -> None:
        closing = threading.Thread(target=bench.probe.close)
        closing.start()
        closing.join()  # which is a matter of its grace
        assert bench.connection.calls == []

    bench.meanwhile = close_meanwhile
    bench.probe.tick()
    assert bench.connection.calls == ["close"]
    assert bench.left == [bench.probe]


def test_an_engine_that_is_gone_takes_the_connection_along(bench: Bench) -> None:
    bench.probe.tick()
    bench.observed.engine_is_gone = True
    bench.after(1)
    assert bench.connection.calls == ["close"]
    assert bench.left == [bench.probe]


def test_the_probe_does_not_keep_its_observer(bench: Bench) -> None:
    bench.probe.tick()
    del bench.observed
    gc.collect()
    bench.after(1)
    assert bench.left == [bench.probe]
    bench.probe.note_failure("nowhere")  # nobody is left to count it


def test_a_child_begins_anew_and_leaves_the_connection_to_its_parent(bench: Bench) -> None:
    bench.probe.tick()
    bench.probe.forked(in_child=False)
    assert bench.probe.state.up
    bench.probe.forked(in_child=True)
    assert bench.connection.calls == ["abandon"]
    assert not bench.probe.state.asked
    bench.observed.in_use = False
    assert bench.after(60) == 1
