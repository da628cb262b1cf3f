"""Scrapes while something else is going on: load, `close()`, a fork."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import pairwise
from typing import Any

import httpx
import pytest
from prometheus_client import CollectorRegistry, push_to_gateway, start_http_server
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import create_engine

from pool_observer import holding
from pool_observer.prometheus.rendering import render
from tests.conftest import Observe
from tests.prometheus.scraped import Scraped
from tests.support import FakeDatabase

OPENMETRICS = "application/openmetrics-text;version=1.0.0"


def rendered(registry: CollectorRegistry) -> Scraped:
    return Scraped.of_openmetrics(render(registry, None, accept=OPENMETRICS).body.decode())


@contextmanager
def meanwhile(*jobs: Callable[[], object]) -> Iterator[None]:
    """Each job over and over in a thread of its own. What one of them raises is raised here."""
    stop = threading.Event()
    failures: list[BaseException] = []

    def run(job: Callable[[], object]) -> None:
        try:
            while not stop.is_set():
                job()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert failures == []


def test_scrapes_are_consistent_while_connections_come_and_go(
    database: FakeDatabase, observed: Observe
) -> None:
    engine = database.engine(pool_size=3, max_overflow=1)
    registry = CollectorRegistry()
    observer = observed(engine, name="orders", registry=registry)
    names = [f"job {number}" for number in range(4)]

    def work(name: str) -> Callable[[], None]:
        def job() -> None:
            with holding(name), engine.connect():
                pass

        return job

    scrapes: list[Scraped] = []
    with meanwhile(*map(work, names)):
        while len(scrapes) < 50 or scrapes[-1].total("pool_observer_checkouts_total") < 2000:
            scrapes.append(rendered(registry))
    for scraped in scrapes:
        checkouts = scraped.total("pool_observer_checkouts_total")
        returns = scraped.total("pool_observer_returns_total")
        used = scraped.one("db_client_connection_count", db_client_connection_state="used")
        # One that was just leaving each of the threads may be in none of them.
        assert 0 <= checkouts - returns - used <= len(names)
        assert scraped.total("db_client_connection_use_time_seconds_count") == returns
        assert scraped.total("db_client_connection_wait_time_seconds_count") == checkouts
        for name in ("use", "wait"):
            series = f"db_client_connection_{name}_time_seconds"
            for bucket in scraped.all(f"{series}_bucket", le="+Inf"):
                holder = bucket.labels["holder"]
                assert bucket.value == scraped.one(f"{series}_count", holder=holder)
    grows = ("_total", "_sum", "_bucket")
    for earlier, later in pairwise(scrapes):
        now = {(s.name, *sorted(s.labels.items())): s.value for s in later.samples}
        for sample in earlier.samples:
            if sample.name.endswith(grows):
                key = (sample.name, *sorted(sample.labels.items()))
                assert now[key] >= sample.value, key
    last = rendered(registry)
    assert last.total("pool_observer_checkouts_total") == last.total("pool_observer_returns_total")
    assert last.total("pool_observer_activity_seconds_total") == pytest.approx(
        last.total("db_client_connection_use_time_seconds_sum")
    )
    assert observer.snapshot().totals.internal_errors == {}


def test_scrapes_while_observers_come_and_go(observed: Observe) -> None:
    registry = CollectorRegistry()
    stays = observed(create_engine("sqlite://"), name="stays", registry=registry)

    def scrape() -> None:
        scraped = rendered(registry)
        assert scraped.of_pool("stays")
        comes = len(scraped.of_pool("comes"))
        assert comes in (0, len(scraped.of_pool("stays"))), comes

    with meanwhile(scrape, scrape):
        for _ in range(50):
            with observed(create_engine("sqlite://"), name="comes", registry=registry):
                pass
    assert not rendered(registry).of_pool("comes")
    assert stays.snapshot().totals.internal_errors == {}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_fork_in_the_middle_of_scrapes_leaves_both_sides_working(
    database: FakeDatabase, observed: Observe
) -> None:
    engine = database.engine()
    registry = CollectorRegistry()
    observed(engine, name="orders", registry=registry)
    with engine.connect():
        pass

    def in_the_child() -> bool:
        """It begins at 0, counts, and can be scraped."""
        checkouts = "pool_observer_checkouts_total"
        before = rendered(registry).total(checkouts)
        with engine.connect():
            pass
        return (before, rendered(registry).total(checkouts)) == (0.0, 1.0)

    with meanwhile(lambda: rendered(registry)):
        for _ in range(20):
            child = os.fork()
            if child == 0:
                os._exit(0 if in_the_child() else 1)
            assert os.waitpid(child, 0)[1] == 0
    assert rendered(registry).total("pool_observer_checkouts_total") == 1.0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_child_does_not_wait_for_a_scrape_of_its_parents(
    database: FakeDatabase, observed: Observe
) -> None:
    registry = CollectorRegistry()
    observed(database.engine(), name="orders", registry=registry)
    locked, done = threading.Event(), threading.Event()

    def scrape() -> None:
        with registry._lock:
            locked.set()
            done.wait()

    scraping = threading.Thread(target=scrape)
    scraping.start()
    locked.wait()
    child = os.fork()
    if child == 0:
        signal.alarm(30)  # rather than to wait for ever
        os._exit(0 if rendered(registry).of_pool("orders") else 1)
    assert os.waitpid(child, 0)[1] == 0
    done.set()
    scraping.join()
    assert rendered(registry).of_pool("orders")


# -- prometheus_client's other ways out ------------------------------------------------------


def test_prometheus_clients_own_server_serves_them(observed: Observe) -> None:
    registry = CollectorRegistry()
    observed(create_engine("sqlite://"), name="orders", registry=registry)
    server, thread = start_http_server(0, "127.0.0.1", registry)
    try:
        text = httpx.get(f"http://127.0.0.1:{server.server_port}/metrics").text
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert Scraped(text_string_to_metric_families(text)).of_pool("orders")


def test_they_can_be_pushed_to_a_gateway(observed: Observe) -> None:
    pushed: list[bytes] = []

    class Gateway(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:  # the name is http.server's
            pushed.append(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    registry = CollectorRegistry()
    observed(create_engine("sqlite://"), name="orders", registry=registry)
    with HTTPServer(("127.0.0.1", 0), Gateway) as gateway:
        thread = threading.Thread(target=gateway.handle_request)
        thread.start()
        push_to_gateway(f"127.0.0.1:{gateway.server_port}", "a batch job", registry)
        thread.join()
    text = pushed[0].decode()
    assert Scraped(text_string_to_metric_families(text)).of_pool("orders")
