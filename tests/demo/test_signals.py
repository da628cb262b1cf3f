"""How a signal ends a command."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator

import pytest

from pool_observer.demo.ending import ended_by


@pytest.fixture(autouse=True)
def handlers_restored() -> Iterator[None]:
    """A command that a signal has ended leaves its own behind, for what comes late."""
    before = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}
    yield
    for each, handler in before.items():
        signal.signal(each, handler)


def test_the_work_is_cancelled_and_cleans_up_undisturbed() -> None:
    done: list[str] = []

    async def working() -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        try:
            await asyncio.Event().wait()
        finally:
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.sleep(0)
            done.append("cleaned up")

    def running() -> None:
        with ended_by(signal.SIGTERM) as ending:
            try:
                ending.run(working())
            finally:
                os.kill(os.getpid(), signal.SIGTERM)
                done.append("all of it")

    with pytest.raises(SystemExit) as ended:
        running()
    os.kill(os.getpid(), signal.SIGTERM)  # as one that comes while the interpreter ends
    assert ended.value.code == 128 + signal.SIGTERM
    assert done == ["cleaned up", "all of it"]


def test_ctrl_c_is_a_keyboard_interrupt_wherever_it_comes() -> None:
    with pytest.raises(KeyboardInterrupt), ended_by(signal.SIGINT):
        os.kill(os.getpid(), signal.SIGINT)


def test_a_signal_before_the_work_has_begun_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    new_event_loop = asyncio.events.new_event_loop

    def interrupted() -> asyncio.AbstractEventLoop:
        os.kill(os.getpid(), signal.SIGTERM)
        return new_event_loop()

    async def working() -> None:
        async with asyncio.timeout(30):
            await asyncio.Event().wait()

    monkeypatch.setattr(asyncio.events, "new_event_loop", interrupted)
    with pytest.raises(SystemExit), ended_by(signal.SIGTERM) as ending:
        ending.run(working())


def test_a_signal_at_the_very_end_of_the_work_is_not_lost() -> None:
    async def working() -> None:
        os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(SystemExit), ended_by(signal.SIGTERM) as ending:
        ending.run(working())


def test_without_a_signal_the_handlers_are_as_they_were() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with ended_by(signal.SIGTERM) as ending:
        assert ending.run(asyncio.sleep(0, "done")) == "done"
        assert signal.getsignal(signal.SIGTERM) is ending
    assert signal.getsignal(signal.SIGTERM) is before
