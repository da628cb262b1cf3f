from __future__ import annotations

import pytest

from pool_observer.monitoring.scope import HOLDER, PROCESS, Scope, duration
from pool_observer.monitoring.settings import Settings

CHECKOUTS = "pool_observer.checkouts"


@pytest.mark.parametrize(
    ("seconds", "written"),
    [(300, "5m"), (90, "90s"), (0.25, "250ms"), (3600, "1h"), (259200, "3d"), (0, "0ms")],
)
def test_a_span_is_written_in_the_largest_unit_that_needs_no_fraction(
    seconds: float, written: str
) -> None:
    assert duration(seconds) == written


def test_series_have_the_selector_the_choice_and_the_holder() -> None:
    scope = Scope(Settings(selector='env="prod",'), ('job=~"$job"',), 'holder=~"$holder"')

    assert scope.series(CHECKOUTS) == (
        'pool_observer_checkouts_total{env="prod", job=~"$job", holder=~"$holder"}'
    )
    assert scope.series("pool_observer.info") == ('pool_observer_info{env="prod", job=~"$job"}')


def test_labels_are_called_what_the_user_calls_them() -> None:
    settings = Settings(job_label="service", instance_label="pod", keep=("cluster", "namespace"))

    assert Scope(settings).labels(HOLDER) == (
        "cluster, namespace, service, pod, db_client_connection_pool_name, holder"
    )


def test_a_metric_or_label_that_is_not_there_cannot_be_asked_for() -> None:
    scope = Scope(Settings())

    with pytest.raises(KeyError):
        scope.series("pool_observer.checkout")
    with pytest.raises(ValueError, match="no label how"):
        scope.series(CHECKOUTS, 'how="lost"')
    with pytest.raises(ValueError, match="no part"):
        scope.rate(PROCESS, CHECKOUTS, part="_bucket")
    with pytest.raises(ValueError, match="no part"):
        scope.rate(PROCESS, "db.client.connection.wait_time")


def test_what_is_new_is_what_was_not_there_for_long() -> None:
    scope = Scope(Settings())

    assert scope.born(("holder",), CHECKOUTS) == (
        "sum by (holder) (pool_observer_checkouts_total unless "
        "max_over_time(pool_observer_checkouts_total[1h] offset 5m))"
    )
