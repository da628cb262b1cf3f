"""Somebody's project, and `pool-observer check` as it is run on it: in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from typing import IO

ROOT = Path(__file__).parents[2]

DB = """
    import functools

    from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

    print("noise from an import")
    engine = create_async_engine(
        "postgresql+asyncpg://user:secret@127.0.0.1:1/orders",
        pool_size=5, max_overflow=5, pool_timeout=10, pool_pre_ping=True,
    )

    class Database:
        engine = engine

        @property
        def unready(self):
            raise RuntimeError("not in postgresql://user:s3/secret@host/orders")

        def get(self):
            return engine

        @classmethod
        def make(cls):
            return engine

    class Proxy:
        def __getattr__(self, name):
            raise RuntimeError("working outside of an application")

    class TheirsError(BaseException):
        def __str__(self):
            raise RuntimeError

    database = Database()
    SessionLocal = async_sessionmaker(engine, expire_on_commit=False)

    def make_engine():
        return engine

    def needs(url):
        return engine

    @functools.lru_cache
    def cached():
        return engine

    partial = functools.partial(needs, "url")
    proxy = Proxy()
    engines = {"default": engine}

    async def asynchronous():
        return engine

    @functools.lru_cache
    def asynchronous_and_cached():
        return asynchronous()

    def raises_no_exception():
        raise TheirsError

    def fails():
        raise RuntimeError("no postgresql://user:secret@host/orders today")
"""

MAIN = """
    from fastapi import FastAPI

    from app.db import SessionLocal

    app = FastAPI()

    def create_app():
        return app
"""


class Project:
    """Somebody's files, and what a check of them comes to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.write("app/__init__.py", "")
        self.write("app/db.py", DB)
        self.write("app/main.py", MAIN)

    def write(self, path: str, content: str) -> None:
        file = self.folder / path
        file.parent.mkdir(exist_ok=True)
        file.write_text(dedent(content))

    def check(
        self, *arguments: str, stdout: int | IO[str] = subprocess.PIPE
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "pool_observer", "check", *arguments],
            cwd=self.folder,
            env={"PYTHONPATH": str(ROOT)},
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            timeout=120,
        )
