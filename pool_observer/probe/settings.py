"""`ServerProbe`: whom to ask, how often, and for how long to wait."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError


@dataclass(frozen=True, slots=True)
class ServerProbe:
    """How the database server is asked about our connections."""

    url: str | URL | None = None
    """Where to connect to, and as whom; by default the way the engine does. A role of its own
    that may see everybody's sessions, or a way around PgBouncer."""
    interval: float = 10.0
    """Seconds between two looks."""
    timeout: float = 5.0
    """Seconds that the server has to answer."""

    def __post_init__(self) -> None:
        for name in ("interval", "timeout"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
                raise ValueError(f"{name} must be a number of seconds above 0, not {value!r}")
        if self.url is not None:
            if not isinstance(self.url, str | URL):
                raise TypeError(
                    f"url must be a database URL, not {type(self.url).__name__}: "
                    'ServerProbe(url="postgresql+asyncpg://monitor@host/database")'
                )
            try:
                make_url(self.url)
            except (ArgumentError, ValueError):
                # Neither the cause nor the text is repeated: there may be a password in it.
                raise ValueError(
                    "url cannot be read as a database URL; it is written as "
                    "postgresql+asyncpg://monitor@host/database"
                ) from None

    def __repr__(self) -> str:
        where = "" if self.url is None else f"url={make_url(self.url)!r}, "  # without the password
        return f"ServerProbe({where}interval={self.interval}, timeout={self.timeout})"
