"""A real Prometheus with our rules, and what dashboards and tests ask it."""

from __future__ import annotations

import json
import shutil
import time
import urllib.error
import urllib.parse
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from pool_observer.monitoring.rules import rule_groups
from pool_observer.monitoring.scope import duration
from tests.conftest import require
from tests.monitoring.live.accelerated import (
    EVALUATION_SECONDS,
    EXPORTER_SECONDS,
    SCRAPE_SECONDS,
    accelerated,
)
from tests.prometheus.prometheus_server import Prometheus, fetched, free_port, program

JOB = "shop"
FIRING = 'ALERTS{alertstate="firing"}'

RULES: list[dict[str, Any]] = [
    rule for group in rule_groups(accelerated()) for rule in group["rules"] if "alert" in rule
]
"""Those that alert."""

Alert = dict[str, Any]
"""One that fires, as Prometheus tells of it."""


@dataclass(frozen=True)
class Series:
    labels: Mapping[str, str]
    samples: tuple[tuple[float, float], ...]

    def moments(self) -> list[float]:
        return [moment for moment, _ in self.samples]


@dataclass(frozen=True)
class Watcher:
    prometheus: Prometheus

    def get(self, path: str, parameters: Mapping[str, str] | None = None) -> Any:
        """The `data` of its answer. A query that it refuses is an error."""
        query = urllib.parse.urlencode(parameters or {})
        try:
            answer = json.loads(fetched(f"{self.prometheus.url}{path}?{query}"))
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{error.read().decode()}: {parameters}") from None
        assert not answer.get("warnings"), answer
        return answer["data"]

    def now(self, expression: str) -> list[Series]:
        """Each series and its last sample."""
        data = self.get("/api/v1/query", {"query": expression})
        return [_series(each["metric"], [each["value"]]) for each in data["result"]]

    def between(self, expression: str, first: float, last: float) -> list[Series]:
        """Each series and its samples, a scrape apart."""
        step = f"{SCRAPE_SECONDS:.3f}"
        parameters = {"start": f"{first:.3f}", "end": f"{last:.3f}", "step": step}
        data = self.get("/api/v1/query_range", {"query": expression} | parameters)
        return [_series(each["metric"], each["values"]) for each in data["result"]]

    def firing(self) -> set[str]:
        """The alerts that fire now."""
        return {series.labels["alertname"] for series in self.now(FIRING)}

    def alerts(self) -> list[Alert]:
        """Those that fire now, in full."""
        found = self.get("/api/v1/alerts")["alerts"]
        return [alert for alert in found if alert["state"] == "firing"]


def within(seconds: float, attempt: Callable[[], object]) -> bool:
    """Whether it comes true, looking again and again for so long."""
    deadline = time.monotonic() + seconds
    while not attempt():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def _series(labels: Mapping[str, str], samples: list[list[Any]]) -> Series:
    return Series(labels, tuple((float(moment), float(figure)) for moment, figure in samples))


@contextmanager
def running_watcher(
    folder: Path, services: Sequence[str], exporters: Mapping[str, str]
) -> Iterator[Watcher]:
    """Prometheus with the rules of these settings, and these targets; exporters by their job.

    It needs seconds to notice a change of its targets, so all are there from the beginning.
    """
    binary = shutil.which("prometheus")
    require(binary is not None, "prometheus")
    rules, configuration = folder / "rules.yaml", folder / "prometheus.yaml"
    rules.write_text(yaml.safe_dump({"groups": rule_groups(accelerated())}))
    configuration.write_text(
        yaml.safe_dump(
            {
                "global": {"evaluation_interval": duration(EVALUATION_SECONDS)},
                "rule_files": [str(rules)],
                "scrape_configs": [
                    _job(JOB, SCRAPE_SECONDS, *services),
                    *(_job(name, EXPORTER_SECONDS, target) for name, target in exporters.items()),
                ],
            }
        )
    )
    address = f"127.0.0.1:{free_port()}"
    command = [
        *(str(binary), f"--config.file={configuration}", f"--web.listen-address={address}"),
        *(f"--storage.tsdb.path={folder / 'series'}", "--enable-feature=exemplar-storage"),
    ]
    watcher = Watcher(Prometheus(f"http://{address}"))
    with program(command, folder / "prometheus.log", f"{watcher.prometheus.url}/-/ready"):
        yield watcher


def _job(name: str, seconds: float, *targets: str) -> dict[str, Any]:
    return {
        "job_name": name,
        "scrape_interval": duration(seconds),
        "scrape_timeout": duration(seconds),
        "static_configs": [{"targets": list(targets)}],
    }
