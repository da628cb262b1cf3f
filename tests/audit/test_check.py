"""`pool-observer check` on somebody's project."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from tests.audit.project import DB, Project
from tests.postgres import Postgres


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


@pytest.mark.parametrize(
    "target",
    [
        "app.db:database.engine",
        "app.db:database.get",
        "app.db:Database.make",
        "app.db:make_engine",
        "app.db:cached",
        "app.db:partial",
    ],
)
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


def test_an_option_that_is_none_is_refused_by_the_same_status(project: Project) -> None:
    assert project.check("app.db:engine", "--ignore", "no-such-code").returncode == 2


def test_modules_may_be_in_a_folder_of_their_own(project: Project) -> None:
    (project.folder / "src").mkdir()
    (project.folder / "app").rename(project.folder / "src" / "app")
    assert project.check("app.db:engine", "--no-connect").returncode == 2
    done = project.check("app.db:engine", "--no-connect", "--app-dir", "src")
    assert done.returncode == 0, done.stderr


def test_help_has_an_example(project: Project) -> None:
    done = project.check("--help")
    assert done.returncode == 0
    assert "pool-observer check app.db:engine --app app.main:app --workers 4" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_a_server_that_does_not_answer_is_no_failure(project: Project) -> None:
    done = project.check("app.db:engine")
    assert done.returncode == 0
    assert "127.0.0.1:1/orders was not asked for its limits (ConnectionRefused" in done.stderr
    assert "); say --max-connections, or --no-connect\n" in done.stderr
    assert "nothing to mend" in done.stdout
    assert "secret" not in done.stderr
    done = project.check("app.db:engine", "--max-connections", "100")
    assert "was not asked for its limits (ConnectionRefused" in done.stderr
    assert "say --max-connections" not in done.stderr


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
