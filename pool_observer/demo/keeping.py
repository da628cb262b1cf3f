"""A folder for all that a demo makes, which is gone afterwards with all that runs in it."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pool_observer.demo.accounts import account
from pool_observer.demo.programs import CannotRunError

NEEDED = 150
"""Megabytes, with some to spare."""

_KEEPER = Path(__file__).with_name("keeper.py")


@contextmanager
def kept_folder() -> Iterator[Path]:
    """Also if this process is killed: the keeper, in a session of its own, sees its input end."""
    user = account()
    _check_space(Path(tempfile.gettempdir()))
    folder = Path(tempfile.mkdtemp(prefix="pool-observer-")).resolve()
    keeper = subprocess.Popen(  # noqa: S603 (we and the folder)
        [sys.executable, "-P", str(_KEEPER), str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        if user is not None:
            user.let_through(folder)
        yield folder
    finally:
        keeper.communicate()  # closes its input, and waits for it


def _check_space(folder: Path) -> None:
    free = shutil.disk_usage(folder).free // 1_000_000
    if free < NEEDED:
        raise CannotRunError(
            f"there are {free} MB free in {folder}, and the demo needs {NEEDED}; set TMPDIR to a "
            "folder that has them"
        )
