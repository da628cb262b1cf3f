"""What one look at a server has brought."""

from __future__ import annotations

from dataclasses import dataclass

from pool_observer.server import ServerLimits, SessionState


@dataclass(frozen=True, slots=True)
class Row:
    """A session in the server's list."""

    pid: int
    user: str | None
    database: str | None
    application: str | None
    state: SessionState
    state_seconds: float | None
    transaction_seconds: float | None
    waits_for: str | None
    blocked_by: tuple[int, ...]
    age_seconds: float | None = None
    """For how long it has been there; None where the server does not say."""


@dataclass(frozen=True, slots=True)
class Reading:
    """All its sessions, and its limits."""

    pid: int
    """The session that has looked, as the server knows it."""
    rows: tuple[Row, ...]
    limits: ServerLimits
