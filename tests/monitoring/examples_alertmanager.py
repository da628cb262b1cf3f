"""A real Alertmanager with the configuration from `examples/`, and what it makes of alerts."""

from __future__ import annotations

import json
import re
import shutil
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.conftest import require
from tests.monitoring.examples_files import ALERTMANAGER
from tests.prometheus.prometheus_server import fetched, free_port, program

PACKAGE = "Debian: prometheus-alertmanager"

_MATCHER = re.compile(r'(?P<label>\w+)(?P<how>=~|!~|!=|=)"(?P<value>[^"]*)"\Z')
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))

Labels = dict[str, str]


@dataclass(frozen=True)
class Alertmanager:
    url: str

    def post(self, alerts: Iterable[Labels]) -> None:
        """Alerts that fire, as Prometheus would send them."""
        request = urllib.request.Request(
            f"{self.url}/api/v2/alerts",
            data=json.dumps([{"labels": labels} for labels in alerts]).encode(),
            headers={"Content-Type": "application/json"},
        )
        with _OPENER.open(request, timeout=30):
            pass

    def alerts(self, **labels: str) -> list[dict[str, Any]]:
        """Those that it knows of with these labels."""
        return [
            alert
            for alert in json.loads(fetched(f"{self.url}/api/v2/alerts"))
            if labels.items() <= alert["labels"].items()
        ]

    def is_suppressed(self, labels: Labels) -> bool:
        (alert,) = (each for each in self.alerts(**labels) if each["labels"] == labels)
        return bool(alert["status"]["state"] == "suppressed")

    def together(self, *wanted: Labels) -> list[list[Labels]]:
        """Those of the alerts that it has, as they are put into messages."""
        groups = json.loads(fetched(f"{self.url}/api/v2/alerts/groups"))
        messages = [[alert["labels"] for alert in group["alerts"]] for group in groups]
        found = [[alert for alert in wanted if alert in message] for message in messages]
        return sorted((each for each in found if each), key=lambda alerts: alerts[0]["job"])


@contextmanager
def running_alertmanager(folder: Path) -> Iterator[Alertmanager]:
    """Alertmanager, from when it answers."""
    binary = shutil.which("alertmanager") or shutil.which("prometheus-alertmanager")
    require(binary is not None, f"Alertmanager ({PACKAGE})")
    address = f"127.0.0.1:{free_port()}"
    command = [
        str(binary),
        f"--config.file={ALERTMANAGER}",
        f"--storage.path={folder / 'alertmanager'}",
        f"--web.listen-address={address}",
        "--cluster.listen-address=",  # alone
    ]
    alertmanager = Alertmanager(f"http://{address}")
    with program(command, folder / "alertmanager.log", f"{alertmanager.url}/-/ready"):
        yield alertmanager


def amtool() -> str:
    """Where Alertmanager's own tool is."""
    found = shutil.which("amtool")
    require(found is not None, f"amtool ({PACKAGE})")
    return str(found)


def meant(matchers: Iterable[str], alerts: Iterable[Labels]) -> list[Labels]:
    """Those of the alerts that all matchers of an inhibition rule match."""
    return [alert for alert in alerts if all(_matches(each, alert) for each in matchers)]


def _matches(matcher: str, labels: Labels) -> bool:
    found = _MATCHER.match(matcher)
    assert found is not None, f"{matcher} is not understood here"
    value = labels.get(found["label"], "")
    pattern = found["value"] if "~" in found["how"] else re.escape(found["value"])
    return (re.fullmatch(pattern, value) is None) == found["how"].startswith("!")
