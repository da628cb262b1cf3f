"""A real Prometheus scrapes a real uvicorn, under load on a real PostgreSQL: is it the truth?

The truth is what the routes themselves say about their holds, and how many connections
PostgreSQL counts in use.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from pool_observer.metric import Kind
from pool_observer.prometheus_names import family_name, series_name
from tests.conftest import require
from tests.postgres import Postgres
from tests.prometheus.load import (
    ConnectionCounts,
    Seen,
    counting_connections,
    full_worker,
    mean_connections,
    under_load,
    warmed_up,
)
from tests.prometheus.observed_service import FILL, HOLDERS, MAX, Service, running_service
from tests.prometheus.prometheus_server import (
    Prometheus,
    eventually,
    fetched,
    running_prometheus,
    span,
)
from tests.prometheus.scraped import Scraped
from tests.support import UNPROBED

OLDEST_FIGURE_SECONDS = 1.5
"""How old the figures of a worker may be when there are several: they are written once a second."""

LOAD_SECONDS = 20.0
"""So long that a second of one worker, missing at one end of the range, is little of a rate."""

USED = 'db_client_connection_count{db_client_connection_state="used"}'
LIMIT = "db_client_connection_max"
SHARE_IN_USE = f"{USED} / ignoring (db_client_connection_state) {LIMIT}"
HELD_BY_FILL = (
    f'sum(pool_observer_checkouts_total{{holder="{FILL}"}})'
    f' - sum(pool_observer_returns_total{{holder="{FILL}"}})'
)
IDLE: dict[str, float] = {
    USED: 0,
    "db_client_connection_pending_requests": 0,
    "pool_observer_utilization_ratio": 0,
    "pool_observer_oldest_hold_seconds": 0,
    "pool_observer_oldest_wait_seconds": 0,
}


@dataclass(frozen=True)
class Watched:
    """A service that Prometheus scrapes, and the load it has had."""

    service: Service
    prometheus: Prometheus
    seen: Seen
    """What the clients of the load saw."""

    counts: ConnectionCounts
    before: float
    """A scrape before the load, when the service was idle."""

    after: float
    """A scrape after the load, when the service was idle again, and that was known."""

    steady: tuple[float, float]
    """Scrapes of which all figures are from under the load, the first and the last."""

    def increase(self, name: str) -> dict[str, float]:
        """The increase of a counter for each holder, from idle to idle."""
        across = span(self.before, self.after)
        return self.prometheus.by_holder(
            f"sum by (holder) (increase({name}{across}))", at=self.after
        )


@pytest.fixture(scope="module", params=[1, 4], ids=["1_worker", "4_workers"])
def watched(
    request: pytest.FixtureRequest, postgres: Postgres, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Watched]:
    binary = shutil.which("prometheus")
    require(binary is not None, "prometheus")
    folder = tmp_path_factory.mktemp("real_prometheus")
    with ExitStack() as stack:
        service = stack.enter_context(
            running_service(postgres.url("asyncpg"), request.param, folder)
        )
        prometheus = stack.enter_context(running_prometheus(str(binary), service.address, folder))
        eventually(lambda: all_workers_are_up(prometheus, service))
        warm_up = warmed_up(service)
        before = idle_after(prometheus, number_of_holds(warm_up))
        with counting_connections(postgres.url("psycopg")) as counts:
            with under_load(service) as seen:
                begun = time.time()
                time.sleep(LOAD_SECONDS)
                ended = time.time()
            after = idle_after(prometheus, number_of_holds(warm_up, seen))
        assert not seen.lost
        under_it = prometheus.scrapes(begun + OLDEST_FIGURE_SECONDS, ended)
        steady = under_it[0], under_it[-1]
        yield Watched(service, prometheus, seen, counts, before, after, steady)


def all_workers_are_up(prometheus: Prometheus, service: Service) -> bool:
    return prometheus.figure(LIMIT) == MAX * service.workers


def number_of_holds(*all_seen: Seen) -> dict[str, float]:
    return {holder: sum(len(seen.holds[holder]) for seen in all_seen) for holder in HOLDERS}


def idle_after(prometheus: Prometheus, holds: dict[str, float]) -> float:
    """A scrape that knows of all these holds, and that they are over."""

    def first_such() -> float | None:
        scrape = prometheus.last_scrape()
        all_is_known = all(
            prometheus.by_holder(f"sum by (holder) ({name})", scrape) == holds
            for name in (
                "pool_observer_checkouts_total",
                "pool_observer_returns_total",
                "db_client_connection_use_time_seconds_count",
            )
        )
        return scrape if all_is_known and prometheus.figure(USED, scrape) == 0 else None

    # One scrape more: that one may have met a worker in the middle of writing its figures.
    return prometheus.scrape_after(eventually(first_such))


def test_increase_of_use_time_is_what_the_clients_saw(watched: Watched) -> None:
    increase = watched.increase("db_client_connection_use_time_seconds_sum")
    assert increase.keys() == watched.seen.holds.keys()
    for holder, holds in watched.seen.holds.items():
        assert increase[holder] == pytest.approx(sum(holds), rel=0.01)


def test_increase_of_the_count_is_the_number_of_requests(watched: Watched) -> None:
    increase = watched.increase("db_client_connection_use_time_seconds_count")
    assert {holder: round(count) for holder, count in increase.items()} == number_of_holds(
        watched.seen
    )


def test_activities_add_up_to_the_use_time(watched: Watched) -> None:
    use_time = watched.increase("db_client_connection_use_time_seconds_sum")
    assert watched.increase("pool_observer_activity_seconds_total") == pytest.approx(use_time)


def test_rate_of_activity_is_the_number_of_connections_that_postgresql_counted(
    watched: Watched,
) -> None:
    first, last = watched.steady
    rate = f"sum(rate(pool_observer_activity_seconds_total{span(first, last)}))"
    counted = mean_connections(watched.counts, first, last)
    assert watched.prometheus.figure(rate, at=last) == pytest.approx(counted, rel=0.05)


def test_utilization_under_load_is_that_of_one_worker(watched: Watched) -> None:
    first, last = watched.steady
    highest = f"max_over_time(pool_observer_utilization_ratio{span(first, last)})"
    utilization = watched.prometheus.figure(highest, at=last)
    # A sum of several workers would be above 1.
    assert utilization is not None
    assert 0.5 < utilization <= 1


@pytest.mark.parametrize("watched", [4], indirect=True)
def test_a_full_worker_shows_though_the_others_are_idle(watched: Watched) -> None:
    full = {"pool_observer_utilization_ratio": 1.0, SHARE_IN_USE: 1 / 4}
    with full_worker(watched.service):
        eventually(lambda: watched.prometheus.shows(full))
    eventually(lambda: watched.prometheus.shows(IDLE))


@pytest.mark.parametrize("watched", [4], indirect=True)
def test_a_killed_worker_takes_its_gauges_along_and_leaves_its_counters(watched: Watched) -> None:
    prometheus, service = watched.prometheus, watched.service
    idle = IDLE | {LIMIT: float(MAX * service.workers)}
    eventually(lambda: prometheus.shows(idle))
    first = prometheus.last_scrape()
    with under_load(service) as seen:
        with full_worker(service) as victim:
            eventually(lambda: prometheus.shows({HELD_BY_FILL: MAX}))
            os.kill(victim, signal.SIGKILL)
        prometheus.scrape_after(time.time() + OLDEST_FIGURE_SECONDS)
    assert seen.lost
    with under_load(service):  # which needs all workers, so that there is a new one
        prometheus.scrape_after(time.time() + OLDEST_FIGURE_SECONDS)
    eventually(lambda: prometheus.shows(idle))

    last = prometheus.last_scrape()
    across = span(first, last)
    assert prometheus.figure(f"max_over_time({LIMIT}{across})", last) == idle[LIMIT]
    for name in counters():
        resets = prometheus.query(f"resets({name}{across})", last)
        assert resets, f"there is no {name}"
        assert not any(resets.values()), f"{name} has gone backwards"


def counters() -> list[str]:
    """All series that may only grow."""
    return [
        series_name(metric) + suffix
        for metric in UNPROBED
        if metric.kind is not Kind.GAUGE
        for suffix in (["_bucket", "_count", "_sum"] if metric.kind is Kind.HISTOGRAM else [""])
    ]


def test_promtool_has_nothing_to_say(watched: Watched) -> None:
    promtool = shutil.which("promtool")
    require(promtool is not None, "promtool")
    said = subprocess.run(
        [str(promtool), "check", "metrics"],
        input=fetched(f"{watched.service.url}/metrics", "text/plain"),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert (said.returncode, said.stdout) == (0, "")


def test_openmetrics_are_well_formed(watched: Watched) -> None:
    openmetrics = "application/openmetrics-text; version=1.0.0"
    text = fetched(f"{watched.service.url}/metrics", openmetrics)
    families = Scraped.of_openmetrics(text).families
    assert families.keys() >= set(map(family_name, UNPROBED))
