from __future__ import annotations

import io
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import httpx
import pytest
from sqlalchemy.engine import URL, make_url

from pool_observer.demo.act import Act
from pool_observer.demo.keeper import started_in
from pool_observer.demo.load import Mix
from pool_observer.demo.run import Wanted, demo
from pool_observer.demo.service import Address, address, service
from pool_observer.demo.terminal import Screen
from tests.databases.mariadb import found
from tests.postgres import Postgres

Serve = Callable[..., AbstractContextManager[Address]]


class Visitor(Screen):
    """Looks at what is kept, and presses Ctrl-C."""

    def __init__(self, output: io.StringIO) -> None:
        super().__init__(output, {})
        self.seen: dict[str, str] = {}
        self.dashboards: list[str] = []
        self.database: URL

    def say(self, text: str = "") -> None:
        super().say(text)
        name, _, url = text.strip().rpartition(" ")
        if text.startswith("  ") and url.startswith("http://"):
            answer = httpx.get(url, trust_env=False, follow_redirects=True)
            self.seen[name.strip()] = answer.raise_for_status().text
        if text.startswith("  dashboards "):
            folder = Path(text.removeprefix("  dashboards ").split(",")[0].strip())
            self.dashboards = [each.name for each in folder.iterdir()]
            (serving,) = (
                each for each in started_in(str(folder.parent)) if "-m" in each.info["cmdline"]
            )
            self.database = make_url(serving.environ()["DATABASE_URL"])
        if "--chat-path" in text:
            raise KeyboardInterrupt


class Shown:
    """A small demo: what it printed, and what it came to."""

    def __init__(self) -> None:
        output = io.StringIO()
        self.with_pgbouncer = found("pgbouncer") is not None
        self.with_prometheus = shutil.which("prometheus") is not None
        wanted = Wanted(
            seconds=3,
            mix=Mix(users=40, thinking=(0.05, 0.15)),
            model_seconds=1.5,
            through_pgbouncer=self.with_pgbouncer,
            with_prometheus=self.with_prometheus,
            keep=True,
        )
        self.naive: Act
        self.fixed: Act
        visitor = Visitor(output)
        self.naive, self.fixed = demo(wanted, visitor)
        self.kept = visitor.seen
        self.dashboards = visitor.dashboards
        self.database = visitor.database
        self.text = output.getvalue()


@pytest.fixture(scope="session")
def shown() -> Shown:
    return Shown()


@pytest.fixture(scope="session")
def serve(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Serve:
    """The example service, with these settings, on a real PostgreSQL."""

    @contextmanager
    def serving(**settings: object) -> Iterator[Address]:
        url = postgres.url("asyncpg").render_as_string(hide_password=False)
        settings = {"database_url": url, "model_refusals": 0, "query_seconds": 0} | settings
        folder = tmp_path_factory.mktemp("service")
        with address() as at, service(at, folder, settings):
            yield at

    return serving
