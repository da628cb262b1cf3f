"""However a demo comes to its end, nothing of it is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from pool_observer.demo.keeper import end_all, started_in
from tests.support import wait_until

ROOT = Path(__file__).parents[2]
PROGRAM = "import sys; from pool_observer.__main__ import main; sys.exit(main())"


def left_in(folder: Path) -> list[Path]:
    return list(folder.glob("pool-observer-*"))


@pytest.fixture
def folder() -> Iterator[Path]:
    """With a short name: the path to a socket may not have more than 100 characters."""
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        Path(name).chmod(0o755)  # where root runs it, others have to get through
        yield Path(name)


@contextmanager
def demo(
    folder: Path, *options: str, starts: bool = True, redirected: str = ""
) -> Iterator[subprocess.Popen[str]]:
    """A demo that makes its files in this folder, from when it says where its page is."""
    environment = {**os.environ, "TMPDIR": str(folder), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", PROGRAM, "demo", *options]
    process = subprocess.Popen(
        ["sh", "-c", f'exec "$@" {redirected}', "sh", *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        while starts and not process.stdout.readline().startswith("1. "):
            assert process.poll() is None
        yield process
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()
        wait_until(lambda: not started_in(f"{folder}/"))


@pytest.mark.parametrize(
    ("how", "status"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGKILL, -9)],
)
def test_nothing_is_left_after(how: signal.Signals, status: int, folder: Path) -> None:
    with demo(folder, "--seconds", "600") as process:
        # The service may be starting just now: that is no worse a moment than others.
        wait_until(lambda: len(started_in(f"{folder}/")) >= 2)
        os.killpg(process.pid, how)  # as a terminal sends Ctrl-C to all that it runs
        output, _ = process.communicate(timeout=60)
        assert process.returncode == status
        assert "Traceback" not in output
        wait_until(lambda: not started_in(f"{folder}/"))
        wait_until(lambda: not left_in(folder))


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_second_signal_does_not_disturb_the_end(how: signal.Signals, folder: Path) -> None:
    with demo(folder, "--seconds", "600") as process:
        wait_until(lambda: len(started_in(f"{folder}/")) >= 3)
        for _ in range(20):
            process.send_signal(how)
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=0.05)
        output, _ = process.communicate(timeout=60)
        # The interpreter itself, once all is done, ends by a signal: shells say the same of both.
        assert process.returncode in (128 + how, -how)
        assert "Traceback" not in output
        assert not left_in(folder)


def test_it_runs_without_standard_input(folder: Path) -> None:
    with demo(folder, "--seconds", "600", redirected="<&-", starts=False) as process:
        assert process.stdout is not None
        url = next(line.split()[-1] for line in process.stdout if line.startswith("Live page: "))
        wait_until(lambda: answers(url))
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=60)
        assert "Traceback" not in output


def answers(url: str) -> bool:
    with suppress(httpx.HTTPError):
        return httpx.get(url, trust_env=False, timeout=1).status_code == 200
    return False


def test_without_standard_output_nothing_is_started(folder: Path) -> None:
    with demo(folder, "--seconds", "600", redirected=">&-", starts=False) as process:
        output, _ = process.communicate(timeout=60)
    assert output == "pool-observer demo: standard output is closed\n"
    assert process.returncode == 2


def test_it_ends_when_nobody_reads_any_further(folder: Path) -> None:
    with demo(folder, "--seconds", "600") as process:
        assert process.stdout is not None
        process.stdout.close()
        process.wait(timeout=60)
        assert process.returncode == 0
        assert not left_in(folder)


def test_two_at_a_time_are_not_in_each_others_way(folder: Path) -> None:
    first, second = folder / "first", folder / "second"
    first.mkdir()
    second.mkdir()
    with demo(first, "--seconds", "600"), demo(second, "--seconds", "600") as other:
        wait_until(lambda: len(started_in(f"{first}/")) >= 3)
        other.send_signal(signal.SIGTERM)
        other.communicate(timeout=60)
        wait_until(lambda: not left_in(second))
        assert len(started_in(f"{first}/")) >= 3


def test_what_does_not_want_to_end_is_made_to(folder: Path) -> None:
    stubborn = (
        "import signal, time; [signal.signal(each, signal.SIG_IGN) for each in (2, 15)]; "
        "print(flush=True); time.sleep(600)"
    )
    folder = folder / "demo"
    folder.mkdir()
    process = subprocess.Popen(
        [sys.executable, "-c", stubborn, str(folder)], stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    process.stdout.readline()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pool_observer.demo.keeper.PATIENCE", 0.1)
        end_all(str(folder))
    assert not started_in(str(folder))
    assert not folder.exists()
    process.communicate()


def test_a_folder_with_too_long_a_name_is_said_in_a_line(folder: Path) -> None:
    long = folder / ("x" * 100)
    long.mkdir()
    with demo(long, "--seconds", "600", starts=False) as process:
        output, _ = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "set TMPDIR to a folder with a shorter name" in output.splitlines()[-1]
    assert "Traceback" not in output
    assert not left_in(long)
