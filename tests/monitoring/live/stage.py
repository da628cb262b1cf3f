"""All that takes part in the story, and waiting for what Prometheus makes of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pool_observer.monitoring.scope import duration
from tests.monitoring.live.pgbouncer_figures import serving_pgbouncer_figures
from tests.monitoring.live.running import (
    Database,
    Service,
    running_database,
    running_postgres_exporter,
)
from tests.monitoring.live.traffic import Clients
from tests.monitoring.live.watching import RULES, Alert, Watcher, running_watcher, within
from tests.prometheus.prometheus_server import Labels, free_port

PATIENCE = 20.0
"""Seconds after which what has not come true is left to the tests, which say what it is."""


@dataclass
class Stage:
    watcher: Watcher
    database: Database
    service: Service
    replica: Service
    """Another process of the same service, which runs only when there is one too many."""

    clients: Clients
    running: ExitStack
    """Ends the service."""

    fired: dict[Labels, Alert] = field(default_factory=dict)
    """What has fired since the phase began, as it was when it was seen last."""

    def until_fired(self, *alerts: str) -> None:
        """Wait until each of these alerts has fired in this phase, by each of its rules."""
        wanted = [
            frozenset({"alertname": rule["alert"], **rule["labels"]}.items())
            for rule in RULES
            if rule["alert"] in alerts
        ]
        within(PATIENCE, lambda: self._have_fired(wanted))

    def _have_fired(self, wanted: list[Labels]) -> bool:
        self.fired |= {frozenset(alert["labels"].items()): alert for alert in self.watcher.alerts()}
        return all(any(labels <= fired for fired in self.fired) for labels in wanted)

    def until_all_clear(self) -> None:
        within(PATIENCE, lambda: not self.watcher.firing())

    def until_scraped_for(self, seconds: float) -> None:
        """Wait until as much is known of the service, without a gap."""
        span = duration(seconds)
        since, missed = f"{self._up} offset {span}", f"min_over_time({self._up}[{span}]) == 0"
        now = self.watcher.now
        within(PATIENCE + seconds, lambda: now(since) and not now(missed))

    def until_scraped_since(self, moment: float, seconds: float) -> None:
        """Wait until Prometheus has seen as much of what began at that moment."""
        seen = f"timestamp({self._up} offset {duration(seconds)}) >= {moment:.3f}"
        within(PATIENCE, lambda: self.watcher.now(seen))

    @property
    def _up(self) -> str:
        return f'up{{instance="{self.service.target}"}}'

    def stop_service(self) -> None:
        self.running.close()

    def start_service(self) -> None:
        self.running.enter_context(self.service.running(self.database))


@contextmanager
def built_stage(folder: Path) -> Iterator[Stage]:
    with ExitStack() as stack:
        service, replica = Service.at(folder / "service"), Service.at(folder / "replica")
        exporter = f"127.0.0.1:{free_port()}"
        pgbouncer = stack.enter_context(serving_pgbouncer_figures())
        # First, for it takes seconds to find its targets.
        watcher = stack.enter_context(
            running_watcher(
                folder,
                services=(service.target, replica.target),
                exporters={"postgres": exporter, "pgbouncer": pgbouncer},
            )
        )
        database = stack.enter_context(running_database())
        stack.enter_context(running_postgres_exporter(database, exporter, folder))
        clients = Clients(stack.enter_context(service.client()))
        stack.callback(clients.close)
        running = stack.enter_context(ExitStack())
        stage = Stage(watcher, database, service, replica, clients, running)
        stage.start_service()
        # Before the first scrape, metrics are absent.
        stage.until_scraped_for(1)
        stage.until_all_clear()
        yield stage
