"""The files of all workers come to what prometheus_client says they come to."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Summary, values
from prometheus_client.exposition import choose_encoder
from prometheus_client.mmap_dict import MmapedDict
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_plain

from pool_observer.prometheus import workers as module
from pool_observer.prometheus.rendering import render
from pool_observer.prometheus.turns import Turns
from pool_observer.prometheus.workers import UnusualError, Workers

PLAIN = ""
OPENMETRICS = "application/openmetrics-text;version=1.0.0"
FORMATS = pytest.mark.parametrize("accept", [PLAIN, OPENMETRICS])
DOTS = "text/plain;version=1.0.0;escaping=dots"
VALUES = "the class of its values"
ESCAPES = pytest.mark.skipif(
    "escaping" not in choose_encoder(DOTS)[1], reason="this prometheus_client escapes no names"
)
MODES = [
    *("all", "liveall", "min", "livemin", "max", "livemax"),
    *("sum", "livesum", "mostrecent", "livemostrecent"),
]


class Service:
    """Several workers, each with metrics of every kind, in this one process."""

    def __init__(self, directory: Path, monkeypatch: pytest.MonkeyPatch, count: int = 3) -> None:
        self.directory = directory
        self._files: list[MmapedDict] = []
        monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(directory))
        monkeypatch.setattr(values, "MmapedDict", self._opened)
        self.workers: list[dict[str, Any]] = []
        for number in range(count):
            kind = values.MultiProcessValue(lambda number=number: f"1{number}")  # type: ignore[no-untyped-call]
            monkeypatch.setattr(values, "ValueClass", kind)
            self.workers.append({**self._metrics(), VALUES: kind})

    def _opened(self, filename: str) -> MmapedDict:
        self._files.append(MmapedDict(filename))  # type: ignore[no-untyped-call]
        return self._files[-1]

    def _metrics(self) -> dict[str, Any]:
        registry = CollectorRegistry()
        gauges = {
            f"gauge_{mode}": Gauge(
                f"gauge_{mode}",
                "A gauge.",
                ["label"],
                registry=registry,
                multiprocess_mode=mode,  # type: ignore[arg-type]
            )
            for mode in MODES
        }
        return gauges | {
            "counter": Counter("things", 'With "quotes",\na \\ and a line.', registry=registry),
            "labelled": Counter("labelled", "L.", ["b", "a"], registry=registry),
            "summary": Summary("summary_seconds", "S.", ["label"], registry=registry),
            "histogram": Histogram(
                "hist_seconds", "H.", ["label"], registry=registry, buckets=(0.1, 1, 10)
            ),
            "plain": Histogram("plain_seconds", "P.", registry=registry, buckets=(1, 2_000_000)),
            "count": Gauge("open_count", "C.", registry=registry, multiprocess_mode="livesum"),
            "le": Gauge("le", "Le.", ["le"], registry=registry, multiprocess_mode="max"),
        }

    def close(self) -> None:
        for file in self._files:
            file.close()  # type: ignore[no-untyped-call]


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    service = Service(tmp_path, monkeypatch)
    yield service
    service.close()


def do(worker: dict[str, Any], what: str, label: str, value: float) -> None:
    """Have one of the workers change one of its metrics."""
    values.ValueClass = worker[VALUES]  # series are made when their labels are first asked for
    metric = worker[what]
    if what in ("counter", "plain", "count"):
        pass
    elif what == "labelled":
        metric = metric.labels(b=label, a="x")
    else:
        metric = metric.labels(label)
    if what.startswith(("gauge", "count", "le")) and hasattr(metric, "set"):
        metric.set(value)
    elif hasattr(metric, "observe"):
        metric.observe(abs(value))
    else:
        metric.inc(abs(value))


def said(families: Any) -> dict[str, Any]:
    """What some families say, whatever their order."""
    return {
        family.name: (
            family.type,
            family.documentation,
            {(s.name, *sorted(s.labels.items())): s.value for s in family.samples},
        )
        for family in families
    }


def by_prometheus_client(directory: Path, accept: str) -> dict[str, Any]:
    page = said(MultiProcessCollector(None, str(directory)).collect())  # type: ignore[no-untyped-call]
    if not accept and "open_count" in page:
        page["open_count"] = ("unknown", *page["open_count"][1:])  # on purpose
    return page


def by_us(workers: Workers, accept: str) -> dict[str, Any]:
    read: Any = read_openmetrics if accept else read_plain
    return said(read(render(CollectorRegistry(), workers, accept=accept).body.decode()))


steps = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.sampled_from(
            [
                *(f"gauge_{mode}" for mode in MODES),
                *("counter", "labelled", "summary", "histogram", "plain", "count", "le"),
            ]
        ),
        st.sampled_from(["", "x", 'say "hi"', "back\\slash", "new\nline", "☃", "a,b=c"]),
        # Of which the sum is the same in any order: prometheus_client takes files as they come.
        st.one_of(st.integers(-4000, 4000).map(lambda number: number / 4), st.just(1e6)),
    ),
    max_size=30,
)


@FORMATS
@settings(
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    max_examples=60,
)
@given(steps=steps)
def test_it_comes_to_the_same(
    accept: str, service: Service, steps: list[tuple[int, str, str, float]]
) -> None:
    workers = Workers(service.directory)
    for number, what, label, value in steps:
        do(service.workers[number], what, label, value)
    assert by_us(workers, accept) == by_prometheus_client(service.directory, accept)
    # And again, with what is known from the first time.
    for number, what, label, value in steps:
        do(service.workers[number], what, label, value)
    assert by_us(workers, accept) == by_prometheus_client(service.directory, accept)


@FORMATS
def test_every_kind_comes_to_the_same(accept: str, service: Service) -> None:
    for number, worker in enumerate(service.workers):
        for what in worker.keys() - {VALUES}:
            do(worker, what, f"label {number % 2}", number + 0.5)
    page = by_us(Workers(service.directory), accept)
    assert page == by_prometheus_client(service.directory, accept)
    assert len(page) == len(service.workers[0]) - 1


@pytest.mark.parametrize("mode", MODES)
def test_gauges_are_put_together_as_their_mode_says(service: Service, mode: str) -> None:
    for number, value in ((2, 20), (0, 10), (1, 30), (0, 15)):
        do(service.workers[number], f"gauge_{mode}", "x", value)
    page = by_us(Workers(service.directory), PLAIN)
    assert page == by_prometheus_client(service.directory, PLAIN)
    expected = {"min": [15], "max": [30], "sum": [65], "mostrecent": [15], "all": [15, 20, 30]}
    assert sorted(page[f"gauge_{mode}"][2].values()) == expected[mode.removeprefix("live")]


def test_it_does_not_call_prometheus_client_for_that(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(MultiProcessCollector, "collect", refuse)
    do(service.workers[0], "counter", "", 1)
    assert b"things_total 1.0" in render(CollectorRegistry(), Workers(service.directory)).body


def test_what_is_left_to_prometheus_client_is_there_too(service: Service) -> None:
    do(service.workers[0], "counter", "", 1)
    workers = Workers(service.directory)
    some = render(CollectorRegistry(), workers, names=["things_total"]).body
    assert b"things_total 1.0" in some
    assert b"plain_seconds" not in some


@ESCAPES
def test_who_wants_names_escaped_is_left_to_prometheus_client(service: Service) -> None:
    do(service.workers[0], "counter", "", 1)
    dots = render(CollectorRegistry(), Workers(service.directory), accept=DOTS)
    assert b"things__total 1.0" in dots.body


@ESCAPES
def test_a_name_that_has_to_be_escaped_is_left_to_prometheus_client(service: Service) -> None:
    key = '["a.name", "a.name", {}, "Help."]'
    value = MmapedDict(str(service.directory / "counter_99.db"))  # type: ignore[no-untyped-call]
    value.write_value(key, 3.0, 0.0)  # type: ignore[no-untyped-call]
    value.close()  # type: ignore[no-untyped-call]
    workers = Workers(service.directory)
    with pytest.raises(UnusualError):
        list(workers.write(Turns(), openmetrics=False))
    assert b"3.0" in render(CollectorRegistry(), workers).body


def test_a_file_of_a_kind_we_do_not_know_is_left_to_prometheus_client(service: Service) -> None:
    (service.directory / "counter_10.db").rename(service.directory / "novelty_10.db")
    with pytest.raises(UnusualError):
        list(Workers(service.directory).write(Turns(), openmetrics=False))


def test_buckets_are_added_up_in_the_order_of_their_bounds(service: Service) -> None:
    file = MmapedDict(str(service.directory / "histogram_99.db"))  # type: ignore[no-untyped-call]
    for bound in ("10.0", "+Inf", "1.0"):
        key = f'["late", "late_bucket", {{"le": "{bound}"}}, "Help."]'
        file.write_value(key, 1.0, 0.0)  # type: ignore[no-untyped-call]
    file.close()  # type: ignore[no-untyped-call]
    page = by_us(Workers(service.directory), PLAIN)
    assert page["late"] == by_prometheus_client(service.directory, PLAIN)["late"]
    assert list(page["late"][2].values()) == [1.0, 2.0, 3.0, 3.0]


def test_a_gauge_whose_worker_has_just_died_is_no_error(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    for worker in service.workers:
        do(worker, "count", "", 1)
    victim = service.directory / "gauge_livesum_11.db"
    file_of = module._file

    def vanishing(path: Path) -> module.File:
        if path == victim and victim.exists():
            victim.unlink()
        return file_of(path)

    monkeypatch.setattr(module, "_file", vanishing)
    assert b"open_count 2.0" in render(CollectorRegistry(), Workers(service.directory)).body


def test_what_is_there_no_more_is_forgotten(service: Service) -> None:
    for worker in service.workers:
        do(worker, "labelled", "x", 1)
    workers = Workers(service.directory)
    list(workers.write(Turns(), openmetrics=False))
    assert workers._known
    for path in service.directory.glob("*.db"):
        path.unlink()
    assert list(workers.write(Turns(), openmetrics=False)) == []
    assert workers._known == {}


def test_without_a_directory_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(NotADirectoryError):
        render(CollectorRegistry(), Workers(tmp_path / "absent"))


def test_the_garbage_collector_has_little_to_look_at(service: Service) -> None:
    for number in range(200):
        for worker in service.workers:
            do(worker, "histogram", str(number), 1)
            do(worker, "labelled", str(number), 1)
    workers = Workers(service.directory)
    list(workers.write(Turns(), openmetrics=True))
    gc.collect()
    gc.disable()
    try:
        list(workers.write(Turns(), openmetrics=True))
        grown = gc.get_count()[0]
    finally:
        gc.enable()
    # Two lists for each histogram, in a tuple, and little else; there are 1,400 series.
    assert grown < 3 * 200 + 200
