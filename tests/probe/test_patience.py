"""What may never come is waited for, but not for long, and nobody has to wait for it at the end."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import textwrap
import threading

import pytest

from pool_observer.probe.patience import THREAD, PatientLoop, Waiting
from tests.support import wait_until

AGES = 60


def nothing(_: object) -> None:
    """Nobody wants what comes too late."""


def threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == THREAD]


def test_what_comes_in_time_is_the_answer() -> None:
    assert Waiting().within(AGES, lambda: 7, nothing) == 7


@pytest.mark.parametrize("error", [ValueError("no"), SystemExit(1), asyncio.CancelledError()])
def test_what_fails_fails_here(error: BaseException) -> None:
    def fail() -> None:
        raise error

    with pytest.raises(type(error)):
        Waiting().within(AGES, fail, nothing)


def test_what_comes_too_late_is_given_away_and_until_then_there_is_no_other() -> None:
    waiting, goes_on = Waiting(), threading.Event()
    late: list[int | None] = []

    def work() -> int:
        goes_on.wait()
        return 7

    with pytest.raises(TimeoutError):
        waiting.within(0.001, work, late.append)
    (thread,) = threads()
    assert thread.daemon
    with pytest.raises(TimeoutError):
        waiting.within(AGES, lambda: 8, late.append)
    assert threads() == [thread]
    goes_on.set()
    thread.join()
    assert late == [7]
    assert waiting.within(AGES, lambda: 9, late.append) == 9


def test_a_thread_that_has_answered_need_not_have_ended_for_the_next() -> None:
    waiting = Waiting()
    for number in range(1000):
        assert waiting.within(AGES, lambda: None, nothing) is None, number


def test_what_fails_too_late_leaves_as_much_to_do() -> None:
    waiting, goes_on = Waiting(), threading.Event()
    late: list[None] = []

    def work() -> None:
        goes_on.wait()
        raise ValueError

    with pytest.raises(TimeoutError):
        waiting.within(0.001, work, late.append)
    assert waiting.goes_on
    goes_on.set()
    wait_until(lambda: not waiting.goes_on)
    assert late == [None]


def test_a_loop_looks_names_up_in_threads_that_end() -> None:
    loop = PatientLoop()
    found = loop.run_until_complete(loop.getaddrinfo("127.0.0.1", 80))
    assert found[0][4] == ("127.0.0.1", 80)
    with pytest.raises(OSError, match=r"."):
        loop.run_until_complete(loop.getaddrinfo("127.0.0.1", "no such service"))
    loop.close()
    wait_until(lambda: not threads())


def test_a_loop_that_is_closed_ends_what_goes_on_in_it() -> None:
    loop, ended = PatientLoop(), []

    async def go_on() -> None:
        try:
            await asyncio.sleep(AGES)
        finally:
            ended.append(True)

    async def main() -> None:
        tasks.append(asyncio.create_task(go_on()))
        await asyncio.sleep(0)

    tasks: list[asyncio.Task[None]] = []
    loop.run_until_complete(main())
    loop.close()
    assert ended == [True]
    assert loop.is_closed()
    loop.close()  # again


def test_the_process_does_not_wait_for_a_name_that_is_never_found() -> None:
    ran = subprocess.run(
        [sys.executable, "-X", "dev", "-c", textwrap.dedent(PROGRAM)],
        capture_output=True,
        text=True,
        timeout=60,  # which the process would wait longer than
    )
    assert (ran.stdout, ran.returncode) == ("given up\n", 0), ran.stderr


PROGRAM = """
    import asyncio, threading
    from pool_observer.probe.patience import PatientLoop

    async def main():
        try:
            async with asyncio.timeout(0.01):
                await loop.run_in_executor(None, threading.Event().wait)
        except TimeoutError:
            print("given up")

    loop = PatientLoop()
    loop.run_until_complete(main())
    loop.close()
"""
