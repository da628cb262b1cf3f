"""Has the audit's findings logged once, when the application has started."""

from __future__ import annotations

import logging
from collections.abc import Callable
from threading import Thread
from typing import TYPE_CHECKING, Protocol

from pool_observer.audit.facts import Deployment
from pool_observer.audit.finding import Finding, Severity
from pool_observer.audit.turns import Turns
from pool_observer.server import ServerState
from pool_observer.wording import plural

if TYPE_CHECKING:
    from pool_observer.audit.observed import Audited, Said

logger = logging.getLogger("pool_observer.audit")

PATIENCE = 60
"""Ticks, which are seconds, for which the server's limits and the application's routes are waited
for."""

SETTLED = 3
"""Ticks without a new route after which there are taken to be no more to come."""

_process_turns = Turns()

_LEVELS = {
    Severity.ERROR: logging.ERROR,
    Severity.WARNING: logging.WARNING,
    Severity.INFO: logging.INFO,
}


class Observed(Protocol):
    """What the audit needs of an observer."""

    @property
    def name(self) -> str: ...
    def audited(self) -> Audited | None: ...
    def server_state(self) -> ServerState | None: ...
    def note_failure(self, place: str) -> None: ...
    def when_ticking(self, do: Callable[[], None]) -> None: ...
    def when_closing(self, undo: Callable[[], None]) -> None: ...


def start_audit(observer: Observed, deployment: Deployment) -> None:
    """Have its audit logged as soon as there is all to look at."""
    # What looks takes a while to be imported, and not while the application starts.

    def said() -> Said:
        from pool_observer.audit.observed import Said, process_said

        audited = observer.audited()
        return Said() if audited is None else process_said.audit_of(audited, deployment)

    def routes() -> int | None:
        from pool_observer.audit.endpoints import number_of_routes

        audited = observer.audited()
        return None if audited is None or audited.app is None else number_of_routes(audited.app)

    at_start = AuditAtStart(
        observer.name, said, observer.server_state, routes, observer.note_failure, _process_turns
    )
    observer.when_ticking(at_start.tick)
    observer.when_closing(at_start.leave)


class AuditAtStart:
    """Called once a second until it has logged."""

    def __init__(
        self,
        pool: str,
        audit: Callable[[], Said],
        server: Callable[[], ServerState | None],
        routes: Callable[[], int | None],
        failed: Callable[[str], None],
        turns: Turns,
    ) -> None:
        self._pool = pool
        self._audit = audit
        self._server = server
        self._count_routes = routes
        self._failed = failed
        self._ticks = 0
        self._routes: int | None = None
        self._unchanged = 0
        self._turns = turns
        turns.join(self)

    def tick(self) -> None:
        """Log, if that is not done and all is known that will be."""
        if self._ticks > PATIENCE:
            return
        self._ticks += 1
        server = self._server()
        answered = server is None or server.asked
        ready = self._has_its_routes() and answered and self._turns.is_first(self)
        if ready or self._ticks > PATIENCE:
            self._ticks = PATIENCE + 1
            # A log's handler may take its time, which is not the caller's.
            Thread(target=self._log_all, name="pool_observer-audit", daemon=True).start()

    def leave(self) -> None:
        """Have nobody wait for it any more."""
        self._turns.leave(self)

    def _has_its_routes(self) -> bool:
        """Whether the application, if there is one, has been imported as far as can be seen."""
        before, self._routes = self._routes, self._count_routes()
        self._unchanged = self._unchanged + 1 if self._routes == before else 0
        return self._routes is None or (self._routes > 0 and self._unchanged >= SETTLED)

    def _log_all(self) -> None:
        try:
            try:
                said = self._audit()
            finally:
                self.leave()
            for finding in said.findings:
                self._log(finding)
            if not said.findings:
                self._log_nothing(said)
        except Exception:
            self._failed("the audit")

    def _log_nothing(self, said: Said) -> None:
        """Silence could as well mean that nobody has looked, or too early."""
        looked_at = "" if self._routes is None else f" and {plural(self._routes, 'endpoint')}"
        more = ", other than what was said of another pool" if said.elsewhere else ""
        logger.info(
            'pool "%s": nothing to mend in its configuration%s%s', self._pool, looked_at, more
        )

    def _log(self, finding: Finding) -> None:
        logger.log(
            _LEVELS[finding.severity],
            'pool "%s": %s: %s. %s\n  -> %s (%s)',
            self._pool,
            finding.code,
            finding.title,
            finding.why,
            finding.mend,
            finding.link,
            extra={"pool_observer.finding": finding.code},
        )
