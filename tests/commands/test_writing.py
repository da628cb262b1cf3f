"""What cannot be written is said, in one voice."""

from __future__ import annotations

import errno
import os
import subprocess
from pathlib import Path

import pytest

from pool_observer.__main__ import main
from pool_observer.commands.writing import cannot_be
from tests.commands.running import COMMAND, PATHS, program

ENGINE = "tests.audit.some_endpoints:ENGINE"
FULL = "No space left on device"

READ = [
    ["--help"],
    ["--version"],
    ["runbook"],
    ["metrics"],
    ["check", "--help"],
    ["check", ENGINE, "--no-connect"],
]


@pytest.mark.parametrize("arguments", READ)
def test_who_reads_no_further_is_no_error(arguments: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    said = subprocess.run(
        [*COMMAND, *arguments],
        stdout=writing,
        stderr=subprocess.PIPE,
        env=os.environ | PATHS | {"PYTHONUNBUFFERED": ""},
        check=False,
    )
    os.close(writing)
    assert (said.returncode, said.stderr) == (0, b"")


@pytest.mark.parametrize(
    ("arguments", "speaker"),
    [
        (["--help"], "pool-observer"),
        (["--version"], "pool-observer"),
        ([], "pool-observer"),
        (["top", "--help"], "pool-observer top"),
        (["runbook"], "pool-observer runbook"),
        (["metrics"], "pool-observer metrics"),
        (["completion", "zsh"], "pool-observer completion"),
        (["dashboards", "FOLDER"], "pool-observer dashboards"),
        (["check", ENGINE, "--no-connect"], "pool-observer check"),
    ],
    ids=lambda each: " ".join(each) if isinstance(each, list) else "",
)
@pytest.mark.parametrize(
    ("shell", "why"), [(">&-", "standard output is closed"), (">/dev/full", FULL)]
)
def test_what_cannot_be_written_is_an_error_in_one_line(
    arguments: list[str], speaker: str, shell: str, why: str, tmp_path: Path
) -> None:
    named = [str(tmp_path) if each == "FOLDER" else each for each in arguments]
    said = program(*named, shell=shell, environment={"PYTHONUNBUFFERED": ""})
    assert (said.returncode, said.stderr) == (2, f"{speaker}: cannot be written: {why}\n")


@pytest.mark.parametrize("arguments", [["--help"], ["--version"]])
def test_it_makes_no_difference_that_python_does_not_buffer(arguments: list[str]) -> None:
    """Argparse looks away at once then."""
    said = program(*arguments, shell=">/dev/full", environment={"PYTHONUNBUFFERED": "1"})
    assert (said.returncode, said.stderr) == (2, f"pool-observer: cannot be written: {FULL}\n")


@pytest.mark.parametrize("command", ["rules", "dashboards"])
@pytest.mark.parametrize(
    ("folder", "why"),
    [
        ("/proc/x", "/proc/x cannot be written: No such file or directory"),
        ("file", "file cannot be written: Not a directory"),
        ("file/below", "file/below cannot be written: Not a directory"),
    ],
)
def test_a_folder_that_cannot_be_made_is_named(
    command: str,
    folder: str,
    why: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    assert main([command, folder]) == 2
    assert capsys.readouterr() == ("", f"pool-observer {command}: {why}\n")


def test_a_file_for_which_there_is_no_room_is_named_and_nothing_of_it_is_left(
    tmp_path: Path,
) -> None:
    limited = subprocess.run(
        ["bash", "-c", 'ulimit -f 1; exec "$@"', "bash", *COMMAND, "rules", str(tmp_path)],
        capture_output=True,
        text=True,
        env=os.environ | PATHS,
        check=False,
    )
    file = tmp_path / "pool_observer.rules.yaml"
    assert limited.returncode == 2
    assert limited.stderr == f"pool-observer rules: {file} cannot be written: File too large\n"
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_written_is_named_by_what_it_would_be(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    taken = tmp_path / "pool.json"
    taken.mkdir()
    assert main(["dashboards", str(tmp_path), "--check"]) == 1
    assert f"{taken} is not what it would be\n" in capsys.readouterr().err
    assert main(["dashboards", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert said == f"pool-observer dashboards: {taken} cannot be written: Is a directory\n"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.EACCES, "Not permitted", "a/b"), "a/b cannot be read: Not permitted"),
        (OSError(errno.EACCES, "Not permitted", b"a"), "a cannot be read: Not permitted"),
        (OSError(errno.EACCES, "No", "a\x1b[2J\n"), "a\ufffd[2J\ufffd cannot be read: No"),
        (OSError("it is gone"), "cannot be read: it is gone"),
    ],
)
def test_an_error_of_the_system_is_said_without_its_number(error: OSError, said: str) -> None:
    assert cannot_be("read", error) == said
