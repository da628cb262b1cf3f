"""`pool-observer check` as it is run: in a process of its own, on somebody's project."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest
from sqlalchemy import create_engine, text

from tests.postgres import Postgres

ROOT = Path(__file__).parents[2]

DB = """
    from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

    print("noise from an import")
    engine = create_async_engine(
        "postgresql+asyncpg://user:secret@127.0.0.1:1/orders",
        pool_size=5, max_overflow=5, pool_timeout=10, pool_pre_ping=True,
    )

    class Database:
        engine = engine

    database = Database()
    SessionLocal = async_sessionmaker(engine, expire_on_commit=False)

    def make_engine():
        return engine

    def needs(url):
        return engine

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

    def check(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "pool_observer", "check", *arguments],
            cwd=self.folder,
            env={"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


TOO_MANY = ("--workers", "4", "--replicas", "3", "--max-connections", "100", "--no-connect")


def test_a_good_configuration_is_said_to_be_one(project: Project) -> None:
    done = project.check("app.db:engine", "--app", "app.main:app", "--no-connect")
    assert done.stdout == 'pool "127.0.0.1:1/orders": nothing to mend\n'
    assert done.stderr == "noise from an import\n"
    assert done.returncode == 0


def test_an_error_fails_the_check_and_says_what_to_write(project: Project) -> None:
    done = project.check("app.db:engine", *TOO_MANY)
    assert done.returncode == 1
    assert "error: up to 120 connections, and 72 to be had  [capacity]" in done.stdout
    assert "-> create_async_engine(..., pool_size=3, max_overflow=3)" in done.stdout
    assert "secret" not in done.stdout + done.stderr


def test_programs_read_json(project: Project) -> None:
    done = project.check("app.db:engine", *TOO_MANY, "--format", "json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["findings"][0]["code"] == "capacity"


def test_github_gets_annotations(project: Project) -> None:
    done = project.check("app.db:engine", *TOO_MANY, "--format", "github")
    assert done.returncode == 1
    assert done.stdout.startswith("::error title=up to 120 connections%2C and 72 to be had")


@pytest.mark.parametrize(
    ("level", "status"), [("error", 0), ("warning", 1), ("info", 1), ("never", 0)]
)
def test_a_warning_fails_where_that_is_asked_for(project: Project, level: str, status: int) -> None:
    done = project.check(
        "app.db:engine", "--no-connect", "--proxy-idle-timeout", "60", "--fail-on", level
    )
    assert "warning: connections are not recycled" in done.stdout
    assert done.returncode == status


def test_what_is_meant_is_left_out(project: Project) -> None:
    done = project.check("app.db:engine", *TOO_MANY, "--ignore", "capacity")
    assert done.returncode == 0
    assert "nothing to mend" in done.stdout


@pytest.mark.parametrize("target", ["app.db:database.engine", "app.db:make_engine"])
def test_an_engine_may_be_an_attribute_or_what_a_function_returns(
    project: Project, target: str
) -> None:
    done = project.check(target, "--app", "app.main:create_app", "--no-connect")
    assert done.returncode == 0, done.stderr


def test_factories_beside_the_engine_are_found_by_themselves(project: Project) -> None:
    project.write("app/db.py", DB.replace(", expire_on_commit=False", ""))
    done = project.check("app.db:engine", "--no-connect")
    assert "[expire-on-commit]" in done.stdout
    # and once, if they are named as well
    done = project.check("app.db:engine", "--no-connect", "--sessions", "app.db:SessionLocal")
    assert "warning: 1 factory of AsyncSession" in done.stdout


def test_several_engines_are_checked_at_once(project: Project) -> None:
    project.write(
        "app/other.py",
        """
        from sqlalchemy import create_engine
        engine = create_engine("postgresql+psycopg://127.0.0.1:1/orders", pool_pre_ping=True,
                               pool_timeout=10, pool_size=5, max_overflow=5)
        """,
    )
    done = project.check("app.db:engine", "app.other:engine", "--no-connect")
    assert "2 engines to the same database, 20 connections together" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["app.db"], "'app.db' is not of the form module:attribute, as in app.db:engine"),
        (["app.db:"], "'app.db:' is not of the form module:attribute"),
        ([":engine"], "':engine' is not of the form module:attribute"),
        (["nothing:engine"], "there is no module 'nothing'; run this in the folder that you"),
        (["app.none:engine"], "there is no module 'app.none'"),
        (["app.db:motor"], "app.db has no 'motor'; name the variable that holds an engine"),
        (["app.db:database"], "app.db:database is not an engine, but a Database; "),
        (["app.db:needs"], "app.db:needs is not an engine, but a function; "),
        (["app.db:fails"], "RuntimeError: no postgresql://user:***@host/orders today"),
        (["app.db:engine", "--app", "app.db:engine"], "app.db:engine is not an application, but"),
        (["app.db:engine", "--sessions", "app.db:engine"], "is not a session factory, but"),
        (["app.db:engine", "--workers", "0"], "workers must be above 0, not 0"),
        (["app.lacks:engine"], "ModuleNotFoundError: No module named 'no_such_driver'"),
        (["app.raises:engine"], "importing app.raises failed: KeyError: 'DATABASE_URL'; set what"),
        (["app.leaves:engine"], "importing app.leaves failed: SystemExit: 3; "),
        (["app.broken:engine"], "importing app.broken failed: SyntaxError: "),
    ],
)
def test_what_cannot_be_checked_is_a_line_that_says_the_mend(
    project: Project, arguments: list[str], message: str
) -> None:
    project.write("app/lacks.py", "import no_such_driver")
    project.write("app/raises.py", "import os; os.environ['DATABASE_URL']")
    project.write("app/leaves.py", "import sys; sys.exit(3)")
    project.write("app/broken.py", "engine = (")
    done = project.check(*arguments, "--no-connect")
    assert done.returncode == 2
    assert done.stdout == ""
    (line,) = [each for each in done.stderr.splitlines() if not each.startswith("noise")]
    assert line.startswith("pool-observer check: ")
    assert message in line
    assert "secret" not in line


