from __future__ import annotations

import pytest

from pool_observer.advice.series import POOL, labels, series
from pool_observer.contract import CONTRACT
from pool_observer.metric import Metric
from pool_observer.prometheus_names import label_names, series_name


@pytest.mark.parametrize("metric", CONTRACT, ids=lambda metric: metric.name)
def test_names_are_those_that_are_exported(metric: Metric) -> None:
    assert series(metric.name) == series_name(metric)
    assert {POOL, *labels(metric.name)} == set(label_names(metric))
