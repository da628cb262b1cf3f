"""The reference of our metrics in `docs/metrics.md`, written from the table itself."""

from __future__ import annotations

from pool_observer.contract import CONTRACT
from pool_observer.metric import POOL_LABEL, Across, Kind, Metric
from pool_observer.prometheus_names import label_names, prometheus_label, series_name

_INTRODUCTION = f"""\
# Metrics

Written by `pool-observer metrics`; do not edit.

Every series has the pool's name in `{prometheus_label(POOL_LABEL)}`. `holder` is on whose behalf:
[a route, a job](attribution.md), `unattributed`, `unmatched` (404s), or `other` (whoever comes
after the 200th). [OpenTelemetry](opentelemetry.md) is told the same, in the same units, under the
names in the second column; labels have dots there where they have underscores here.

Several workers are added up, except where it says *worst*: there the worst of them is shown.
"""

_STANDARD = """\
## OpenTelemetry's semantic conventions

All nine metrics of `db.client.connection.*`.
"""

_OURS = """
## Ours
"""

_NOTES = """

## Buckets

{buckets}

## Notes

* Pools without a limit (`NullPool`, `max_overflow=-1`) have no `max`, `utilization` and `full`.
* A pool's own series are there from its first moment, at 0. A holder's are there, all of them,
  from its first use.
* `activity_seconds` counts open holds as they run; `use_time` counts holds that are over. Their
  difference is what has not been given back.
* In the plain text format `db_client_connection_count` is untyped, because there the suffix
  belongs to histograms. In OpenMetrics, which Prometheus asks for, it is the gauge it is.
"""


def markdown() -> str:
    """The whole page."""
    standard = [metric for metric in CONTRACT if metric.name.startswith("db.")]
    ours = [metric for metric in CONTRACT if metric not in standard]
    parts = [_INTRODUCTION, _STANDARD, _table(standard), _OURS, _table(ours)]
    return "\n".join(parts) + _NOTES.format(buckets=_buckets())


def _table(metrics: list[Metric]) -> str:
    rows = ["| name | in OpenTelemetry | kind | labels | meaning |", "|---|---|---|---|---|"]
    for metric in metrics:
        labels = ", ".join(f"`{label}`" for label in label_names(metric)[1:])
        worst = metric.kind is Kind.GAUGE and metric.across is not Across.SUM
        kind = f"{metric.kind.value}, worst" if worst else metric.kind.value
        name = f"`{series_name(metric)}` | `{metric.name}`"
        rows.append(f"| {name} | {kind} | {labels} | {metric.help} |")
    return "\n".join(rows)


def _buckets() -> str:
    rows = ["| histogram | upper bounds in seconds |", "|---|---|"]
    for metric in CONTRACT:
        if metric.bounds:
            bounds = ", ".join(f"{bound:g}" for bound in metric.bounds)
            rows.append(f"| `{series_name(metric)}` | {bounds} |")
    return "\n".join(rows)
