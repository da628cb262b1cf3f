"""Who says all this: the instrumentation scope."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

SCOPE = "pool_observer"


def scope_version() -> str:
    """Our version, as far as it is known."""
    try:
        return version("pool-observer")
    except PackageNotFoundError:  # run from a checkout that is not installed
        return ""
