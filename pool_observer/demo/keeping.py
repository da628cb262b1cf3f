"""A folder for all that a demo makes, which is gone afterwards with all that runs in it."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_KEEPER = Path(__file__).with_name("keeper.py")


@contextmanager
def kept_folder() -> Iterator[Path]:
    """Also if this process is killed: the keeper, in a session of its own, sees its input end."""
    folder = Path(tempfile.mkdtemp(prefix="pool-observer-")).resolve()
    keeper = subprocess.Popen(  # noqa: S603 (we and the folder)
        [sys.executable, "-P", str(_KEEPER), str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield folder
    finally:
        keeper.communicate()  # closes its input, and waits for it
