"""Averages of targets that are younger than the window, by a real Prometheus."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from pool_observer.advice.asking import Asker
from pool_observer.advice.measurement import PoolLoad
from pool_observer.advice.source import measurement_of
from tests.advice.stored_samples import ARRIVALS, HELD, SCRAPED_EVERY, prometheus_with
from tests.prometheus.prometheus_server import Prometheus

HOUR, DAY = 3600, 86400
AGES = {"minutes": 700, "hours": 3 * HOUR, "days": 3 * DAY}


@dataclass(frozen=True)
class Stored:
    prometheus: Prometheus
    began: dict[str, int]

    def measured(self, instance: str, window: int) -> PoolLoad:
        selector = f'instance="{instance}"'
        (found,) = measurement_of(self.prometheus.url, Asker({}, 30.0), window, selector).pools
        return found


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stored]:
    began = {instance: int(time.time()) - age for instance, age in AGES.items()}
    with prometheus_with(began, tmp_path_factory.mktemp("stored_samples")) as it:
        yield Stored(it, began)


@pytest.mark.parametrize("window", [HOUR, DAY, 7 * DAY, 90 * DAY])
@pytest.mark.parametrize("instance", AGES)
def test_averages_are_of_the_time_for_which_there_are_samples(
    stored: Stored, instance: str, window: int
) -> None:
    found = stored.measured(instance, window)
    seconds = min(time.time() - stored.began[instance], window)
    # Prometheus sees neither what was before the first sample nor what is after the last.
    exactness = 2 * SCRAPED_EVERY / seconds + 0.005
    assert found.window_seconds == pytest.approx(seconds, rel=exactness)
    assert found.peak_seconds == found.window_seconds
    (chat,) = found.holders
    assert chat.arrivals == pytest.approx(ARRIVALS, rel=exactness)
    assert chat.executing == pytest.approx(HELD["executing"], rel=exactness)
    assert chat.in_transaction == pytest.approx(HELD["in_transaction"], rel=exactness)
