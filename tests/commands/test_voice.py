"""All commands speak with one voice."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from pool_observer.__main__ import main
from pool_observer.audit.rules import RULES
from pool_observer.commands.catalogue import MODULES, parser
from pool_observer.commands.described import described
from pool_observer.commands.parsing import nearest
from pool_observer.monitoring.alerts import ALERTS
from tests.commands.running import program

COMMANDS = [name for module in MODULES for name in module.commands]


def status_of(arguments: list[str]) -> object:
    try:
        return main(arguments)
    except SystemExit as ended:
        return ended.code


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_examples_and_exit_statuses_in_80_columns(
    command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert status_of([command, "--help"]) == 0
    said = capsys.readouterr().out
    assert said.startswith(f"usage: pool-observer {command} ")
    assert re.search(r'examples:\n  (eval "\$\()?pool-observer ', said)
    (statuses,) = re.findall(r"\nexit status: (0 .*)$", said, re.DOTALL)
    numbers = re.findall(r"(?:^|, |,\n)(\d+) ", statuses)
    assert [each for each in numbers if each != "1"] == ["0", "2", "130"]
    assert max(map(len, statuses.splitlines())) <= 80
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
    assert status_of([command, *given.get(command, []), "--\x1bodd"]) == 2
    assert capsys.readouterr().err == (
        f"pool-observer {command}: unrecognized arguments: --\ufffdodd; "
        f"see pool-observer {command} --help\n"
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["tpo"], "there is no command 'tpo'; did you mean top?"),
        (["TOP"], "there is no command 'TOP'; did you mean top?"),
        (["\x1b[2J"], f"there is no command '\\x1b[2J'; there is {', '.join(COMMANDS)}"),
        (["version"], "there is no command 'version'; see pool-observer --version"),
        (["help"], "there is no command 'help'; see pool-observer --help"),
        (["help", "TOP"], "there is no command 'help'; see pool-observer top --help"),
        (["help", "--json", "me"], "there is no command 'help'; see pool-observer --help"),
        (["--odd"], "unrecognized arguments: --odd; see pool-observer --help"),
        (["--verson"], "unrecognized arguments: --verson; did you mean --version?"),
    ],
)
def test_a_command_that_is_not_known_is_an_error_in_one_line(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert status_of(arguments) == 2
    assert capsys.readouterr().err == f"pool-observer: {said}\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["runbook", "ConnectionPoolExausted"],
            "argument ALERT: there is no 'ConnectionPoolExausted'; "
            "did you mean ConnectionPoolExhausted?",
        ),
        (
            ["runbook", "connectionpoolleak"],
            "argument ALERT: there is no 'connectionpoolleak'; did you mean ConnectionPoolLeak?",
        ),
        (
            ["runbook", "fire"],
            "argument ALERT: there is no 'fire'; see pool-observer runbook --help",
        ),
        (
            ["check", "a:b", "--ignore", "NOPE"],
            "argument --ignore: there is no 'NOPE'; see pool-observer check --help",
        ),
        (
            ["check", "a:b", "--ignore=pool_size"],
            "argument --ignore: there is no 'pool_size'; did you mean pool-size?",
        ),
        (
            ["check", "a:b", "--format", "xml"],
            "argument --format: there is no 'xml'; there is text, json, github",
        ),
        (["top", "u", "--sotr=age"], "unrecognized arguments: --sotr=age; did you mean --sort?"),
        (["metrics", "all"], "unrecognized arguments: all; see pool-observer metrics --help"),
        (
            ["rules", "f", "--threshold", "Slow_Wiat=1"],
            "argument --threshold: nothing here has a threshold 'Slow_Wiat', but slow_wait; "
            "see pool-observer rules --help",
        ),
        (
            ["completion", "x" * 300],
            f"argument shell: there is no '{'x' * 168}...; there is bash, zsh, fish",
        ),
    ],
)
def test_what_is_mistyped_is_answered_with_what_was_meant(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert status_of(arguments) == 2
    assert capsys.readouterr().err == f"pool-observer {arguments[0]}: {said}\n"


def test_neither_capitals_nor_dashes_make_a_name_another() -> None:
    assert nearest("aa", ["bb", "--AA"]) == "--AA"
    assert nearest("--A-A", ["bb", "a-a"]) == "a-a"
    assert nearest("", ["aa"]) is None


@pytest.mark.parametrize(
    ("command", "names"),
    [("runbook", [alert.name for alert in ALERTS]), ("check", list(RULES))],
)
def test_names_that_are_too_many_for_a_line_are_in_the_help(
    command: str, names: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert status_of([command, "--help"]) == 0
    assert set(names) <= set(re.findall(r"[\w-]+", capsys.readouterr().out))


def test_commands_of_a_module_have_examples_of_their_own(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for command in COMMANDS:
        status_of([command, "--help"])
        examples = re.findall(r"\n  pool-observer (\w+)", capsys.readouterr().out)
        assert set(examples) <= {command}


@pytest.mark.parametrize("command", COMMANDS)
def test_help_says_of_each_option_what_it_is(command: str) -> None:
    _, commands = described(parser(lambda module: True))
    (it,) = [each for each in commands if each.name == command]
    assert [each.flags for each in it.options if each.help.startswith("default")] == []


@pytest.mark.parametrize("shell", ["2>&-", "2>/dev/full"])
@pytest.mark.parametrize("arguments", [["tpo"], ["metrics", "--odd"]])
def test_what_nobody_can_be_told_is_an_error_all_the_same(arguments: list[str], shell: str) -> None:
    said = program(*arguments, shell=shell)
    assert (said.returncode, said.stdout) == (2, "")


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
    assert status_of([command, *options]) == 2
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
