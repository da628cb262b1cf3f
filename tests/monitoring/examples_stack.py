"""The service, Prometheus and Alertmanager of `examples/monitoring`, as programs of this machine.

Of their configuration only addresses and the pace are other than what is in the files.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import yaml
from sqlalchemy import URL

from tests.conftest import require
from tests.monitoring.examples_alertmanager import Alertmanager
from tests.monitoring.examples_files import PROMETHEUS, RULES, SERVICE, loaded
from tests.prometheus.prometheus_server import Prometheus, fetched, free_port, program

GUNICORN_SETTINGS = SERVICE.parents[1] / "gunicorn.conf.py"
CONNECTIONS = 4
"""Of the pool of one worker, overflow included."""

PUSHED = (
    'db_client_connection_max{job="pushed",instance="one",db_client_connection_pool_name="a"} 5'
)


@dataclass(frozen=True)
class Stack:
    service: str
    prometheus: Prometheus
    alertmanager: Alertmanager

    def asked(self, path: str) -> Any:
        """What Prometheus' API says."""
        return json.loads(fetched(f"{self.prometheus.url}/api/v1/{path}"))["data"]


@contextmanager
def running_service(database: URL, folder: Path) -> Iterator[str]:
    """The command of the image, as it would be run there; its address."""
    for source in (SERVICE / "app.py", GUNICORN_SETTINGS):
        shutil.copy(source, folder)
    module, *command = image_command()
    address = f"127.0.0.1:{free_port()}"
    command[-1] = address
    environment = os.environ | {
        "DATABASE_URL": database.render_as_string(hide_password=False),
        "WEB_CONCURRENCY": "1",
        "HOME": str(folder),
        "TMPDIR": str(folder),
    }
    environment.pop("PROMETHEUS_MULTIPROC_DIR", None)
    here = [sys.executable, "-m", module, *command, "--chdir", str(folder)]
    here[here.index("gunicorn.conf.py")] = str(folder / "gunicorn.conf.py")
    with program(here, folder / "service.log", f"http://{address}/health", environment):
        yield address


def image_command() -> list[str]:
    """What the image of the service runs."""
    (command,) = (
        line.removeprefix("CMD ")
        for line in (SERVICE / "Dockerfile").read_text().splitlines()
        if line.startswith("CMD ")
    )
    return list(json.loads(command))


@contextmanager
def running_prometheus(
    service: str, collector: str, alertmanager: Alertmanager, folder: Path
) -> Iterator[Prometheus]:
    """Prometheus with the example's configuration, from when it answers."""
    binary = shutil.which("prometheus")
    require(binary is not None, "prometheus")
    settings = loaded(PROMETHEUS)
    settings["global"] |= {"scrape_interval": "500ms", "evaluation_interval": "500ms"}
    settings["rule_files"] = [str(RULES)]
    addresses = {"orders": service, "opentelemetry-collector": collector}
    for job in settings["scrape_configs"]:
        if job["job_name"] in addresses:
            job.pop("dns_sd_configs", None)
            job["static_configs"] = [{"targets": [addresses[job["job_name"]]]}]
    (alerting,) = settings["alerting"]["alertmanagers"]
    alerting["static_configs"] = [{"targets": [alertmanager.url.removeprefix("http://")]}]
    configuration = folder / "prometheus.yml"
    configuration.write_text(yaml.safe_dump(settings))

    address = f"127.0.0.1:{free_port()}"
    command = [
        str(binary),
        f"--config.file={configuration}",
        f"--storage.tsdb.path={folder / 'series'}",
        f"--web.listen-address={address}",
        "--enable-feature=exemplar-storage",
    ]
    prometheus = Prometheus(f"http://{address}")
    with program(command, folder / "prometheus.log", f"{prometheus.url}/-/ready"):
        yield prometheus


@contextmanager
def standing_in_for_a_collector() -> Iterator[str]:
    """A page with what a collector shows of a service that has pushed; its address."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.end_headers()
            self.wfile.write(f"{PUSHED}\n".encode())

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def full_pool(service: str) -> Iterator[None]:
    """Twice as many callers as there are connections, each with a transaction that stands open."""
    enough = threading.Event()

    def chat() -> None:
        with httpx.Client(base_url=f"http://{service}", timeout=30, trust_env=False) as client:
            while not enough.is_set():
                client.post("/chat/1", params={"seconds": 1}).raise_for_status()

    with ThreadPoolExecutor(2 * CONNECTIONS) as callers:
        under_way = [callers.submit(chat) for _ in range(2 * CONNECTIONS)]
        try:
            yield
        finally:
            enough.set()
    for each in under_way:
        each.result()
