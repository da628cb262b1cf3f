"""One worker of several: what it writes into prometheus_client's files."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import REGISTRY, CollectorRegistry, values
from prometheus_client.multiprocess import MultiProcessCollector

from pool_observer import PoolObserver, holding, observe
from pool_observer.prometheus.collector import PoolCollector
from pool_observer.prometheus.exporting import write_now
from tests.conftest import Observe
from tests.prometheus.apps import an_app, get
from tests.prometheus.scraped import Scraped
from tests.prometheus.worker import Worker, scrape
from tests.support import FakeDatabase, wait_until


@pytest.fixture
def worker(multiprocess: Path) -> Iterator[Worker]:
    worker = Worker(multiprocess)
    with worker.observer:
        yield worker


def comparable(scraped: Scraped) -> dict[Any, float]:
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value for sample in scraped.samples
    }


def collected(observer: PoolObserver) -> Scraped:
    """What a collector says of the same pool."""
    collector = PoolCollector(CollectorRegistry())
    collector.observers.add(observer)
    return Scraped(collector.collect())


def test_it_writes_what_a_collector_would_say(worker: Worker, multiprocess: Path) -> None:
    worker.write()
    assert comparable(scrape(multiprocess)) == comparable(collected(worker.observer))
    for _ in range(2):
        worker.works()
        with holding("open"), worker.engine.connect():
            worker.clock.advance(1)
            worker.write()
            assert comparable(scrape(multiprocess)) == comparable(collected(worker.observer))


def test_only_what_has_changed_is_written(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    worker.works()
    worker.write()
    written: list[object] = []
    set_value = values.ValueClass.set

    def note_and_set(value: object, *what: object) -> None:
        written.append(value)
        set_value(value, *what)

    monkeypatch.setattr(values.ValueClass, "set", note_and_set)
    worker.write()
    assert written == []
    with holding("GET /"), worker.engine.connect():
        pass
    worker.write()
    assert 0 < len(written) < 10


def test_totals_go_on_where_an_earlier_process_of_the_same_id_left_them(
    worker: Worker, multiprocess: Path
) -> None:
    worker.works()
    worker.write()
    before = comparable(scrape(multiprocess))
    reborn = Worker(multiprocess)
    with reborn.observer:
        reborn.works()
        reborn.write()
        after = comparable(scrape(multiprocess))
    totals = {key for key in before if key[0].endswith(("_total", "_sum", "_count", "_bucket"))}
    totals = {key for key in totals if key[0] != "db_client_connection_count"}
    assert {key: after[key] for key in totals} == {key: 2 * before[key] for key in totals}
    gauges = set(before) - totals
    assert {key: after[key] for key in gauges} == {key: before[key] for key in gauges}


def test_a_gauge_that_has_no_figure_any_more_is_0(worker: Worker, multiprocess: Path) -> None:
    worker.write()
    state = worker.observer.snapshot()
    assert scrape(multiprocess).total("pool_observer_info") == 1
    worker.engine.pool._recycle = 99
    worker.write()
    infos = scrape(multiprocess).by("recycle", "pool_observer_info")
    assert infos == {"": 0.0, "99": 1.0}
    del state


# -- through observe() -----------------------------------------------------------------------


def test_an_observed_pool_is_written_from_its_first_moment(
    multiprocess: Path, observed: Observe, database: FakeDatabase
) -> None:
    observed(database.engine(pool_size=5, max_overflow=10), name="orders")
    scraped = scrape(multiprocess)
    assert scraped.one("db_client_connection_max") == 15.0
    assert scraped.one("pool_observer_full_total") == 0.0


def test_a_collector_that_knows_one_worker_only_is_not_registered(
    multiprocess: Path, observed: Observe, database: FakeDatabase
) -> None:
    """Beside the files it would show this worker twice."""
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    observed(database.engine(), name="orders", registry=registry)
    assert not Scraped.of(REGISTRY).of_pool("orders")
    (info,) = Scraped.of(registry).all("pool_observer_info")
    assert info.value == 1.0


def test_the_workers_own_scrape_is_up_to_date(
    multiprocess: Path, observed: Observe, database: FakeDatabase
) -> None:
    engine = database.engine()
    app = an_app(engine)
    observed(engine, app=app, name="orders")
    for number in range(1, 4):
        assert get(app, "/orders/1").status_code == 200
        assert f'holder="GET /orders/{{order}}"}} {number}.0' in get(app).text


def test_a_closed_observer_leaves_its_totals_and_no_gauge(
    multiprocess: Path, observed: Observe, database: FakeDatabase
) -> None:
    engine = database.engine()
    observer = observed(engine, name="orders")
    with engine.connect():
        pass
    observer.close()
    scraped = scrape(multiprocess)
    assert scraped.one("pool_observer_checkouts_total") == 1.0
    for name in ("db_client_connection_max", "pool_observer_info", "db_client_connection_count"):
        assert scraped.total(name) == 0.0


def test_observed_again_its_totals_go_on(
    multiprocess: Path, observed: Observe, database: FakeDatabase
) -> None:
    engine = database.engine()
    for _ in range(3):
        with observed(engine, name="orders"), engine.connect():
            pass
    assert scrape(multiprocess).one("pool_observer_checkouts_total") == 3.0


def test_an_engine_that_is_dropped_leaves_no_gauge_either(
    multiprocess: Path, observed: Observe, database: FakeDatabase
) -> None:
    observed(database.engine(), name="stays")

    def observe_and_forget() -> None:
        observe(FakeDatabase().engine(), name="dropped")

    observe_and_forget()
    assert scrape(multiprocess).total("pool_observer_info") == 2.0
    gc.collect()
    wait_until(lambda: scrape(multiprocess).total("pool_observer_info") == 1.0)


def test_the_last_second_of_a_worker_is_written_when_it_ends(
    multiprocess: Path, observed: Observe, database: FakeDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_exit: list[Any] = []
    monkeypatch.setattr("atexit.register", at_exit.append)
    monkeypatch.setattr("atexit.unregister", at_exit.remove)
    engine = database.engine()
    observer = observed(engine, name="orders")
    with engine.connect():
        pass
    (write,) = at_exit
    write()
    assert scrape(multiprocess).one("pool_observer_checkouts_total") == 1.0
    observer.close()
    assert at_exit == []


def test_a_master_that_only_forks_has_no_capacity(
    multiprocess: Path, observed: Observe, database: FakeDatabase
) -> None:
    engine = database.engine(pool_size=5, max_overflow=10)
    engine.dispose()
    observer = observed(engine, name="orders")
    observer.forked(in_child=False)
    write_now()
    assert scrape(multiprocess).one("db_client_connection_max") == 0.0
    with engine.connect():  # a worker after all, which has started a process
        write_now()
        assert scrape(multiprocess).one("db_client_connection_max") == 15.0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_child_counts_for_itself_beside_its_parent(
    multiprocess: Path, observed: Observe, database: FakeDatabase
) -> None:
    engine = database.engine()
    observed(engine, name="orders")
    with engine.connect():
        pass
    write_now()
    child = os.fork()
    if child == 0:
        with engine.connect():
            pass
        write_now()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert scrape(multiprocess).one("pool_observer_checkouts_total") == 2.0
    wait_until(lambda: scrape(multiprocess).one("db_client_connection_max") == 15.0)
