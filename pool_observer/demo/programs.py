"""Starts programs in a demo's folder, and ends them."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

PATIENCE = 30.0
"""Seconds for a program to be ready, on a machine that has a lot to do."""

_SYSTEM_FOLDERS = ("/usr/sbin", "/usr/local/sbin", "/opt/homebrew/bin")
"""Where servers are that are not on everybody's PATH."""


class CannotRunError(RuntimeError):
    """Something that the demo needs is not there, or does not start. Says what mends it."""


def found(name: str, mend: str) -> str:
    """Where this program is."""
    path = os.pathsep.join((os.environ.get("PATH", os.defpath), *_SYSTEM_FOLDERS))
    program = shutil.which(name, path=path)
    if program is None:
        raise CannotRunError(f"there is no {name} on the PATH; {mend}")
    return program


@contextmanager
def running(
    name: str,
    command: Sequence[str],
    log: Path,
    ready: Callable[[], bool],
    *,
    environment: Mapping[str, str] | None = None,
    pass_fds: Sequence[int] = (),
    end_with: signal.Signals = signal.SIGTERM,
) -> Iterator[None]:
    """A program, from when it is ready. Ctrl-C is for the demo alone, which ends it in turn."""
    with log.open("ab") as output:
        process = subprocess.Popen(  # noqa: S603 (what the demo says)
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=environment,
            pass_fds=pass_fds,
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + PATIENCE
        while not ready():
            if process.poll() is not None or time.monotonic() > deadline:
                raise CannotRunError(f"{name} did not start: {_last_of(log)}")
            time.sleep(0.05)
        yield
    finally:
        process.send_signal(end_with)
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _last_of(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1].strip() if lines else "it said nothing"
