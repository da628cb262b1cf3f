"""What `pool-observer check` calls a pool, and where it looks for it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.audit.project import Project

OBSERVED = """
    from pool_observer import observe
    from sqlalchemy import create_engine

    url = "postgresql+psycopg://127.0.0.1:1/orders"
    engine = create_engine(url)
    reports = create_engine(url)
    unobserved = create_engine(url)
    closed = create_engine(url)
    borrowed = engine.execution_options(isolation_level="AUTOCOMMIT")
    observe(engine, name="orders")
    observe(reports, name="reports")
    observe(closed, name="closed").close()
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    project = Project(tmp_path)
    project.write("app/observed.py", OBSERVED)
    return project


def test_a_pool_is_called_what_its_observer_calls_it(project: Project) -> None:
    names = ("engine", "reports", "unobserved", "closed", "borrowed")
    done = project.check(*(f"app.observed:{name}" for name in names), "--no-connect")
    named = re.findall(r'^pool "(.*)": (?!nothing)', done.stdout, re.MULTILINE)
    assert named == ["orders", "reports", "127.0.0.1:1/orders"]


def test_a_pool_whose_server_is_asked_in_vain_is_called_so_too(project: Project) -> None:
    done = project.check("app.observed:engine")
    assert done.stderr.startswith("orders was not asked for its limits (")


@pytest.mark.parametrize("folder", ["nowhere", "app/db.py"])
def test_a_folder_that_is_not_there_is_named(project: Project, folder: str) -> None:
    done = project.check("app.db:engine", "--no-connect", "--app-dir", folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"pool-observer check: there is no folder {folder!r}; --app-dir is where your modules are\n"
    )
