"""What the real shells make of our scripts."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from pool_observer.__main__ import main
from tests.conftest import require
from tests.terminal.pseudo import terminal

Script = Callable[[str], Path]

BASH = {"PS1": "ready> ", "HISTFILE": os.devnull}

CASES = [
    ("to", ["top"]),
    ("r", ["rules", "runbook"]),
    ("--v", ["--version"]),
    ("top --no", ["--no-color"]),
    ("top --sort ", ["age", "connections"]),
    ("top --interval 3 --sort a", ["age"]),
    ("check --fail-on ", ["error", "info", "never", "warning"]),
    ("completion ", ["bash", "fish", "zsh"]),
    ("runbook ConnectionPoolE", ["ConnectionPoolExhausted"]),
]

WITH_EQUALS = [
    ("top --sort=", ["age", "connections"]),
    ("top --sort=a", ["age"]),
    ("top --sort=age --no", ["--no-color"]),
    ("check app.db:engine --fail-on=w", ["warning"]),
    ("check --format=gi", ["github"]),
    ("check --ignore=pool-t", ["pool-timeout", "pool-timeout-beyond-request"]),
]


@pytest.fixture
def script(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Script:
    def written(shell: str) -> Path:
        require(shutil.which(shell) is not None, shell)
        assert main(["completion", shell]) == 0
        file = tmp_path / "script"
        file.write_text(capsys.readouterr().out)
        return file

    return written


def said_by(*command: str, folder: Path) -> list[str]:
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, check=True)
    assert done.stderr == ""
    return done.stdout.splitlines()


def completed(typed: str, word: str) -> str:
    """The line, with this in the place of its last word, or of what is after its equals sign."""
    begun = re.split(r"[ =]", typed)[-1]
    return f"pool-observer {typed.removesuffix(begun)}{word}"


@pytest.mark.parametrize(("typed", "expected"), CASES)
def test_bash_completes(typed: str, expected: list[str], script: Script) -> None:
    file = script("bash")
    ask = (
        'source "$1"; COMP_WORDS=(pool-observer $2); [[ $2 == *" " ]] && COMP_WORDS+=(""); '
        "COMP_CWORD=$(( ${#COMP_WORDS[@]} - 1 )); _pool_observer; "
        'printf "%s\\n" "${COMPREPLY[@]}"'
    )
    found = said_by("bash", "--norc", "-c", ask, "bash", str(file), typed, folder=file.parent)
    assert sorted(found) == expected


@pytest.mark.parametrize("breaks", ["", "COMP_WORDBREAKS=${COMP_WORDBREAKS//=}; "])
@pytest.mark.parametrize(("typed", "expected"), WITH_EQUALS)
def test_bash_completes_after_an_equals_sign(
    typed: str, expected: list[str], breaks: str, script: Script
) -> None:
    """In a terminal: it depends on what bash takes for a word."""
    file = script("bash")
    setup = f"{breaks}cd {file.parent}; source {file}; clear; echo loa'ded'\n"
    with terminal(["bash", "--norc", "--noprofile", "-i"], environment=BASH) as it:
        it.wait_for("ready>")
        it.type(setup)
        it.wait_for("loaded\nready>")
        it.type(f"pool-observer {typed}\t")
        if len(expected) == 1:
            it.wait_for(completed(typed, expected[0]))
        else:
            it.type("\t\t")
            it.wait_for(*expected)


@pytest.mark.parametrize(("typed", "expected"), CASES)
def test_fish_completes(typed: str, expected: list[str], script: Script) -> None:
    file = script("fish")
    ask = f"source {file}; complete -C 'pool-observer {typed}'"
    found = said_by("fish", "--no-config", "-c", ask, folder=file.parent)
    assert sorted(line.partition("\t")[0] for line in found) == expected


@pytest.mark.parametrize(("typed", "expected"), WITH_EQUALS)
def test_fish_completes_after_an_equals_sign(
    typed: str, expected: list[str], script: Script
) -> None:
    file = script("fish")
    ask = f"source {file}; complete -C 'pool-observer {typed}'"
    found = said_by("fish", "--no-config", "-c", ask, folder=file.parent)
    assert sorted(line.partition("\t")[0].rpartition("=")[2] for line in found) == expected


@pytest.mark.parametrize(("typed", "expected"), CASES + WITH_EQUALS)
def test_zsh_completes(typed: str, expected: list[str], script: Script) -> None:
    """In a terminal: nowhere else does it complete anything."""
    file = script("zsh")
    environment = {"PS1": "ready> ", "HOME": str(file.parent), "ZDOTDIR": str(file.parent)}
    setup = "autoload -U compinit; compinit -u -D; zstyle ':completion:*' list-colors; "
    with terminal(["zsh", "-f", "-i"], columns=110, lines=40, environment=environment) as it:
        it.wait_for("ready>")
        it.type(f"{setup}. {file}; clear; print loa'ded'\n")
        it.wait_for("loaded\nready>")
        it.type(f"pool-observer {typed}\t")
        if len(expected) == 1:
            it.wait_for(completed(typed, expected[0]))
        else:
            it.type("\t")
            it.wait_for(*expected)


def test_bash_offers_files_where_a_folder_is_wanted(script: Script) -> None:
    """In a terminal, for it is not our function that does so."""
    file = script("bash")
    (file.parent / "grafana").mkdir()
    shell = ["bash", "--norc", "--noprofile", "-i"]
    with terminal(shell, environment=BASH) as it:
        it.wait_for("ready>")
        it.type(f"cd {file.parent}; source {file}; clear; echo loa'ded'\n")
        it.wait_for("loaded\nready>")
        it.type("pool-observer dashboards gra\t")
        it.wait_for("pool-observer dashboards grafana")
        it.type("\x15pool-observer snap\t")
        it.wait_for("pool-observer snapshot")


def test_a_shell_that_is_not_known_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["completion", "tcsh"])
    assert ended.value.code == 2
    assert capsys.readouterr().err.endswith("there is no 'tcsh'; there is bash, zsh, fish\n")
