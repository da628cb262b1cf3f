"""`Finding`: something that the audit has found, and what mends it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How bad it is. The worst is first."""

    ERROR = "error"
    """It fails, or will at full load."""
    WARNING = "warning"
    """It fails in circumstances that are bound to come."""
    INFO = "info"
    """It is unusual, or could be better."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a rule says."""

    severity: Severity
    title: str
    why: str
    """With the figures of this configuration."""
    mend: str
    """What to write."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to mend in a configuration."""

    code: str
    """Stays the same from release to release."""
    severity: Severity
    title: str
    why: str
    """With the figures of this configuration."""
    mend: str
    """What to write."""
    pool: str
    """The name of the pool that it is about."""

    @property
    def link(self) -> str:
        """Where it is explained."""
        return f"docs/audit.md#{self.code}"
