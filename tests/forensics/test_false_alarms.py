"""An hour of healthy load, and nothing to be said of it; one leak in it, and that is said."""

from __future__ import annotations

import logging
import math
import random
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from sqlalchemy import text

from pool_observer import expect_long_hold, holding
from pool_observer.explanation import ExplainedHold
from pool_observer.holder import DerivedHolder, current_holder
from pool_observer.incidents import IncidentKind
from pool_observer.progress import RequestProgress
from tests.forensics.simulation import Simulation
from tests.support import FakeDatabase, RecordingListener

HOUR = 3600
LIMIT = 30
"""What `leak_after` is by default."""

SIZE = 10
SEEDS = (1, 2)


class Listening(RecordingListener):
    def __init__(self) -> None:
        super().__init__()
        self.overdue: list[ExplainedHold] = []

    def hold_overdue(self, held: ExplainedHold) -> None:
        self.overdue.append(held)


class Load:
    """All that healthy services do with connections, at random."""

    def __init__(self, simulation: Simulation, seed: int) -> None:
        self.simulation = simulation
        self.done: Counter[str] = Counter()
        self._random = random.Random(seed)

    def second(self) -> None:
        """What begins in one second of it."""
        for _ in range(self._random.choice((0, 1, 1, 2))):
            self._begin("read", self.read, self._random.uniform(0.01, 0.8))
        if self._random.random() < 0.02:
            for _ in range(SIZE + 5):  # a burst, some of which has to wait
                self._begin("burst", self.read, self._random.uniform(0.1, 2))
        if self._random.random() < 0.02:
            self._begin("report", self.query, self._random.uniform(5, 25))
        if self._random.random() < 0.02:
            self._begin("think", self.think, self._random.uniform(1, 20))
        if self._random.random() < 0.01:
            self._begin("download", self.stream, 20)

    def long_holds(self) -> None:
        """Those that are meant to be long, and say so."""
        self._begin("export", self.long, 600)
        self._begin("migration", self.long_said_late, 600)

    def listen(self) -> None:
        """One that lasts for as long as all of it."""
        self._begin("listener", self.for_ever, HOUR)

    def _begin(self, name: str, job: Callable[[float], None], seconds: float) -> None:
        def run() -> None:
            with holding(name):
                job(seconds)
            self.done[name] += 1

        self.simulation.begin(run)

    def read(self, seconds: float) -> None:
        with self.simulation.engine.begin() as connection:
            connection.execute(text(f"SELECT pg_sleep({seconds / 2:f})"))
            self.simulation.sleep(seconds / 2)

    def query(self, seconds: float) -> None:
        with self.simulation.engine.connect() as connection:
            connection.execute(text(f"SELECT pg_sleep({seconds:f})"))

    def think(self, seconds: float) -> None:
        with self.simulation.engine.connect() as connection:
            connection.execute(text("SELECT 1"))
            self.simulation.sleep(seconds)

    def stream(self, seconds: float) -> None:
        holder = DerivedHolder(None, None, name="GET /download")
        holder.progress = RequestProgress()
        current_holder.set(holder)
        with self.simulation.engine.connect() as connection:
            connection.execute(text("SELECT 1"))
            holder.progress.response_at = self.simulation.clock()
            self.simulation.sleep(seconds)

    def long(self, seconds: float) -> None:
        with expect_long_hold(seconds + 60, "nightly export"):
            self.query(seconds)

    def long_said_late(self, seconds: float) -> None:
        with self.simulation.engine.connect() as connection:
            connection.execute(text("SELECT 1"))
            self.simulation.sleep(LIMIT - 2)
            with expected_from_now_on(self.simulation, seconds):
                self.simulation.sleep(seconds - LIMIT)

    def for_ever(self, seconds: float) -> None:
        with expect_long_hold(math.inf, "LISTEN"):
            self.query(seconds)


