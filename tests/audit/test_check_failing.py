"""Whatever a user's code does, `pool-observer check` says it in a line, and its status is true."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from pool_observer.__main__ import main
from tests.audit.project import ROOT, Project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


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
        (["app.db:Database"], "app.db:Database is not an engine, but a class; "),
        (["app.db:Database.get"], "app.db:Database.get is not an engine, but a function; "),
        (["app.db:proxy"], "app.db:proxy is not an engine, but a Proxy; "),
        (["app.db:proxy.engine"], "reading app.db:proxy.engine failed: RuntimeError: working"),
        (["app.db:database.unready"], "failed: RuntimeError: not in postgresql://user:***@host"),
        (["app.db:raises_no_exception"], "calling app.db:raises_no_exception failed: TheirsError"),
        (["app.db:asynchronous"], "app.db:asynchronous is an `async def`, which only an event"),
        (["app.db:asynchronous_and_cached"], "cached is an `async def`, which only an event loop"),
        (['app.db:engines["default"]'], "in a list or a dict needs a variable of its own, or a f"),
        (["app.db:engine", "--app", "app.db:proxy"], "app.db:proxy is not an application, but a"),
        (["app.db:engine", "--app", "app.empty:app"], "app.empty:app is not an application, but"),
        (["app.derived:engine"], "importing app.derived failed: Stop: now; set what it needs"),
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
    project.write("app/empty.py", "class App: routes = None\napp = App()")
    project.write("app/derived.py", "class Stop(BaseException): ...\nraise Stop('now')")
    done = project.check(*arguments, "--no-connect")
    assert done.returncode == 2
    assert done.stdout == ""
    (line,) = [each for each in done.stderr.splitlines() if not each.startswith("noise")]
    assert line.startswith("pool-observer check: ")
    assert message in line
    assert "secret" not in line


def test_an_application_with_an_odd_route_is_checked_but_for_that(project: Project) -> None:
    project.write(
        "app/odd.py",
        """
        from fastapi import FastAPI
        from app.db import Proxy, SessionLocal

        app = FastAPI()
        app.router.routes.append(Proxy())
        """,
    )
    done = project.check("app.db:engine", "--app", "app.odd:app", "--no-connect")
    assert (done.returncode, done.stderr) == (0, "noise from an import\n")


def test_who_interrupts_it_is_not_told_why(project: Project) -> None:
    project.write("app/interrupted.py", "raise KeyboardInterrupt")
    done = project.check("app.interrupted:engine", "--no-connect")
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


@pytest.mark.parametrize(("level", "status"), [("error", 0), ("info", 1)])
def test_a_report_that_nobody_reads_has_its_status(
    project: Project, level: str, status: int
) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    options = ("--no-connect", "--proxy-idle-timeout", "60", "--fail-on", level)
    with open(writer, "w") as closed:
        done = project.check("app.db:engine", *options, stdout=closed)
    assert (done.returncode, done.stderr) == (status, "noise from an import\n")


def test_a_failure_of_its_own_is_not_taken_for_a_finding(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(*arguments: object, **options: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr("pool_observer.commands.check.audit", fails)
    arguments = ["check", "tests.audit.some_endpoints:ENGINE", "--no-connect"]
    assert main(arguments) == 2
    assert capsys.readouterr() == ("", "pool-observer check: RuntimeError: a bug\n")


NOISY = """
    import atexit, os, sys, threading, time
    from app.db import engine

    assert sys.argv[1:] == [], "these are not for us"
    ready = threading.Event()

    def chatter():
        while True:
            print("noise of a thread that nobody ends", flush=True)
            os.write(1, b"noise of a driver")
            ready.set()
            time.sleep(0.01)

    threading.Thread(target=chatter).start()
    ready.wait()
    os.system("echo noise of a process")
    atexit.register(print, "noise at exit")
"""


@pytest.mark.parametrize(
    "noise", [NOISY, NOISY.replace("target=chatter", "target=chatter, daemon=True")]
)
def test_whatever_is_printed_is_no_part_of_the_report(project: Project, noise: str) -> None:
    project.write("app/noisy.py", noise)
    done = project.check("app.noisy:engine", "--no-connect", "--format", "json")
    assert done.returncode == 0
    assert json.loads(done.stdout)["findings"] == []
    assert "noise of a thread" in done.stderr
    assert "noise of a process" in done.stderr


@pytest.mark.parametrize(("stream", "status"), [("stdout", 2), ("stderr", 0)])
def test_a_stream_that_is_closed_does_no_harm(project: Project, stream: str, status: int) -> None:
    number = {"stdout": 1, "stderr": 2}[stream]
    command = shlex.join([sys.executable, "-m", "pool_observer", "check"])
    done = subprocess.run(
        f"{command} app.db:engine --no-connect {number}>&-",
        shell=True,
        cwd=project.folder,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == status
    assert b"Traceback" not in done.stderr
