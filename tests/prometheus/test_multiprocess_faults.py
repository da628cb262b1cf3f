"""Figures that cannot be written, or not just now: it is said, and the service runs on."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from pool_observer import holding
from pool_observer.prometheus.exporting import _exports, write_now
from pool_observer.prometheus.mirror import Mirror
from pool_observer.state import PoolState
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


def missing(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.rmtree(directory)


def unwritable(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    access = os.access  # a test that runs as root may write anywhere
    monkeypatch.setattr(os, "access", lambda path, mode: path != directory and access(path, mode))


def read_only(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _mounted(monkeypatch, f_flag=os.ST_RDONLY, f_bavail=1 << 30)


def full(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _mounted(monkeypatch, f_flag=0, f_bavail=10)


def _mounted(monkeypatch: pytest.MonkeyPatch, **about: int) -> None:
    statvfs = SimpleNamespace(f_frsize=4096, **about)
    monkeypatch.setattr(os, "statvfs", lambda _: statvfs)


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (missing, "is not a directory"),
        (unwritable, "cannot be written to"),
        (read_only, "is mounted read-only"),
        (full, "has less than 4 MiB free"),
    ],
)
def test_what_is_wrong_with_the_directory_is_said_once_and_the_service_runs_on(
    spoil: Any,
    complaint: str,
    multiprocess: Path,
    observed: Observe,
    database: FakeDatabase,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    engine = database.engine()
    app = an_app(engine)
    with monkeypatch.context() as spoiling:
        spoil(multiprocess, spoiling)
        observer = observed(engine, app=app, name="orders")
        for _ in range(3):
            assert get(app, "/orders/1").status_code == 200
            write_now()
        (record,) = caplog.records
        assert complaint in record.message
        assert 'pool "orders"' in record.message
        assert "PROMETHEUS_MULTIPROC_DIR" in record.message
        assert get(app).status_code == (500 if spoil is missing else 200)
    multiprocess.mkdir(exist_ok=True)
    write_now()  # mended, and nobody has to restart anything
    assert scrape(multiprocess).one("pool_observer_checkouts_total") == 3.0
    assert observer.snapshot().totals.internal_errors == {}


def test_a_full_disk_stops_new_series_and_not_those_there_are(
    worker: Worker, multiprocess: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with holding("GET /"), worker.engine.connect():
        worker.write()
    with monkeypatch.context() as spoiling:
        full(multiprocess, spoiling)
        with holding("POST /new"), worker.engine.connect():
            worker.clock.advance(1)
        with holding("GET /"), worker.engine.connect():
            worker.clock.advance(1)
        with pytest.raises(OSError, match="MiB free"):
            worker.write()
    assert scrape(multiprocess).by("holder", "pool_observer_checkouts_total") == {"GET /": 2.0}
    worker.write()
    assert scrape(multiprocess).by("holder", "pool_observer_checkouts_total") == {
        "GET /": 2.0,
        "POST /new": 1.0,
    }


def test_a_variable_that_was_set_too_late_is_pointed_out(
    tmp_path: Path,
    observed: Observe,
    database: FakeDatabase,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    registry = CollectorRegistry()
    observed(database.engine(), name="orders", registry=registry)
    assert "Set it before the workers start" in caplog.text
    assert Scraped.of(registry).of_pool("orders")  # this worker at least


def test_a_bug_of_ours_is_counted(
    multiprocess: Path, observed: Observe, database: FakeDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    observer = observed(database.engine(), name="orders")
    monkeypatch.setattr(Mirror, "write", fail)
    write_now()
    place = "writing to PROMETHEUS_MULTIPROC_DIR"
    assert observer.snapshot().totals.internal_errors[place] >= 1


def test_nothing_is_written_over_what_is_newer(
    multiprocess: Path, observed: Observe, database: FakeDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A scrape, the watchdog and `close()` may write at a time."""
    observer = observed(database.engine(), name="orders")
    (export,) = _exports
    taken, go_on = threading.Event(), threading.Event()
    snapshot = observer.snapshot

    def snapshot_and_wait() -> PoolState:
        state = snapshot()
        if threading.current_thread() is slow:
            taken.set()
            go_on.wait(30)
        return state

    slow = threading.Thread(target=export.write)
    monkeypatch.setattr(observer, "snapshot", snapshot_and_wait)
    slow.start()
    assert taken.wait(30)
    closing = threading.Thread(target=observer.close)
    closing.start()
    wait_until(lambda: observer.closed)
    go_on.set()
    slow.join()
    closing.join()
    assert scrape(multiprocess).total("pool_observer_info") == 0.0
    export.write()
    assert scrape(multiprocess).total("pool_observer_info") == 0.0
