"""A real service on a real PostgreSQL, asked by its live page."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import create_engine, text

from pool_observer import PoolObserver, Visitor, observe
from pool_observer.advice.advising import advise
from pool_observer.advice.asking import Asker
from pool_observer.advice.measurement import Measurement, PoolLoad
from pool_observer.advice.source import measurement_of
from tests.advice.commanding import command
from tests.asgi.serving import serving
from tests.postgres import Postgres
from tests.support import wait_until

TOKEN = {"X-Debug-Token": "hunter2"}
CHATS, READS = 3, 10


class Service:
    """`POST /chat` holds its connection, in a transaction, until it is let go."""

    def __init__(self, observer: PoolObserver, let_go: threading.Event) -> None:
        self.observer = observer
        self._let_go = let_go
        self.url = ""

    def measured(self) -> PoolLoad:
        asker = Asker(TOKEN, 10.0)
        (found,) = measurement_of(f"{self.url}/debug/pools", asker, 60, "").pools
        return found

    def work(self) -> None:
        """So many chats at once, and reads one after the other meanwhile."""
        with ThreadPoolExecutor(CHATS) as clients:
            chats = [clients.submit(httpx.post, f"{self.url}/chat/7") for _ in range(CHATS)]
            wait_until(lambda: self.observer.snapshot().used == CHATS)
            for _ in range(READS):
                httpx.get(f"{self.url}/items").raise_for_status()
            self._let_go.set()
            for chat in chats:
                chat.result().raise_for_status()


@pytest.fixture
def service(postgres: Postgres) -> Iterator[Service]:
    engine = create_engine(postgres.url("psycopg"), pool_size=5, max_overflow=3)
    app, let_go = FastAPI(), threading.Event()

    def has_token(visitor: Visitor) -> bool:
        return visitor.headers.get("x-debug-token") == TOKEN["X-Debug-Token"]

    with observed(app, engine, has_token) as observer:

        @app.post("/chat/{user}")
        def chat(user: int) -> None:
            with engine.connect() as connection:
                connection.execute(text("SELECT 1"))
                let_go.wait(30)

        @app.get("/items")
        def items() -> None:
            with engine.connect() as connection:
                connection.execute(text("SELECT 1"))

        it = Service(observer, let_go)
        with serving(app) as it.url:
            yield it
    engine.dispose()


@contextmanager
def observed(app: FastAPI, engine: object, auth: object) -> Iterator[PoolObserver]:
    observer = observe(
        engine,  # type: ignore[arg-type]
        app,
        name="orders",
        registry=None,
        debug_path="/debug/pools",
        debug_auth=auth,  # type: ignore[arg-type]
    )
    with observer:
        yield observer


def test_what_the_service_did_is_what_is_measured(service: Service) -> None:
    service.work()
    wait_until(lambda: service.measured().holders)  # for which a second must have passed
    found = service.measured()
    taken = {each.holder: each.arrivals * found.window_seconds for each in found.holders}
    assert taken == pytest.approx({"POST /chat/{user}": CHATS, "GET /items": READS})
    assert found.peak_demand == CHATS + 1
    assert (found.size, found.max_overflow, found.max) == (5, 3, 8)
    assert (found.dialect, found.driver) == ("postgresql", "psycopg")
    totals = service.observer.snapshot().totals.holders
    for each in found.holders:
        assert each.mean_hold == pytest.approx(
            totals[each.holder].use_time.sum_seconds / taken[each.holder]
        )
        assert each.in_transaction * found.window_seconds == pytest.approx(
            totals[each.holder].in_transaction_ns / 1e9
        )


def test_what_it_recommends_is_what_was_wanted_at_once(service: Service) -> None:
    service.work()
    wait_until(lambda: service.measured().holders)  # for which a second must have passed
    (advice,) = advise(Measurement("a test", (service.measured(),)), least_seconds=1)
    assert (advice.refusal, advice.needed) == (None, CHATS + 1)


def test_the_command_needs_to_be_let_in(
    service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"{service.url}/debug/pools"
    assert command(url) == 2
    assert "--header" in capsys.readouterr().err
    assert command(url, "--header", "X-Debug-Token: hunter2") == 1
    assert "ask again after 60 s" in capsys.readouterr().out
