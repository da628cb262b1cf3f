"""What an observer has to log is logged where nobody else has to wait for it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from pool_observer import IncidentKind, PoolObserver
from tests.conftest import Observe
from tests.support import FakeDatabase, wait_until

REPORTER = "pool_observer-reporter"


def reporters() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == REPORTER]


@contextmanager
def handling(handler: logging.Handler) -> Iterator[None]:
    logger = logging.getLogger("pool_observer")
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


class Blocking(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.reached, self.released = threading.Event(), threading.Event()
        self.threads: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        self.threads.add(threading.current_thread().name)
        self.reached.set()
        assert self.released.wait(30)


def kinds(observer: PoolObserver) -> set[IncidentKind]:
    return {incident.kind for incident in observer.incidents()}


def test_a_handler_that_blocks_keeps_the_watchdog_from_nothing(
    database: FakeDatabase, observed: Observe
) -> None:
    blocking = Blocking()
    first, second = database.engine(), FakeDatabase().engine()
    with handling(blocking):
        observed(first, name="first", leak_after=0)
        other = observed(second, name="second", leak_after=0)
        try:
            with first.connect():
                assert blocking.reached.wait(30)
                with second.connect():
                    wait_until(lambda: IncidentKind.OVERDUE in kinds(other))
        finally:
            blocking.released.set()
        assert blocking.threads == {REPORTER}


def test_without_anything_to_report_there_is_no_thread_for_it(
    database: FakeDatabase, observed: Observe
) -> None:
    engine = database.engine()
    observer = observed(engine, name="orders")
    with engine.connect():
        observer.tick()
    assert reporters() == []


def test_with_its_observer_the_thread_ends(database: FakeDatabase, observed: Observe) -> None:
    engine = database.engine()
    observer = observed(engine, name="orders", leak_after=0)
    with engine.connect():
        wait_until(reporters)
    observer.close()
    wait_until(lambda: not reporters())


def test_a_handler_may_ask_what_is_going_on(database: FakeDatabase, observed: Observe) -> None:
    """While others do as well, and wait for the handler's lock with one of ours in their hands."""
    said: list[str] = []
    engine = database.engine(pool_size=1, max_overflow=0, pool_timeout=0)
    observer = observed(engine, name="orders", leak_after=0)

    class Asking(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.append(repr(observer))

    with handling(Asking()):
        for _ in range(20):
            with engine.connect():
                try:
                    engine.connect()
                except PoolTimeoutError:
                    observer.note_failure("a test")
                observer.snapshot()
        wait_until(lambda: len(said) > 2)
