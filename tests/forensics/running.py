"""The service as it runs, and all ways of asking it what it does."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from prometheus_client.parser import text_string_to_metric_families

from tests.forensics import json_log, llm, service
from tests.forensics.json_log import Logged
from tests.forensics.slow_server import SlowServer, slow_server
from tests.postgres import Postgres
from tests.prometheus.prometheus_server import free_port, program
from tests.prometheus.scraped import Scraped
from tests.support import wait_until

DIRECTORY = Path(__file__).parent
FOLDER = "tests/forensics"
"""How call sites name it."""


@dataclass(frozen=True)
class Running:
    address: str
    slow: SlowServer
    http: httpx.Client
    json_log: Path
    uvicorn_log: Path
    _threads: ThreadPoolExecutor

    def begin(self, request: str) -> Future[int]:
        """Ask, such as for `GET /orders`, and do not wait for the status of the answer."""
        return self._threads.submit(self.ask, request)

    def ask(self, request: str) -> int:
        method, path = request.split(" ")
        return self.http.request(method, path).status_code

    def log(self) -> list[Logged]:
        """What it has logged."""
        return json_log.read(self.json_log)

    def logged(self, incident: str, holder: str) -> list[Logged]:
        return json_log.about(self.log(), incident, holder)

    def wait_for_log(self, incident: str, holder: str, number: int = 1) -> None:
        wait_until(lambda: len(self.logged(incident, holder)) >= number)

    def pools(self) -> dict[str, Any]:
        """The live page's figures, by pool, as of now or later: an answer serves others, too."""
        asked_at, document = time.time(), self._document()
        while document["at"] < asked_at:
            document = self._document()
        return {pool["name"]: pool for pool in document["pools"]}

    def _document(self) -> Any:
        return json.loads(self._get(service.DEBUG_PATH, "application/json"))

    def metrics(self) -> Scraped:
        return Scraped(text_string_to_metric_families(self._get("/metrics", "text/plain")))

    def _get(self, path: str, accept: str) -> str:
        response = self.http.get(path, headers={"Accept": accept})
        assert response.status_code == 200, response.text
        return response.text


def place(marker: str) -> tuple[str, int]:
    """The file and line of the service on which this is the comment."""
    found = [
        (f"{FOLDER}/{path.name}", number)
        for path in DIRECTORY.glob("*.py")
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if line.endswith(f"  # {marker}")
    ]
    (only,) = found
    return only


@contextmanager
def running(postgres: Postgres, folder: Path, *, leak_after: float = 1.0) -> Iterator[Running]:
    """The service under a real uvicorn, from when it answers."""
    with slow_server() as slow:
        environment = os.environ | {
            service.ASYNCPG: postgres.url("asyncpg").render_as_string(hide_password=False),
            service.PSYCOPG: postgres.url("psycopg").render_as_string(hide_password=False),
            service.JSON_LOG: str(folder / "log.jsonl"),
            service.LEAK_AFTER: str(leak_after),
            llm.ADDRESS: slow.address,
        }
        port = free_port()
        address = f"http://127.0.0.1:{port}"
        command = [
            *(sys.executable, "-m", "uvicorn", "--factory", f"{service.__name__}:app"),
            *("--port", str(port), "--no-access-log", "--timeout-graceful-shutdown", "5"),
        ]
        uvicorn_log = folder / "uvicorn.log"
        # A connection for each request: after an exception, uvicorn closes the one it came by.
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
        with (
            program(command, uvicorn_log, f"{address}/ready", environment),
            httpx.Client(base_url=address, timeout=60, limits=limits, trust_env=False) as http,
            ThreadPoolExecutor(max_workers=60) as threads,
        ):
            log = folder / "log.jsonl"
            try:
                yield Running(address, slow, http, log, uvicorn_log, threads)
            finally:
                slow.release_all()
