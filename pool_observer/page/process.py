"""Which worker process it is that answers."""

from __future__ import annotations

import hashlib
import os
import secrets
from importlib.metadata import PackageNotFoundError, version
from typing import Any

_SEED = secrets.token_bytes(16)
"""A forked child has it too, but another pid."""


def process() -> dict[str, Any]:
    """The process, as the page tells it."""
    return {"id": process_id(), "pid": os.getpid(), "version": _version()}


def process_id() -> str:
    """No other process has the same, not even one of the same pid in another container."""
    return hashlib.blake2b(str(os.getpid()).encode(), key=_SEED, digest_size=8).hexdigest()


def _version() -> str:
    try:
        return version("pool-observer")
    except PackageNotFoundError:  # a copy of the sources
        return "unknown"
