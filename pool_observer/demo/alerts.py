"""A real Prometheus with our rules, where one is installed: which alerts fire in which act."""

from __future__ import annotations

import json
import socket
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pool_observer.demo.programs import found, running
from pool_observer.demo.service import Address
from pool_observer.monitoring.files import rule_files
from pool_observer.monitoring.settings import Settings
from pool_observer.thresholds import Thresholds

_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))

_CONFIGURATION = """\
global: {{scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}}
rule_files: [{rules}]
scrape_configs:
  - job_name: demo
    file_sd_configs: [{{files: [{targets}], refresh_interval: 1s}}]
"""

SHORTENED = Thresholds(
    slow_wait_for=5,
    high_for=5,
    idle_capacity_for=5,
    idle_in_transaction_for=5,
    imbalance_for=10,
    churn_for=10,
    loop_lag_for=5,
    absent_for=5,
    absent_since=30,
    recent=10,
    rate_window=10,
    fast_burn_window=15,
    fast_burn_recent=5,
    slow_burn_window=20,
    slow_burn_recent=5,
    steady_burn_window=25,
    steady_burn_recent=5,
)
"""What has to last for minutes in earnest lasts for seconds here."""


class Alerts:
    """The acts are told apart by the label `job`."""

    def __init__(self, url: str, target: str, folder: Path) -> None:
        self.url = url
        self._target = target
        self._targets = folder / "targets.json"
        self._fired: dict[str, list[str]] = {}

    def begin(self, act: str) -> None:
        """What is scraped from now on is of this act."""
        self._write([{"targets": [self._target], "labels": {"job": act}}])

    def end(self, act: str) -> None:
        """Ask what has fired."""
        query = (
            f'group by (alertname) (max_over_time(ALERTS{{alertstate="firing",job="{act}"}}[5m]))'
        )
        address = f"{self.url}/api/v1/query?{urllib.parse.urlencode({'query': query})}"
        with _DIRECT.open(address, timeout=10) as response:
            series = json.load(response)["data"]["result"]
        self._fired[act] = sorted(each["metric"]["alertname"] for each in series)

    def fired(self, act: str) -> list[str]:
        """The names of the alerts that fired in that act."""
        return self._fired[act]

    def _write(self, targets: list[object]) -> None:
        # Replaced in one step: Prometheus never reads half of it.
        written = self._targets.with_suffix(".new")
        written.write_text(json.dumps(targets), encoding="utf-8")
        written.replace(self._targets)


@contextmanager
def alerts(at: Address, parent: Path) -> Iterator[Alerts]:
    """A Prometheus that waits for the acts to begin."""
    program = found(
        "prometheus", "install it (Debian: apt install prometheus), or leave --prometheus"
    )
    folder = parent / "prometheus"
    folder.mkdir()
    rules = rule_files(Settings(thresholds=SHORTENED))["pool_observer.rules.yaml"]
    (folder / "pool_observer.rules.yaml").write_text(rules, encoding="utf-8")
    # JSON is YAML, and quotes what a folder may be called.
    configuration = _CONFIGURATION.format(
        rules=json.dumps(str(folder / "pool_observer.rules.yaml")),
        targets=json.dumps(str(folder / "targets.json")),
    )
    (folder / "prometheus.yml").write_text(configuration, encoding="utf-8")
    port = _free_port()
    watching = Alerts(f"http://127.0.0.1:{port}", at.url.removeprefix("http://"), folder)
    command = [
        program,
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'series'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with running("Prometheus", command, folder / "log", lambda: _is_ready(watching.url)):
        yield watching


def _is_ready(url: str) -> bool:
    try:
        with _DIRECT.open(f"{url}/-/ready", timeout=1) as response:
            return bool(response.status == 200)
    except OSError:
        return False


def _free_port() -> int:
    """Prometheus cannot be given a socket; in the moment in between nobody takes it, as a rule."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
