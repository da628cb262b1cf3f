"""gunicorn with the settings from `examples/`, on a real PostgreSQL."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.postgres import Postgres
from tests.prometheus.scraped import Scraped
from tests.support import wait_until

ROOT = Path(__file__).parents[2]
WORKERS = 2
OPENMETRICS = {"accept": "application/openmetrics-text;version=1.0.0"}

APPLICATION = """
import os
from contextlib import asynccontextmanager
from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from pool_observer import observe

engine = create_async_engine(os.environ["DATABASE_URL"])

@asynccontextmanager
async def lifespan(app):
    yield
    await engine.dispose()

app = FastAPI(lifespan=lifespan)
observe(engine, app, name="orders")

@app.get("/orders")
async def orders() -> int:
    async with engine.connect() as connection:
        await connection.execute(text("SELECT 1"))
    return os.getpid()
"""


class Gunicorn:
    """A running gunicorn, and a client that gets a new connection for every request."""

    def __init__(self, address: str, process: subprocess.Popen[bytes]) -> None:
        self._address = address
        self.process = process

    def get(self, path: str, **options: dict[str, str]) -> httpx.Response:
        return httpx.get(f"{self._address}{path}", timeout=30, **options)  # type: ignore[arg-type]

    def scrape(self) -> Scraped:
        return Scraped.of_openmetrics(self.get("/metrics", headers=OPENMETRICS).text)

    def is_up(self) -> bool:
        assert self.process.poll() is None, "gunicorn has ended"
        try:
            return self.get("/orders").status_code == 200
        except httpx.TransportError:
            return False


@contextmanager
def gunicorn(directory: Path, postgres: Postgres, *options: str) -> Iterator[Gunicorn]:
    (directory / "observed_app.py").write_text(APPLICATION)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "gunicorn", "observed_app:app"),
            *("--config", str(ROOT / "examples" / "gunicorn.conf.py")),
            *("--bind", f"127.0.0.1:{port}", "--log-level", "warning"),
            *options,
        ],
        cwd=directory,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "DATABASE_URL": postgres.url("asyncpg").render_as_string(hide_password=False),
            "WEB_CONCURRENCY": str(WORKERS),
            "TMPDIR": str(directory),
        },
    )
    server = Gunicorn(f"http://127.0.0.1:{port}", process)
    try:
        wait_until(server.is_up)
        yield server
    finally:
        process.terminate()
        process.wait(30)


@pytest.mark.parametrize("options", [(), ("--preload",)], ids=["each loads it", "preloaded"])
def test_workers_answer_for_each_other(
    options: tuple[str, ...], tmp_path: Path, postgres: Postgres
) -> None:
    with gunicorn(tmp_path, postgres, *options) as server:
        served: set[int] = set()
        requests = 0

        def both_have_served() -> bool:
            nonlocal requests
            requests += 1
            served.add(server.get("/orders").json())
            return len(served) == WORKERS

        wait_until(both_have_served)
        total = {"name": "pool_observer_checkouts_total", "holder": "GET /orders"}
        # There may have been one or more to see whether it is up.
        wait_until(lambda: server.scrape().total(**total) >= requests + 1)
        capacity = WORKERS * 15.0
        # The master has loaded the application too, and says within a second that it only forks.
        wait_until(lambda: server.scrape().one("db_client_connection_max") == capacity)
        before = server.scrape()
        assert before.one("db_client_connection_use_time_seconds_count") == before.total(**total)

        victim = served.pop()
        os.kill(victim, signal.SIGKILL)
        wait_until(lambda: server.get("/orders").json() not in {victim, *served})
        wait_until(lambda: server.scrape().one("db_client_connection_max") == capacity)
        after = server.scrape()
        assert after.total(**total) >= before.total(**total)
    assert list(tmp_path.glob("prometheus-*")) == []  # and nothing is left behind
