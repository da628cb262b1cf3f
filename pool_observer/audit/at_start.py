"""Has the audit's findings logged once, when the application has started."""

from __future__ import annotations

import logging
from collections.abc import Callable
from threading import Thread

from pool_observer.audit.finding import Finding, Severity
from pool_observer.server import ServerState

logger = logging.getLogger("pool_observer.audit")

PATIENCE = 60
"""Ticks, which are seconds, for which the server's limits are waited for."""

_LEVELS = {
    Severity.ERROR: logging.ERROR,
    Severity.WARNING: logging.WARNING,
    Severity.INFO: logging.INFO,
}


class AuditAtStart:
    """Called once a second. By the first time, an application has its routes."""

    def __init__(
        self,
        pool: str,
        audit: Callable[[], tuple[Finding, ...]],
        server: Callable[[], ServerState | None],
        failed: Callable[[str], None],
    ) -> None:
        self._pool = pool
        self._audit = audit
        self._server = server
        self._failed = failed
        self._ticks = 0

    def tick(self) -> None:
        """Log, if that is not done and all is known that will be."""
        if self._ticks > PATIENCE:
            return
        self._ticks += 1
        server = self._server()
        if server is None or server.asked or self._ticks > PATIENCE:
            self._ticks = PATIENCE + 1
            # A log's handler may take its time, which is not the caller's.
            Thread(target=self._log_all, name="pool_observer-audit", daemon=True).start()

    def _log_all(self) -> None:
        try:
            for finding in self._audit():
                self._log(finding)
        except Exception:
            self._failed("the audit")

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