def test_an_option_that_is_none_is_refused_by_the_same_status(project: Project) -> None:
    assert project.check("app.db:engine", "--ignore", "no-such-code").returncode == 2


def test_help_has_an_example(project: Project) -> None:
    done = project.check("--help")
    assert done.returncode == 0
    assert "pool-observer check app.db:engine --app app.main:app --workers 4" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_a_server_that_does_not_answer_is_no_failure(project: Project) -> None:
    done = project.check("app.db:engine")
    assert done.returncode == 0
    assert "127.0.0.1:1/orders was not asked for its limits (ConnectionRefused" in done.stderr
    assert "nothing to mend" in done.stdout
    assert "secret" not in done.stderr


@pytest.mark.parametrize("driver", ["asyncpg", "psycopg"])
def test_the_servers_limits_are_read_where_it_answers(
    project: Project, postgres: Postgres, driver: str
) -> None:
    url = postgres.url(driver)
    make = "create_async_engine" if driver == "asyncpg" else "create_engine"
    project.write(
        "app/live.py",
        f"""
        from sqlalchemy import create_engine
        from sqlalchemy.ext.asyncio import create_async_engine
        engine = {make}({url.render_as_string(hide_password=False)!r}, pool_size=5,
                        max_overflow=5, pool_timeout=10, pool_pre_ping=True)
        """,
    )
    administrator = create_engine(postgres.url("psycopg"))
    with administrator.connect() as connection:
        limit = int(connection.execute(text("SHOW max_connections")).scalar_one())
    administrator.dispose()
    done = project.check("app.live:engine", "--workers", str(limit), "--format", "json")
    codes = {each["code"]: each for each in json.loads(done.stdout)["findings"]}
    assert f"The server takes {limit}, of which" in codes["capacity"]["why"]
    assert "idle-in-transaction-timeout" in codes
    assert done.returncode == 1
    # what is said on the command line goes before
    done = project.check(
        "app.live:engine", "--workers", str(limit), "--max-connections", str(100 * limit)
    )
    assert "[capacity]" not in done.stdout
