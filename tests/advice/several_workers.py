"""A service of several worker processes with a live page, none of which can be chosen."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fastapi import FastAPI
from sqlalchemy import create_engine
from sqlalchemy.pool import QueuePool

from pool_observer import observe
from tests.prometheus.prometheus_server import free_port, program

PATH = "/debug/pools"


@dataclass(frozen=True)
class Workers:
    url: str
    pids: Path
    """A file for each worker, by its pid."""

    def all_pids(self) -> set[str]:
        return {each.name for each in self.pids.iterdir()}


def app() -> FastAPI:
    (Path(os.environ["PIDS"]) / str(os.getpid())).touch()
    engine = create_engine("sqlite://", poolclass=QueuePool, pool_size=3, max_overflow=2)
    app = FastAPI()
    observe(engine, app, name="orders", registry=None, debug_path=PATH)
    app.state.engine = engine  # or nobody keeps it
    return app


@contextmanager
def several_workers(number: int, folder: Path) -> Iterator[Workers]:
    """The service, once all of its workers have begun."""
    port, pids = free_port(), folder / "pids"
    pids.mkdir()
    command = [
        *(sys.executable, "-m", "uvicorn", "--factory", f"{__name__}:app"),
        *("--port", str(port), "--workers", str(number), "--log-level", "warning"),
    ]
    address = f"http://127.0.0.1:{port}"
    environment = os.environ | {"PIDS": str(pids)}
    with program(command, folder / "service.log", f"{address}{PATH}", environment):
        yield Workers(f"{address}{PATH}", pids)
