"""Questions that hang, and what is asked meanwhile."""

from __future__ import annotations

import queue
import threading

from pool_observer.advice.asking import NoAnswerError
from pool_observer.terminal.answer import Answer
from pool_observer.terminal.asking import MOST_UNANSWERED, Inquiry, News
from tests.support import wait_until

AT_ONCE = 0.01
"""Seconds of patience, with who never answers."""


class Workers:
    """Those who are asked in turn: a worker that is let go answers, others are blocked."""

    def __init__(self) -> None:
        self.asked = 0
        self.blocked: set[int] = set()
        self.go_on = threading.Event()
        self.told: queue.SimpleQueue[News] = queue.SimpleQueue()

    def __call__(self) -> Answer:
        self.asked += 1
        number = self.asked
        if number in self.blocked:
            self.go_on.wait(30)
        return Answer(str(number), number, 0.0, ())

    def heard(self) -> list[int]:
        found = []
        while not self.told.empty():
            told = self.told.get().told
            assert isinstance(told, Answer)
            found.append(told.pid)
        return found


def test_as_many_are_asked_as_is_said() -> None:
    workers = Workers()
    inquiry = Inquiry(workers, workers.told.put)
    inquiry.turn(3)
    assert workers.heard() == [1, 2, 3]
    assert inquiry.asking_since is None


def test_a_worker_that_hangs_keeps_nobody_from_asking_the_others() -> None:
    workers = Workers()
    workers.blocked = {2}
    inquiry = Inquiry(workers, workers.told.put, AT_ONCE)
    inquiry.turn(3)
    assert workers.heard() == [1]
    assert inquiry.asking_since is not None
    inquiry.turn(2)
    assert workers.heard() == [3, 4]
    workers.go_on.set()
    wait_until(lambda: inquiry.asking_since is None)
    wait_until(lambda: workers.heard() == [2])


def test_a_service_that_is_blocked_is_not_asked_ever_more() -> None:
    workers = Workers()
    workers.blocked = set(range(100))
    inquiry = Inquiry(workers, workers.told.put, AT_ONCE)
    for _ in range(2 * MOST_UNANSWERED):
        inquiry.turn(8)
    assert workers.asked == MOST_UNANSWERED
    workers.go_on.set()
    wait_until(lambda: inquiry.asking_since is None)


def test_after_a_question_in_vain_no_more_are_asked_in_that_turn() -> None:
    told: queue.SimpleQueue[News] = queue.SimpleQueue()

    def fail() -> Answer:
        raise NoAnswerError("in vain")

    Inquiry(fail, told.put).turn(8)
    assert str(told.get().told) == "in vain"
    assert told.empty()