def expected_from_now_on(simulation: Simulation, seconds: float) -> AbstractContextManager[object]:
    """What `expect_long_hold()` is for what this thread holds already.

    It speaks to the observers that the watchdog watches, and ours is on a clock of its own.
    """
    expecting = expect_long_hold(seconds + 60, "migration")
    simulation.observer.expect(expecting._expectation, expecting.derived_from)
    return expecting


def simulate(
    database: FakeDatabase, seed: int, each_second: Callable[[Simulation, int], None]
) -> tuple[Simulation, Listening, Counter[str]]:
    """An hour of it, and what the listeners were told."""
    simulation = Simulation(database, size=SIZE)
    heard = Listening()
    simulation.observer.subscribe(heard)
    load = Load(simulation, seed)
    load.listen()
    for second in range(HOUR):
        load.second()
        if second % 900 == 60:
            load.long_holds()
        each_second(simulation, second)
        simulation.step()
    simulation.finish()
    simulation.observer.deliver()
    return simulation, heard, load.done


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [each.getMessage() for each in caplog.records if each.levelno >= logging.WARNING]


@pytest.mark.parametrize("seed", SEEDS)
def test_an_hour_of_healthy_load_gives_no_alarm(
    database: FakeDatabase, caplog: pytest.LogCaptureFixture, seed: int
) -> None:
    def nothing(simulation: Simulation, second: int) -> None: ...

    caplog.set_level(logging.INFO, "pool_observer")
    simulation, heard, done = simulate(database, seed, nothing)
    with simulation.observer as observer:
        assert observer.incidents() == []
        assert heard.overdue == []
        assert caplog.records == []
        state = observer.snapshot()
        assert sum(each.overdue for each in state.totals.holders.values()) == 0
        assert state.totals.internal_errors == {}
        assert (state.used, state.waiting) == (0, 0)
        # It was the load that it was meant to be.
        assert len(heard.holds) == sum(done.values())
        assert min(done[name] for name in ("report", "think", "download")) > 20
        assert (done["export"], done["migration"], done["listener"]) == (4, 4, 1)
        assert done["read"] > HOUR / 2
        assert simulation.waits_at_a_time >= 5
        assert max(wait.seconds for wait in heard.waits) > 1
        ordinary = [hold.seconds for hold in heard.holds if hold.limit_seconds == LIMIT]
        assert 24 < max(ordinary) < LIMIT


@pytest.mark.parametrize("seed", SEEDS)
def test_a_leak_in_it_is_found_within_two_seconds_and_once(
    database: FakeDatabase, caplog: pytest.LogCaptureFixture, seed: int
) -> None:
    began: list[float] = []
    found: list[float] = []
    leaks_at = 1000 + seed

    def leak(simulation: Simulation) -> None:
        with holding("leak"), simulation.engine.connect() as connection:  # leaks
            began.append(simulation.second)
            connection.execute(text("SELECT 1"))
            simulation.sleep(500)

    def each_second(simulation: Simulation, second: int) -> None:
        if second == leaks_at:
            simulation.begin(lambda: leak(simulation))
        if not found and simulation.observer.incidents():
            found.append(simulation.second)

    caplog.set_level(logging.INFO, "pool_observer")
    simulation, heard, _ = simulate(database, seed, each_second)
    with simulation.observer as observer:
        returned, overdue = observer.incidents()
        assert (overdue.kind, returned.kind) == (IncidentKind.OVERDUE, IncidentKind.RETURNED)
        assert overdue.holder == returned.holder == "leak"
        assert began[0] + LIMIT < found[0] <= began[0] + LIMIT + 2
        assert overdue.at == found[0]
        (held,) = heard.overdue
        assert held.hold.holder == "leak"
        assert held.diagnosis is not None
        assert held.diagnosis.kind == "idle_in_transaction"
        (warning,) = warnings(caplog)
        assert "leak has held a connection for " in warning
        assert overdue.text in warning
        assert len(caplog.records) == 2
        totals = observer.snapshot().totals.holders
        assert {name: each.overdue for name, each in totals.items() if each.overdue} == {"leak": 1}
