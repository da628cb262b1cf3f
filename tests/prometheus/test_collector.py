"""What the registry says of a pool: every figure, on a clock that stands still."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import create_engine, text
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.pool import NullPool, QueuePool, StaticPool

from pool_observer import expect_long_hold, holding
from pool_observer.model import TraceContext
from pool_observer.prometheus_names import family_name
from pool_observer.server import JoinedHold, Owner, ServerLimits, ServerState, Session, SessionState
from pool_observer.tracing import Traced
from tests.conftest import Observe
from tests.prometheus.bench import Bench
from tests.prometheus.scraped import POOL, Scraped
from tests.support import UNPROBED, FakeDatabase


@pytest.fixture
def bench(database: FakeDatabase) -> Iterator[Bench]:
    bench = Bench(database)
    with bench.observer:
        yield bench


def test_all_series_of_a_pool_are_there_from_the_first_moment(bench: Bench) -> None:
    scraped = bench.scrape()
    for metric in UNPROBED:
        if "holder" not in metric.labels and metric.name != "pool_observer.event_loop_lag":
            assert scraped.families[family_name(metric)].samples, metric.name
    counted = [sample for sample in scraped.samples if sample.name.endswith("_total")]
    assert counted
    assert {sample.value for sample in counted} == {0.0}


def test_a_holders_series_appear_at_0_on_its_first_use(bench: Bench) -> None:
    with holding("nightly"), bench.engine.connect():
        pass
    scraped = bench.scrape()
    for metric in UNPROBED:
        if "holder" in metric.labels:
            samples = scraped.families[family_name(metric)].samples
            assert {sample.labels["holder"] for sample in samples} == {"nightly"}
    assert scraped.by("how", "pool_observer_returns_total") == {
        "checkin": 1.0,
        "detached": 0.0,
        "lost": 0.0,
    }
    assert scraped.one("db_client_connection_timeouts_total") == 0.0


def test_who_only_waits_yet_has_series_already(bench: Bench) -> None:
    def look_while_it_connects(what: str) -> None:
        if what == "connect":
            scraped.append(bench.scrape())

    scraped: list[Scraped] = []
    bench.database.work = look_while_it_connects
    with holding("first"), bench.engine.connect():
        pass
    assert scraped[0].one("pool_observer_checkouts_total", holder="first") == 0.0
    assert scraped[0].one("db_client_connection_wait_time_seconds_count", holder="first") == 0.0
    assert scraped[0].one("db_client_connection_pending_requests") == 1.0


def test_a_hold_is_told_by_what_it_was_spent_on(bench: Bench) -> None:
    bench.takes({"SELECT 1": 0.25, "connect": 0.5})
    with holding("GET /"), bench.engine.connect() as connection:
        bench.clock.advance(1)  # idle
        connection.execute(text("SELECT 1"))
        bench.clock.advance(2)  # in transaction
    scraped = bench.scrape()
    assert scraped.by("activity", "pool_observer_activity_seconds_total") == {
        "executing": 0.25,
        "in_transaction": 2.0,
        "idle": 1.0,
    }
    assert scraped.one("db_client_connection_use_time_seconds_sum") == 3.25
    buckets = scraped.by("le", "db_client_connection_use_time_seconds_bucket")
    assert (buckets["2.0"], buckets["5.0"], buckets["+Inf"]) == (0.0, 1.0, 1.0)
    assert scraped.one("db_client_connection_wait_time_seconds_sum") == 0.5
    assert scraped.one("db_client_connection_create_time_seconds_sum") == 0.5
    assert scraped.one("db_client_connection_create_time_seconds_count") == 1.0
    assert scraped.one("pool_observer_connect_seconds_total") == 0.5
    assert scraped.one("pool_observer_connections_opened_total") == 1.0


def test_open_holds_are_counted_to_the_instant(bench: Bench) -> None:
    with holding("GET /"), bench.engine.connect():
        for seconds in (1.0, 2.0, 3.0):
            bench.clock.advance(1)
            scraped = bench.scrape()
            assert scraped.total("pool_observer_activity_seconds_total") == seconds
            assert scraped.one("pool_observer_oldest_hold_seconds") == seconds
            assert scraped.one("db_client_connection_use_time_seconds_count") == 0.0
        assert scraped.by("db_client_connection_state", "db_client_connection_count") == {
            "used": 1.0,
            "idle": 0.0,
        }
        assert scraped.one("pool_observer_checkouts_total") == 1.0
    assert bench.scrape().one("db_client_connection_use_time_seconds_sum") == 3.0


def test_a_full_pool_is_told_with_victims_and_culprits(bench: Bench) -> None:
    with ExitStack() as held:
        for _ in range(3):
            held.enter_context(holding("POST /chat"))
            held.enter_context(bench.engine.connect())
        bench.clock.advance(1)
        with pytest.raises(PoolTimeoutError), holding("GET /health"):
            bench.engine.connect()
        scraped = bench.scrape()
        assert scraped.one("pool_observer_utilization_ratio") == 1.0
        assert scraped.one("pool_observer_full_seconds_total") == 1.0
        assert scraped.one("pool_observer_full_total") == 1.0
        assert scraped.by("holder", "db_client_connection_timeouts_total") == {
            "POST /chat": 0.0,
            "GET /health": 1.0,
        }
        # A wait that failed is among the waits.
        assert scraped.one("db_client_connection_wait_time_seconds_count", holder="GET /health")
        assert scraped.one("pool_observer_nested_checkouts_total", holder="POST /chat") == 2.0


def test_capacity_is_told(bench: Bench) -> None:
    scraped = bench.scrape()
    assert scraped.one("db_client_connection_max") == 3.0
    assert scraped.one("db_client_connection_idle_max") == 2.0
    assert scraped.one("db_client_connection_idle_min") == 0.0
    (info,) = scraped.all("pool_observer_info")
    assert info.value == 1.0
    assert info.labels == {
        POOL: "orders",
        "pool_class": "QueuePool",
        "dialect": "sqlite",
        "driver": "pysqlite",
        "size": "2",
        "overflow": "1",
        "timeout": "0",
        "recycle": "",
        "pre_ping": "false",
    }


def test_settings_are_told_as_they_were_given(database: FakeDatabase) -> None:
    bench = Bench(database, pool_timeout=2.5, pool_recycle=300, pool_pre_ping=True)
    with bench.observer:
        (info,) = bench.scrape().all("pool_observer_info")
    assert info.labels["timeout"] == "2.5"
    assert info.labels["recycle"] == "300"
    assert info.labels["pre_ping"] == "true"


@pytest.mark.parametrize(
    ("options", "idle_max"),
    [
        ({"poolclass": QueuePool, "max_overflow": -1}, 5.0),
        ({"poolclass": NullPool}, 0.0),
        ({"poolclass": StaticPool}, 1.0),
    ],
)
def test_a_pool_without_a_limit_has_no_share_of_it(
    options: dict[str, Any], idle_max: float, observed: Observe
) -> None:
    registry = CollectorRegistry()
    observed(create_engine("sqlite://", **options), name="orders", registry=registry)
    scraped = Scraped.of(registry)
    absent = {
        "db_client_connection_max",
        "pool_observer_utilization_ratio",
        "pool_observer_full_seconds_total",
        "pool_observer_full_total",
    }
    assert not absent & scraped.names
    assert scraped.one("db_client_connection_idle_max") == idle_max


def test_a_pool_whose_size_has_no_limit_has_no_limit_at_all(observed: Observe) -> None:
    registry = CollectorRegistry()
    engine = create_engine("sqlite://", poolclass=QueuePool, pool_size=0, max_overflow=7)
    observed(engine, name="orders", registry=registry)
    scraped = Scraped.of(registry)
    assert not {"db_client_connection_max", "db_client_connection_idle_max"} & scraped.names
    (info,) = scraped.all("pool_observer_info")
    assert (info.labels["size"], info.labels["overflow"]) == ("0", "-1")


def test_a_hold_that_is_overdue_is_told_while_it_is_open(bench: Bench) -> None:
    with holding("POST /chat"), bench.engine.connect():
        bench.clock.advance(31)
        with holding("export"), expect_long_hold(600, "an export"), bench.engine.connect():
            bench.clock.advance(31)
            for _ in range(2):
                scraped = bench.scrape()
                assert scraped.by("holder", "pool_observer_overdue_connections") == {
                    "POST /chat": 1.0,
                    "export": 0.0,
                }
    scraped = bench.scrape()
    assert scraped.one("pool_observer_overdue_connections", holder="POST /chat") == 0.0
    assert scraped.by("holder", "pool_observer_overdue_total") == {
        "POST /chat": 1.0,
        "export": 0.0,
    }


def test_a_hold_that_was_overdue_between_two_scrapes_is_counted(bench: Bench) -> None:
    with holding("POST /chat"), bench.engine.connect():
        bench.clock.advance(31)
    assert bench.scrape().one("pool_observer_overdue_total") == 1.0


def test_lost_and_detached_connections_are_told(bench: Bench) -> None:
    with holding("GET /"):
        lost: Any = bench.engine.raw_connection()
        detached = bench.engine.raw_connection()
    detached.detach()
    detached.close()
    del lost
    gc.collect()
    assert bench.scrape().by("how", "pool_observer_returns_total") == {
        "checkin": 0.0,
        "detached": 1.0,
        "lost": 1.0,
    }


def test_churn_is_told(bench: Bench) -> None:
    with bench.engine.connect() as connection:
        connection.invalidate()
    scraped = bench.scrape()
    assert scraped.one("pool_observer_connections_invalidated_total") == 1.0
    assert scraped.one("pool_observer_connections_closed_total") == 1.0


def test_holders_beyond_the_bound_are_other(bench: Bench) -> None:
    for number in range(10):
        with holding(f"job {number}"), bench.engine.connect():
            bench.clock.advance(31)
            scraped = bench.scrape()
    checkouts = scraped.by("holder", "pool_observer_checkouts_total")
    assert checkouts == {"job 0": 1, "job 1": 1, "job 2": 1, "job 3": 1, "other": 6}
    assert scraped.by("holder", "pool_observer_overdue_connections")["other"] == 1.0


def test_what_goes_wrong_inside_is_counted(bench: Bench) -> None:
    bench.observer.note_failure("a test")
    assert bench.scrape().one("pool_observer_internal_errors_total") == 1.0


def test_the_ledger_agrees_with_the_pool(bench: Bench) -> None:
    with bench.engine.connect():
        assert bench.scrape().one("pool_observer_ledger_drift") == 0.0


def test_durations_have_the_trace_to_look_them_up_in(bench: Bench) -> None:
    trace = TraceContext("a" * 32, "b" * 16, flags=1)
    unsampled = TraceContext("c" * 32, "d" * 16, flags=0)
    traces = iter([trace, unsampled])
    ledger = bench.observer._ledger
    for seconds in (1.5, 1.7):
        ledger.trace_context = lambda: Traced(next(traces))
        with bench.engine.connect():
            bench.clock.advance(seconds)
    scraped = bench.scrape()
    for name, value in (("wait", 0.0), ("use", 1.5)):
        exemplars = [
            sample.exemplar
            for sample in scraped.all(f"db_client_connection_{name}_time_seconds_bucket")
            if sample.exemplar is not None
        ]
        assert [(exemplar.labels, exemplar.value) for exemplar in exemplars] == [
            ({"trace_id": "a" * 32, "span_id": "b" * 16}, value)
        ]


def test_what_the_server_says_is_there_as_long_as_it_says_it(bench: Bench) -> None:
    held = JoinedHold(1, "GET /", Session(4711, Owner.OURS, SessionState.ACTIVE))
    server = ServerState(up=True, at=1.0, limits=ServerLimits(100, 3), holds=(held,))
    bench.observer.show_server(lambda: server)
    sessions = "pool_observer_server_holder_sessions"
    assert bench.scrape().one(sessions, holder="GET /", state="active") == 1.0
    server = ServerState(up=False, at=1.0, failures=1, error="OSError", limits=server.limits)
    scraped = bench.scrape()
    assert scraped.by("holder", sessions) == {}
    assert scraped.one("pool_observer_server_up") == 0.0
    assert scraped.one("pool_observer_server_probe_failures_total") == 1.0
    assert scraped.one("pool_observer_server_max_connections") == 100.0
