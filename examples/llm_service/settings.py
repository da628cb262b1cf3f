"""How the service is set up, from the environment."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Each is read from the variable of its name: `pool_size` from `POOL_SIZE`."""

    database_url: str
    """Such as `postgresql+asyncpg://app@localhost/llm`."""
    through_pgbouncer: bool = False
    """Whether that is a PgBouncer in transaction mode."""

    pool_size: int = 10
    max_overflow: int = 10
    pool_timeout: float = 5.0
    """Seconds to wait for a connection. Nobody waits thirty seconds for an answer."""
    pool_recycle: int = 1350
    pool_pre_ping: bool = True

    model_seconds: float = 3.0
    """How long the model takes for an answer."""
    model_refusals: float = 0.02
    """How often it answers 429 instead."""
    query_seconds: float = 0.05
    """How long a query of `/items` takes, as if its table were large."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Settings:
        """What is not set has its default; only `DATABASE_URL` must be."""
        given: dict[str, Any] = {}
        for field in fields(cls):
            value = environment.get(field.name.upper())
            if value is not None:
                given[field.name] = _PARSERS[str(field.type)](value)
        if "database_url" not in given:
            raise ValueError("set DATABASE_URL, such as postgresql+asyncpg://app@localhost/llm")
        return cls(**given)


def _flag(text: str) -> bool:
    return text.lower() in ("1", "true", "yes", "on")


_PARSERS: dict[str, Callable[[str], Any]] = {"str": str, "int": int, "float": float, "bool": _flag}
