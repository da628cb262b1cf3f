"""The figures of the live page, on a clock of the test's own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from multiprocessing import get_context
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine
from sqlalchemy.pool import QueuePool

from pool_observer import PoolObserver, debug_app, holding
from pool_observer.page import document as document_module
from pool_observer.page import process as process_module
from pool_observer.page.process import process_id
from pool_observer.page.showing import PoolsPage
from tests.support import FakeClock, FakeDatabase, named, observer_of


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def engine(database: FakeDatabase) -> Iterator[Engine]:
    engine = create_engine("sqlite://", module=database, poolclass=QueuePool)
    with engine.connect():  # it sets itself up
        pass
    yield engine
    engine.dispose()


@pytest.fixture
def observer(engine: Engine, clock: FakeClock) -> Iterator[PoolObserver]:
    with observer_of(engine, clock=clock) as observer:
        yield observer


@pytest.fixture
def page(observer: PoolObserver) -> PoolsPage:
    return debug_app(observer)


def pool_on(page: PoolsPage) -> dict[str, Any]:
    (pool,) = page._document()["pools"]
    found: dict[str, Any] = pool
    return found


def test_routes_are_told_by_their_share_of_the_last_minutes(
    engine: Engine, observer: PoolObserver, page: PoolsPage, clock: FakeClock
) -> None:
    observer._ledger.wait_begins("waiting", named("GET /waiting"))
    with holding("GET /"), engine.connect():
        clock.advance(1)
    clock.advance(3)
    assert pool_on(page)["holders"] == {
        "window_seconds": 4.0,
        "rows": [
            {
                "holder": "GET /",
                "connections": 0.25,
                "seconds": 1.0,
                "executing_seconds": 0.0,
                "in_transaction_seconds": 0.0,
                "idle_seconds": 1.0,
                "wasted_ratio": 1.0,
                "blamed_seconds": 0.0,
                "timed_out": 0,
                "failed": 0,
                "checkouts": 1,
            }
        ],
    }


def test_each_tick_is_a_second_of_the_timeline(
    engine: Engine, observer: PoolObserver, page: PoolsPage, clock: FakeClock
) -> None:
    for _ in range(2):
        with engine.connect():
            clock.advance(0.5)
        clock.advance(0.5)
        observer.tick()
    timeline = pool_on(page)["timeline"]
    assert (timeline["idle"], timeline["executing"]) == ([0.5, 0.5], [0.0, 0.0])


def test_who_waits_is_told_up_to_a_bound(
    observer: PoolObserver, page: PoolsPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(document_module, "MOST_WAITS", 1)
    for name in ("a", "b", "c"):
        observer._ledger.wait_begins(name, named(name))
    pool = pool_on(page)
    assert ([wait["holder"] for wait in pool["waits"]], pool["waits_omitted"]) == (["a"], 2)


def test_a_child_process_has_a_history_of_its_own(
    engine: Engine, observer: PoolObserver, page: PoolsPage, clock: FakeClock
) -> None:
    clock.advance(1)
    observer.tick()
    assert len(pool_on(page)["timeline"]["idle"]) == 1
    observer.forked(in_child=False)
    assert len(pool_on(page)["timeline"]["idle"]) == 1
    observer.forked(in_child=True)
    assert pool_on(page)["timeline"]["idle"] == []


def test_the_peak_of_the_demand_is_told_once_the_burst_is_over(
    engine: Engine, page: PoolsPage, clock: FakeClock
) -> None:
    with engine.connect(), engine.connect():
        assert pool_on(page)["peak_demand"] == 2  # before the clock has moved
        clock.advance(1)
    clock.advance(1)
    assert (pool_on(page)["used"], pool_on(page)["peak_demand"]) == (0, 2)
    clock.advance(60)
    assert pool_on(page)["peak_demand"] == 0


def test_the_process_has_an_id_that_stays(page: PoolsPage) -> None:
    process = page._document()["process"]
    assert process["id"] == page._document()["process"]["id"]
    assert process["pid"] == os.getpid()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_child_process_has_an_id_of_its_own() -> None:
    with get_context("fork").Pool(2) as children:
        ids = children.map(_id_of, range(20), chunksize=1)
    assert process_id() not in ids
    # Each of them answers with the same every time.
    assert len(set(ids)) <= 2


def test_another_start_has_another_id_though_its_pid_be_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    here = process_id()
    monkeypatch.setattr(process_module, "_SEED", bytes(16))
    assert process_id() != here


def test_each_start_has_a_seed_of_its_own() -> None:
    program = "from pool_observer.page import process; print(process._SEED.hex())"
    starts = [
        subprocess.run([sys.executable, "-c", program], check=True, capture_output=True).stdout
        for _ in range(2)
    ]
    assert starts[0] != starts[1]


def _id_of(_: int) -> str:
    return process_id()
