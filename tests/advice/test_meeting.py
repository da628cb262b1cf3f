"""Who is met behind an address where any worker may answer."""

from __future__ import annotations

import itertools
import random
import threading
from collections.abc import Callable

import pytest

from pool_observer.advice.measurement import CannotMeasureError
from pool_observer.advice.meeting import (
    AT_ONCE,
    LEAST_IN_VAIN,
    MOST_SECONDS,
    MOST_WORKERS,
    Meeting,
    together,
)


class Asked:
    """Somebody answers each time, and it is remembered how often."""

    def __init__(self, worker: Callable[[], str | None]) -> None:
        self.times = 0
        self._worker = worker
        self._lock = threading.Lock()

    def __call__(self) -> str:
        with self._lock:
            self.times += 1
            worker = self._worker()
        if worker is None:
            raise CannotMeasureError("nobody there")
        return worker


def meeting_of(asked: Asked, expected: int | None = None) -> Meeting[str]:
    meeting = Meeting[str](expected, lambda: 0.0)
    meeting.meet(asked, lambda worker: (worker, f"what {worker} told"))
    return meeting


def test_one_that_is_alone_is_asked_until_it_is_certain() -> None:
    asked = Asked(lambda: "a")
    assert meeting_of(asked).told == {"a": "what a told"}
    assert LEAST_IN_VAIN < asked.times <= LEAST_IN_VAIN + AT_ONCE


@pytest.mark.parametrize("workers", [2, 4, 8, 32])
def test_all_are_met_that_are_met_equally_often(workers: int) -> None:
    chance = random.Random(workers)
    for _ in range(20):
        asked = Asked(lambda: str(chance.randrange(workers)))
        assert len(meeting_of(asked).told) == workers


def test_nothing_more_is_asked_once_all_are_met() -> None:
    turns = itertools.cycle("abcd")
    asked = Asked(lambda: next(turns))
    assert set(meeting_of(asked, expected=4).told) == set("abcd")
    assert asked.times <= 4 + AT_ONCE


def test_the_first_that_each_tells_is_kept() -> None:
    meeting = Meeting[str](clock=lambda: 0.0)
    meeting.note("a", "first")
    meeting.note("a", "second")
    assert (meeting.told, meeting.questions) == ({"a": "first"}, 2)


def test_failures_are_counted_and_are_in_vain() -> None:
    turns = itertools.cycle(["a", None, "b"])
    asked = Asked(lambda: next(turns))
    meeting = meeting_of(asked)
    assert set(meeting.told) == {"a", "b"}
    assert meeting.questions == asked.times
    assert set(meeting.failures) == {"nobody there"}
    assert len(meeting.failures) >= LEAST_IN_VAIN // 3
    nobody = meeting_of(Asked(lambda: None))
    assert (nobody.told, len(nobody.failures) >= LEAST_IN_VAIN) == ({}, True)


def test_one_that_hangs_keeps_nobody_from_being_met() -> None:
    let_go, first = threading.Event(), threading.Lock()
    others = itertools.cycle("abc")
    met = set()

    def ask() -> str:
        if first.acquire(blocking=False):
            assert let_go.wait(30)
            raise CannotMeasureError("too late")
        worker = next(others)
        met.add(worker)
        if met == set("abc"):
            let_go.set()
        return worker

    meeting = Meeting[str](clock=lambda: 0.0)
    meeting.meet(ask, lambda worker: (worker, worker))
    assert set(meeting.told) == set("abc")
    assert meeting.failures == ["too late"]


def test_it_is_asked_for_a_while_only() -> None:
    endless = itertools.count()
    asked = Asked(lambda: str(next(endless)))
    meeting = Meeting[str](clock=lambda: asked.times * MOST_SECONDS / 10)
    meeting.meet(asked, lambda worker: (worker, worker))
    assert 10 <= meeting.questions <= 10 + AT_ONCE


def test_workers_without_end_are_not_asked_for_ever() -> None:
    endless = itertools.count()
    met = len(meeting_of(Asked(lambda: str(next(endless)))).told)
    assert MOST_WORKERS <= met <= MOST_WORKERS + AT_ONCE


def test_things_are_done_at_the_same_time() -> None:
    barrier = threading.Barrier(3, timeout=30)
    passed: list[int] = []
    together([lambda: passed.append(barrier.wait())] * 3)
    assert sorted(passed) == [0, 1, 2]
