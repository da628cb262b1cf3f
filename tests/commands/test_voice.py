"""All commands speak with one voice."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from pool_observer.__main__ import main
from pool_observer.commands.catalogue import MODULES, parser
from pool_observer.commands.described import described

COMMANDS = [name for module in MODULES for name in module.commands]
FULL = "/dev/full"


def program(
    *arguments: str, shell: str = "", environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run it as somebody would, perhaps with a redirection."""
    command = [sys.executable, "-m", "pool_observer", *arguments]
    if shell:
        command = ["bash", "-c", f'set -o pipefail; "$@" {shell}', "bash", *command]
    paths = {"PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        env=os.environ | paths | (environment or {}),
        check=False,
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_examples_and_exit_statuses_in_80_columns(
    command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    said = capsys.readouterr().out
    assert said.startswith(f"usage: pool-observer {command} ")
    assert re.search(r'examples:\n  (eval "\$\()?pool-observer ', said)
    assert re.search(r"\nexit status: 0 ", said)
    assert not said.endswith("\n\n")


def test_the_commands_are_named_alike_whether_they_are_loaded_or_not() -> None:
    loaded = parser(lambda module: True)
    assert loaded.format_help() == parser(lambda module: False).format_help()
    assert [each.name for each in described(loaded)[1]] == COMMANDS


@pytest.mark.parametrize("command", COMMANDS)
def test_an_option_that_is_not_known_is_an_error_in_one_line(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    given = {"top": ["u"], "snapshot": ["u"], "advise": ["u"], "check": ["e"], "rules": ["f"]}
    given |= {"dashboards": ["f"], "completion": ["bash"], "load": ["http://h"]}
    with pytest.raises(SystemExit) as ended:
        main([command, *given.get(command, []), "--\x1bodd"])
    assert ended.value.code == 2
    assert capsys.readouterr().err == (
        f"pool-observer {command}: unrecognized arguments: --\ufffdodd; "
        f"see pool-observer {command} --help\n"
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["tpo"], "there is no command 'tpo'; did you mean top?"),
        (["\x1b[2J"], f"there is no command '\\x1b[2J'; there is {', '.join(COMMANDS)}"),
        (["--odd"], "unrecognized arguments: --odd; see pool-observer --help"),
    ],
)
def test_a_command_that_is_not_known_is_an_error_in_one_line(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        status: object = main(arguments)
    except SystemExit as ended:
        status = ended.code
    assert status == 2
    assert capsys.readouterr().err == f"pool-observer: {said}\n"


@pytest.mark.parametrize("command", ["top", "snapshot", "advise"])
@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["ftp://host/x"], "the address must begin with http:// or https://"),
        (["localhost:8000"], "the address must begin with http:// or https://"),
        (["http://me:secret@host/x"], "put no name and password into the address"),
        (["http://localhost:1/x"], "http://localhost:1/x cannot be reached"),
        (["http://h/", "--timeout", "0"], "argument --timeout: must be a number of seconds"),
        (["http://h/", "--header", "secret"], "argument --header: must be like 'Name: value'"),
    ],
)
def test_who_is_asked_is_checked_in_the_same_way(
    command: str, options: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        status: object = main([command, *options])
    except SystemExit as ended:
        status = ended.code
    assert status == 2
    error = capsys.readouterr().err
    assert error.startswith(f"pool-observer {command}: {said}")
    assert error.count("\n") == 1
    assert "secret" not in error


def test_without_a_command_it_says_what_to_do_first(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "first steps:\n  pool-observer demo" in capsys.readouterr().out


def test_it_says_its_version() -> None:
    said = program("--version")
    assert said.returncode == 0
    assert re.fullmatch(r"pool-observer \S.*\n", said.stdout)


@pytest.mark.parametrize("arguments", [["--help"], ["runbook"], ["metrics"], ["check", "--help"]])
def test_who_reads_no_further_is_no_error(arguments: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    said = subprocess.run(
        [sys.executable, "-m", "pool_observer", *arguments],
        stdout=writing,
        stderr=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "PYTHONUNBUFFERED": ""},
        check=False,
    )
    os.close(writing)
    assert (said.returncode, said.stderr) == (0, b"")


@pytest.mark.parametrize(
    "arguments", [["runbook"], ["metrics"], ["completion", "bash"], ["completion", "zsh"]]
)
@pytest.mark.parametrize(
    ("shell", "why"), [(">&-", "standard output is closed"), (f">{FULL}", "No space left")]
)
def test_what_cannot_be_written_is_an_error_in_one_line(
    arguments: list[str], shell: str, why: str
) -> None:
    said = program(*arguments, shell=shell)
    assert said.returncode == 2
    assert said.stderr.startswith(f"pool-observer {arguments[0]}: ")
    assert why in said.stderr
    assert said.stderr.count("\n") == 1


def test_help_needs_nothing_that_only_a_command_needs() -> None:
    """So it is there at once."""
    script = (
        "import sys; from pool_observer.commands.catalogue import parser; "
        "before = set(sys.modules); parser(lambda module: False).format_help(); "
        "print(*(set(sys.modules) - before))"
    )
    said = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        check=True,
    )
    assert "pool_observer." not in said.stdout
