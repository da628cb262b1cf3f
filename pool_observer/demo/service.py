"""The example service in a process of its own, one after the other on the same address."""

from __future__ import annotations

import os
import socket
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from pool_observer.demo.database import without_settings_of_postgres
from pool_observer.demo.programs import CannotRunError, running

DEBUG_PATH = "/debug/pools"

_HERE = Path(__file__).parent
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""All is on this machine, where no proxy would find it."""

_SHARED = ("PROMETHEUS_MULTIPROC_DIR", "prometheus_multiproc_dir")
"""Where the processes of another service keep their metrics."""


def example_folder() -> Path:
    """Where `llm_service` is: beside this file when installed, in `examples` of a checkout."""
    for folder in (_HERE, _HERE.parents[1] / "examples"):
        if (folder / "llm_service" / "main.py").exists():
            return folder
    raise CannotRunError(
        "the example service is missing here; install pool-observer again, or run the demo in a "
        "whole checkout"
    )


class Address:
    """A port of this machine that stays ours while one service follows another."""

    def __init__(self, listening: socket.socket) -> None:
        self.descriptor = listening.fileno()
        self.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        self.page = f"{self.url}{DEBUG_PATH}"

    def answers(self) -> bool:
        """Whether a service is there, and well."""
        try:
            with _DIRECT.open(f"{self.url}/health", timeout=1) as response:
                return bool(response.status == 200)
        except (urllib.error.URLError, OSError):
            return False


@contextmanager
def address() -> Iterator[Address]:
    """A free one, on the loopback interface only."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(1024)
        yield Address(listening)


@contextmanager
def service(at: Address, folder: Path, settings: Mapping[str, object]) -> Iterator[None]:
    """The service with these settings, from when it answers."""
    ours = Path(__file__).parents[2]
    path = [str(example_folder()), str(ours), os.environ.get("PYTHONPATH", "")]
    environment = {
        **without_settings_of_postgres(os.environ),
        **{name.upper(): str(value) for name, value in settings.items()},
        "PYTHONPATH": os.pathsep.join(each for each in path if each),
    }
    for shared in _SHARED:
        environment.pop(shared, None)
    command = [sys.executable, "-P", "-m", "pool_observer.demo.serving"]
    command += [str(at.descriptor), str(folder)]
    log = folder / "service.log"
    with running(
        "the example service",
        command,
        log,
        at.answers,
        environment=environment,
        pass_fds=[at.descriptor],
    ):
        yield
