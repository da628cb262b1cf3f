"""Prometheus's two text formats, as far as we write them ourselves.

prometheus_client makes an object of every sample, and checks and escapes each of its labels.
With hundreds of holders that takes a tenth of a second, and then has the garbage collector stop
the whole process while it looks at all those objects.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from prometheus_client.utils import floatToGoString

go_string: Callable[[float], str] = floatToGoString
"""A number as Prometheus writes it."""


def heading(
    name: str, kind: str, help_text: str, *, openmetrics: bool, unit: str = ""
) -> Iterator[str]:
    """What is said of a metric before its series. Counters have names without `_total`."""
    text = help_text.replace("\\", r"\\").replace("\n", r"\n")
    if openmetrics:
        text = text.replace('"', r"\"")
    elif kind == "counter":
        name += "_total"
    elif kind == "gauge" and name.endswith("_count"):
        # OpenTelemetry has a gauge of such a name. The plain format keeps the suffix for
        # histograms, and lets only an untyped metric have it.
        kind = "untyped"
    yield f"# HELP {name} {text}\n# TYPE {name} {kind}\n"
    if openmetrics and unit:
        yield f"# UNIT {name} {unit}\n"


def escaped(value: str) -> str:
    """The value of a label, as it stands between quotes."""
    if "\\" in value or '"' in value or "\n" in value:
        return value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
    return value


def line(name: str, labels: str, figure: float, exemplar: str = "") -> str:
    """A series and its figure."""
    series = f"{name}{{{labels}}}" if labels else name
    return f"{series} {go_string(figure)}{exemplar}\n"


def histogram(
    name: str,
    labels: str,
    buckets: Iterable[tuple[str, float]],
    total: float | None,
    exemplars: Callable[[int], str] = lambda _: "",
) -> Iterator[str]:
    """A series of a histogram: the counts of its buckets by their upper bounds, and the sum."""
    separator = "," if labels else ""
    count = 0.0
    for number, (bound, in_bucket) in enumerate(buckets):
        count += in_bucket
        le = f'{labels}{separator}le="{bound}"'
        yield line(f"{name}_bucket", le, count, exemplars(number))
    yield line(f"{name}_count", labels, count)
    if total is not None:
        yield line(f"{name}_sum", labels, total)
