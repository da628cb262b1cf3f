"""Starts programs in a demo's folder, and ends them."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

PATIENCE = 30.0
"""Seconds for a program to be ready, on a machine that has a lot to do."""

_SYSTEM_FOLDERS = ("/usr/sbin", "/usr/local/sbin", "/opt/homebrew/bin")
"""Where servers are that are not on everybody's PATH."""

_REASONS = (
    re.compile(r"^[\w.]+(?:Error|Exception)\b"),  # the end of a traceback
    re.compile(r"\b(?:FATAL|PANIC)\b"),
    re.compile(r"\b(?:error|err=|cannot|could not)\b", re.IGNORECASE),
    re.compile(r"^(?!INFO\b)"),
)
"""What the line looks like that says why a program did not start, the likeliest first."""


class CannotRunError(RuntimeError):
    """Something that the demo needs is not there, or does not start. Says what mends it."""


class User(Protocol):
    """Whom a program runs as that root starts."""

    @property
    def name(self) -> str: ...
    @property
    def uid(self) -> int: ...
    @property
    def gid(self) -> int: ...


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
    user: User | None = None,
) -> Iterator[None]:
    """A program, from when it is ready. Ctrl-C is for the demo alone, which ends it in turn."""
    said_before = log.stat().st_size if log.exists() else 0
    process = _started(name, command, log, environment, user, pass_fds)
    try:
        deadline = time.monotonic() + PATIENCE
        while not ready():
            if process.poll() is not None or time.monotonic() > deadline:
                raise CannotRunError(f"{name} did not start: {reason(log, said_before)}")
            time.sleep(0.05)
        yield
    finally:
        process.send_signal(end_with)
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def run_to_end(
    name: str,
    command: Sequence[str],
    log: Path,
    *,
    environment: Mapping[str, str] | None = None,
    user: User | None = None,
) -> None:
    """A program that does something, and ends."""
    process = _started(name, command, log, environment, user)
    try:
        status = process.wait(timeout=PATIENCE)
    except BaseException as error:
        with suppress(ProcessLookupError):  # together with what it has started itself
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if isinstance(error, subprocess.TimeoutExpired):
            raise CannotRunError(f"{name} did not start: it takes too long") from None
        raise
    if status:
        raise CannotRunError(f"{name} did not start: {reason(log)}")


def _started(
    name: str,
    command: Sequence[str],
    log: Path,
    environment: Mapping[str, str] | None,
    user: User | None,
    pass_fds: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    with log.open("ab") as output:
        try:
            return subprocess.Popen(  # noqa: S603 (what the demo says)
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=environment,
                pass_fds=pass_fds,
                start_new_session=True,
                user=None if user is None else user.uid,
                group=None if user is None else user.gid,
                extra_groups=None if user is None else [],
                cwd=None if user is None else "/",  # it may not be allowed to be where we are
            )
        except OSError as error:
            whom = "" if user is None else f", which root has to start as {user.name}"
            raise CannotRunError(f"{name} did not start{whom}: {error}") from error


def reason(log: Path, since: int = 0) -> str:
    """The line of a log, of what is said there from an offset on, that tells why it ended."""
    lines = log.read_bytes()[since:].decode(errors="replace").strip().splitlines()
    for looks_like in _REASONS:
        for line in reversed(lines):
            if looks_like.search(line.strip()):
                return line.strip()
    return "it said nothing"
