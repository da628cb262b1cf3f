"""A real Prometheus that scrapes a real service: what the command reads from it is the truth.

The truth is what the routes themselves say about their holds.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from statistics import fmean

import pytest

from pool_observer.advice.advising import advise
from pool_observer.advice.asking import Asker
from pool_observer.advice.measurement import CannotMeasureError, Measurement, PoolLoad
from pool_observer.advice.source import measurement_of
from tests.advice.commanding import command
from tests.conftest import require
from tests.postgres import Postgres
from tests.prometheus.load import CLIENTS_PER_WORKER, Seen, under_load, warmed_up
from tests.prometheus.observed_service import (
    HOLDERS,
    MAX,
    OVERFLOW,
    SIZE,
    Service,
    running_service,
)
from tests.prometheus.prometheus_server import Prometheus, eventually, running_prometheus

ASKER = Asker({}, 30.0)
WINDOW = 300


@dataclass(frozen=True)
class Watched:
    service: Service
    prometheus: Prometheus
    seen: Seen
    before: float
    """A scrape before the load; all series were there by then."""

    def measured(self, selector: str = "") -> Measurement:
        return measurement_of(self.prometheus.url, ASKER, WINDOW, selector)

    def pool(self) -> PoolLoad:
        (found,) = self.measured().pools
        return found


@pytest.fixture(scope="module", params=[1, 2], ids=["1_worker", "2_workers"])
def watched(
    request: pytest.FixtureRequest, postgres: Postgres, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Watched]:
    binary = shutil.which("prometheus")
    require(binary is not None, "prometheus")
    folder = tmp_path_factory.mktemp("advice_prometheus")
    with ExitStack() as stack:
        service = stack.enter_context(
            running_service(postgres.url("asyncpg"), request.param, folder)
        )
        warm_up = warmed_up(service)
        prometheus = stack.enter_context(running_prometheus(str(binary), service.address, folder))
        warm = {name: float(len(warm_up.holds[name])) for name in HOLDERS}
        eventually(lambda: returns(prometheus) == warm)
        before = prometheus.last_scrape()
        with under_load(service) as seen:
            for _ in range(8):
                prometheus.scrape_after(time.time())
        assert not seen.lost
        taken = {name: warm[name] + len(seen.holds[name]) for name in HOLDERS}
        eventually(lambda: returns(prometheus) == taken)
        yield Watched(service, prometheus, seen, before)


def returns(prometheus: Prometheus) -> dict[str, float]:
    """How many connections were given back, by holder."""
    return prometheus.by_holder("sum by (holder) (pool_observer_returns_total)")


def test_the_pool_is_read_from_its_metrics(watched: Watched) -> None:
    pool = watched.pool()
    assert (pool.name, pool.workers) == ("orders", watched.service.workers)
    assert pool.source == f"job=service, instance={watched.service.address}"
    assert (pool.size, pool.max_overflow, pool.max) == (SIZE, OVERFLOW, MAX)
    assert (pool.dialect, pool.driver, pool.timed_out) == ("postgresql", "asyncpg", 0)


def test_routes_are_measured_as_they_say_themselves(watched: Watched) -> None:
    pool, holds = watched.pool(), watched.seen.holds
    assert {each.holder for each in pool.holders} == set(HOLDERS)
    for each in pool.holders:
        own = holds[each.holder]
        assert each.mean_hold == pytest.approx(fmean(own), rel=0.1)
        # Prometheus extrapolates a range by an interval in all, and there are few of them here.
        assert each.arrivals * pool.window_seconds == pytest.approx(len(own), rel=0.25)
        assert each.connections * pool.window_seconds == pytest.approx(sum(own), rel=0.25)


def test_littles_law_holds_of_what_was_measured(watched: Watched) -> None:
    # Here the mean is measured by itself, and not worked out from the other two.
    for each in watched.pool().holders:
        assert each.connections == pytest.approx(each.arrivals * each.mean_hold, rel=0.05)


def test_the_peak_is_that_of_one_worker(watched: Watched) -> None:
    # More clients than connections, none of which asks for two at a time.
    assert MAX < watched.pool().peak_demand <= CLIENTS_PER_WORKER * watched.service.workers


def test_the_window_is_no_longer_than_there_are_samples(watched: Watched) -> None:
    # It began by the scrape before the load, and after Prometheus did.
    assert time.time() - watched.before <= watched.pool().window_seconds + 1 < WINDOW


def test_advice_is_to_be_had_from_it(watched: Watched) -> None:
    (advice,) = advise(watched.measured(), least_seconds=1)
    assert advice.refusal is None
    assert advice.load.saturated
    assert advice.needed > MAX
    assert advice.bouncer is not None


def test_a_selector_chooses_the_series(
    watched: Watched, capsys: pytest.CaptureFixture[str]
) -> None:
    assert [pool.name for pool in watched.measured('job="service"').pools] == ["orders"]
    with pytest.raises(CannotMeasureError, match='no pool_observer_peak_demand with job="other"'):
        watched.measured('job="other"')
    assert command(watched.prometheus.url, "--selector", "job=") == 2
    assert "Prometheus refuses the question" in capsys.readouterr().err


def test_the_command_says_that_it_was_watched_for_too_short(
    watched: Watched, capsys: pytest.CaptureFixture[str]
) -> None:
    status = command(watched.prometheus.url, "--window", "30s")
    said = capsys.readouterr().out
    assert (status, "ask again after 60 s" in said) == (1, True)
    assert 'pool "orders"' in said
