from __future__ import annotations

import os
import pty
import signal
import threading

import pytest

from pool_observer.terminal.console import SMALLEST, Console, EndedError
from pool_observer.terminal.styling import line


def test_a_terminal_that_is_gone_ends_it() -> None:
    master, slave = pty.openpty()
    console = Console(slave, slave, "utf-8", colour=False)
    os.close(master)
    with pytest.raises(EndedError) as read:
        console.wait(30)
    assert read.value.number == signal.SIGHUP
    with pytest.raises(EndedError):
        console.draw([line("GET /items")])
    os.close(slave)


def test_a_terminal_that_does_not_know_its_size_has_the_usual_one() -> None:
    master, slave = pty.openpty()  # which has none
    assert Console(slave, None, "utf-8", colour=False).size() == SMALLEST
    os.close(master)
    os.close(slave)


def test_who_wakes_it_again_and_again_never_waits() -> None:
    master, slave = pty.openpty()
    console = Console(slave, None, "utf-8", colour=False)
    for _ in range(100_000):  # more than a pipe holds
        console.wake()
    assert console.wait(30) == ""
    os.close(master)
    os.close(slave)


def test_a_terminal_that_takes_only_a_part_is_not_waited_for() -> None:
    master, slave = pty.openpty()  # of which nobody reads
    console = Console(slave, None, "utf-8", colour=False)
    leaving = threading.Thread(
        target=console._write, args=["x" * 1_000_000], kwargs={"within": 0.01}, daemon=True
    )
    leaving.start()
    leaving.join(30)
    assert not leaving.is_alive()
    assert os.get_blocking(slave)
    os.close(master)
    os.close(slave)
