"""Who is alive, by the locks that real processes hold."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pool_observer.prometheus.presence import Presence

BEING_THERE = """
import sys
from pathlib import Path
from pool_observer.prometheus.presence import Presence
presence = Presence()
presence.announce(Path(sys.argv[1]))
print("here", flush=True)
sys.stdin.read()
"""


class Other:
    """Another process that is there."""

    def __init__(self, directory: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", BEING_THERE, str(directory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == b"here\n"
        self.gauges = directory / f"gauge_livesum_{self.process.pid}.db"
        self.counters = directory / f"counter_{self.process.pid}.db"
        self.unborn = directory / f"histogram_{self.process.pid}.db"
        self.gauges.write_bytes(b"figures")
        self.counters.write_bytes(b"figures")
        self.unborn.touch()

    def killed(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.gone()

    def gone(self) -> None:
        self.process.communicate()


@pytest.fixture
def presence() -> Iterator[Presence]:
    presence = Presence()
    yield presence
    presence.leave()


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Other]:
    other = Other(tmp_path)
    yield other
    if other.process.returncode is None:
        other.gone()


def test_the_gauges_of_the_living_stay(presence: Presence, other: Other, tmp_path: Path) -> None:
    presence.announce(tmp_path)
    presence.remove_the_dead(tmp_path)
    assert other.gauges.exists()


def test_the_gauges_of_who_was_killed_are_removed_and_the_totals_stay(
    presence: Presence, other: Other, tmp_path: Path
) -> None:
    other.killed()
    presence.remove_the_dead(tmp_path)
    assert not other.gauges.exists()
    assert not other.unborn.exists()  # no scrape could read it
    assert other.counters.exists()
    assert list(tmp_path.glob("*.alive")) == []


def test_ones_own_gauges_stay(presence: Presence, tmp_path: Path) -> None:
    presence.announce(tmp_path)
    own = tmp_path / f"gauge_livesum_{os.getpid()}.db"
    own.touch()
    presence.announce(tmp_path)
    presence.remove_the_dead(tmp_path)
    assert own.exists()


def test_two_that_clear_up_at_a_time_do_not_mind(
    presence: Presence, other: Other, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other.killed()

    def somebody_was_faster(pid: int, _: str) -> None:
        raise FileNotFoundError(pid)

    module = "pool_observer.prometheus.presence"
    monkeypatch.setattr(f"{module}.mark_process_dead", somebody_was_faster)
    presence.remove_the_dead(tmp_path)


def test_what_others_keep_in_the_directory_is_left_alone(
    presence: Presence, tmp_path: Path
) -> None:
    for name in ("pool_observer_x.alive", "gauge_livesum_1.db", "notes.txt"):
        (tmp_path / name).touch()
    presence.remove_the_dead(tmp_path)
    assert len(list(tmp_path.iterdir())) == 3


def test_a_child_announces_itself_and_leaves_its_parents_lock_alone(
    presence: Presence, tmp_path: Path
) -> None:
    presence.announce(tmp_path)
    mine = tmp_path / f"pool_observer_{os.getpid()}.alive"
    child = os.fork()
    if child == 0:
        presence.announce(tmp_path)
        found = len(list(tmp_path.glob("*.alive")))
        presence.remove_the_dead(tmp_path)
        os._exit(0 if found == 2 and mine.exists() else 1)
    assert os.waitpid(child, 0)[1] == 0
    presence.remove_the_dead(tmp_path)
    assert list(tmp_path.glob("*.alive")) == [mine]
    observer = Presence()
    observer.remove_the_dead(tmp_path)
    assert mine.exists()


def test_who_clears_up_after_an_earlier_process_of_ones_id_is_waited_for(
    presence: Presence, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clearing = Presence()
    clearing.announce(tmp_path)
    pauses: list[float] = []

    def done_at_last(seconds: float) -> None:
        pauses.append(seconds)
        (tmp_path / f"pool_observer_{os.getpid()}.alive").unlink()
        clearing.leave()

    monkeypatch.setattr("pool_observer.prometheus.presence.time.sleep", done_at_last)
    presence.announce(tmp_path)
    assert len(pauses) == 1
    assert (tmp_path / f"pool_observer_{os.getpid()}.alive").exists()


def test_a_file_that_is_removed_while_it_is_being_locked_is_made_anew(
    presence: Presence, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = tmp_path / f"pool_observer_{os.getpid()}.alive"
    flock = fcntl.flock
    removed: list[Path] = []

    def somebody_was_faster(handle: int, operation: int) -> None:
        if not removed:
            removed.append(mine)
            mine.unlink()
            mine.touch()
        flock(handle, operation)

    monkeypatch.setattr(fcntl, "flock", somebody_was_faster)
    presence.announce(tmp_path)
    assert presence._lock is not None
    assert os.fstat(presence._lock).st_ino == mine.stat().st_ino


def test_a_directory_that_comes_late_is_not_too_late(presence: Presence, tmp_path: Path) -> None:
    late = tmp_path / "late"
    with pytest.raises(FileNotFoundError):
        presence.announce(late)
    presence.remove_the_dead(late)
    late.mkdir()
    presence.announce(late)
    assert len(list(late.glob("*.alive"))) == 1


def test_where_files_cannot_be_locked_nobody_is_declared_dead(
    presence: Presence, other: Other, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pool_observer.prometheus.presence.fcntl", None)
    presence.announce(tmp_path)
    other.killed()
    presence.remove_the_dead(tmp_path)
    assert other.gauges.exists()
