"""A real Prometheus that scrapes one target, and the questions tests ask it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

SCRAPE_INTERVAL = 0.5

_CONFIGURATION = """
global: {{scrape_interval: {interval}ms, scrape_timeout: {interval}ms}}
scrape_configs: [{{job_name: service, static_configs: [{{targets: ["{target}"]}}]}}]
"""

_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""All is on this machine, where no proxy would find it."""

Labels = frozenset[tuple[str, str]]
_Result = TypeVar("_Result")


@dataclass(frozen=True)
class Prometheus:
    url: str

    def query(self, expression: str, at: float | None = None) -> dict[Labels, float]:
        """The value of each series, as of the last scrape until `at`."""
        return {
            frozenset(series["metric"].items()): float(series["value"][1])
            for series in self._ask(expression, at)
        }

    def figure(self, expression: str, at: float | None = None) -> float | None:
        """The value of the only series; None if there is none, as after a scrape that failed."""
        values = list(self.query(expression, at).values())
        assert len(values) <= 1, f"{expression} has several series"
        return values[0] if values else None

    def by_holder(self, expression: str, at: float | None = None) -> dict[str, float]:
        """The values of series that differ in their holder only."""
        return {
            dict(labels)["holder"]: value for labels, value in self.query(expression, at).items()
        }

    def shows(self, figures: Mapping[str, float]) -> bool:
        """Whether the last scrape has all these figures."""
        scrape = self.last_scrape()
        return all(self.figure(name, scrape) == figure for name, figure in figures.items())

    def scrapes(self, first: float, last: float) -> list[float]:
        """When it has scraped the target, between these two moments."""
        (series,) = self._ask(f"db_client_connection_max{span(first, last)}", last)
        return [float(moment) for moment, _ in series["values"]]

    def last_scrape(self) -> float:
        """When it has scraped the target for the last time; 0 if it has not yet."""
        return self.figure("max(timestamp(db_client_connection_max))") or 0.0

    def scrape_after(self, moment: float) -> float:
        """When the target was scraped next, once it was."""
        return eventually(lambda: self._later_than(moment))

    def _ask(self, expression: str, at: float | None) -> Any:
        parameters = {"query": expression} | ({} if at is None else {"time": f"{at:.3f}"})
        address = f"{self.url}/api/v1/query?{urllib.parse.urlencode(parameters)}"
        return json.loads(fetched(address))["data"]["result"]

    def _later_than(self, moment: float) -> float | None:
        scrape = self.last_scrape()
        return scrape if scrape > moment else None


def span(first: float, last: float) -> str:
    """The range, for a query at `last`, that begins and ends with these two scrapes.

    So `increase()` has nothing to extrapolate. The millisecond more is for Prometheus 3, whose
    ranges lack the instant they begin with.
    """
    return f"[{round((last - first) * 1000) + 1}ms]"


def eventually(attempt: Callable[[], _Result | None]) -> _Result:
    """What the attempt gives, once it gives anything."""
    deadline = time.monotonic() + 30
    while not (result := attempt()):
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.1)
    return result


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(url: str) -> bool:
    try:
        fetched(url)
    except OSError:  # nobody is listening yet, or it is not ready
        return False
    return True


def fetched(url: str, accept: str = "*/*") -> str:
    """The page, in the format that is accepted. It must be there."""
    request = urllib.request.Request(url, headers={"Accept": accept})
    with _OPENER.open(request, timeout=30) as response:
        assert accept == "*/*" or response.headers["Content-Type"].startswith(accept)
        return str(response.read(), "utf-8")


@contextmanager
def program(
    command: Sequence[str],
    log: Path,
    ready: str,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> Iterator[None]:
    """Run a program, from when it answers on the URL `ready`; ends it and all it has started."""
    with (
        log.open("wb") as output,
        subprocess.Popen(
            command,
            stdout=output,
            stderr=output,
            env=environment,
            cwd=folder,
            start_new_session=True,
        ) as process,
    ):
        try:
            eventually(lambda: process.poll() is not None or answers(ready))
            assert process.poll() is None, log.read_text()
            yield
        finally:
            process.terminate()
            try:
                process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)


@contextmanager
def running_prometheus(binary: str, target: str, folder: Path) -> Iterator[Prometheus]:
    """Prometheus, from when it has scraped the target at this host and port."""
    configuration = folder / "prometheus.yml"
    configuration.write_text(
        _CONFIGURATION.format(interval=round(SCRAPE_INTERVAL * 1000), target=target)
    )
    address = f"127.0.0.1:{free_port()}"
    command = [
        binary,
        f"--config.file={configuration}",
        f"--storage.tsdb.path={folder / 'series'}",
        f"--web.listen-address={address}",
    ]
    prometheus = Prometheus(f"http://{address}")
    with program(command, folder / "prometheus.log", f"{prometheus.url}/-/ready"):
        eventually(lambda: prometheus.figure("up"))
        yield prometheus
