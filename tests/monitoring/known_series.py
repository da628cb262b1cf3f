"""The series that queries may ask for: ours by their contract, and those of Prometheus itself and
of the exporters beside us.

What the other exporters give was captured: `postgres_exporter` 0.11.1 was run on PostgreSQL 18,
`pgbouncer_exporter` has its names in `collector.go`. Only what other releases give as well is here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from pool_observer.contract import CONTRACT
from pool_observer.metric import Across, Kind, Metric
from pool_observer.prometheus_names import label_names, series_name
from tests.monitoring.units import SHARE


@dataclass(frozen=True, slots=True)
class Series:
    """What is known of one series name, whoever exports it."""

    labels: frozenset[str]
    counter: bool = False
    seconds: int | None = 0
    """1 where it is in seconds, 0 where things are counted, nothing where it is either."""
    buckets: int | None = None
    """The same of what is in the buckets of a histogram."""
    scale: str = ""
    """Whether it is a share, between 0 and 1 (`units.py`)."""
    one_worst: bool = False
    """Every process says the same, or each its worst: adding them up means nothing."""
    adds_up: bool = False
    """What processes say of themselves: all of it is the sum, and nothing else."""
    follow: frozenset[str] = frozenset()
    """Labels that follow from the others, so that nothing is double without them."""


Known = Mapping[str, Series]


def our_series() -> dict[str, Series]:
    """All that the exporter gives, without the labels that a scrape adds."""
    return dict(found for metric in CONTRACT for found in _series(metric))


def other_series() -> dict[str, Series]:
    """All that the optional rows may ask for, without the labels that a scrape adds."""
    return {**_POSTGRES, **_PGBOUNCER}


def scraped(series: Known, labels: frozenset[str]) -> dict[str, Series]:
    """The series as Prometheus keeps them, with the labels of their targets, and its own `up`."""
    of_targets = {"up": Series(frozenset())}
    return {
        name: replace(found, labels=found.labels | labels)
        for name, found in {**series, **of_targets}.items()
    }


def _series(metric: Metric) -> Iterator[tuple[str, Series]]:
    name, labels = series_name(metric), frozenset(label_names(metric))
    seconds = int(metric.unit == "s")
    if metric.kind is Kind.HISTOGRAM:
        yield f"{name}_bucket", Series(labels | {"le"}, True, buckets=seconds, adds_up=True)
        yield f"{name}_count", Series(labels, True, adds_up=True)
        yield f"{name}_sum", Series(labels, True, seconds, adds_up=True)
    else:
        one_worst = metric.kind is Kind.GAUGE and metric.across is not Across.SUM
        yield (
            name,
            Series(
                labels,
                counter=metric.kind is Kind.COUNTER,
                seconds=seconds,
                scale=SHARE if metric.unit == "1" else "",
                one_worst=one_worst,
                # The worst process is what a share of the time is asked of.
                adds_up=not one_worst and not seconds,
                follow=labels - {label_names(metric)[0]} if name.endswith("_info") else frozenset(),
            ),
        )


def _table(
    prefix: str, names: str, labels: str, *, counter: bool = False, age: bool = False
) -> dict[str, Series]:
    series = Series(frozenset(labels.split()), counter, int(age), one_worst=age)
    return {f"{prefix}_{name}": series for name in names.split()}


_POSTGRES = {
    **_table("pg", "up", ""),
    **_table("pg_settings", "max_connections superuser_reserved_connections", ""),
    **_table("pg_settings", "reserved_connections", ""),
    **_table("pg_stat_activity", "count", "datname state"),
    **_table("pg_stat_activity", "max_tx_duration", "datname state", age=True),
    **_table("pg_stat_database", "numbackends", "datid datname"),
    **_table(
        "pg_stat_database",
        "xact_commit xact_rollback deadlocks conflicts blks_hit blks_read tup_returned "
        "tup_fetched tup_inserted tup_updated tup_deleted temp_bytes temp_files",
        "datid datname",
        counter=True,
    ),
    **_table("pg_locks", "count", "datname mode"),
    **_table("pg_database", "size_bytes", "datname"),
}

_DATABASES = "name host port database force_user pool_mode"
_PGBOUNCER = {
    **_table("pgbouncer", "up used_clients free_clients used_servers free_servers", ""),
    **_table("pgbouncer_config", "max_client_connections max_user_connections", ""),
    **_table(
        "pgbouncer_pools",
        "client_active_connections client_waiting_connections server_active_connections "
        "server_idle_connections server_used_connections server_testing_connections "
        "server_login_connections",
        "database user",
    ),
    **_table("pgbouncer_pools", "client_maxwait_seconds", "database user", age=True),
    **_table(
        "pgbouncer_databases",
        "pool_size reserve_pool max_connections current_connections paused disabled",
        _DATABASES,
    ),
}
