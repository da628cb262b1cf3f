"""Log handlers that raise, block, or want a connection themselves; and records made otherwise."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from pool_observer.incidents import logger
from tests.forensics.overdue import HOLDER, SELECT, OurError, Pool, a_pool, assert_works
from tests.support import FakeDatabase


class Handler(logging.Handler):
    """Does what the test wants with a record."""

    def __init__(self, handle: Callable[[logging.LogRecord], object]) -> None:
        super().__init__()
        self._handle = handle

    def emit(self, record: logging.LogRecord) -> None:
        self._handle(record)


@contextmanager
def handling(handle: Callable[[logging.LogRecord], object]) -> Iterator[None]:
    handler, level = Handler(handle), logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


def raises(record: logging.LogRecord) -> None:
    raise OurError


def test_one_that_raises_keeps_nothing_else_from_being_done(database: FakeDatabase) -> None:
    done = []
    with a_pool(database) as pool:
        pool.observer.when_ticking(lambda: done.append("ticked"))
        with handling(raises):
            with pool.overdue():
                pool.observer.tick()
            pool.observer.tick()
        assert done == ["ticked", "ticked"]
        assert sum(pool.failures().values()) >= 1
        kinds = [incident.kind for incident in pool.observer.incidents()]
        assert kinds == ["returned", "overdue"]
        assert_works(pool.engine)


def test_one_that_raises_keeps_nobody_from_hearing_of_the_other_incidents(
    database: FakeDatabase,
) -> None:
    heard = []

    def raise_at_first(record: logging.LogRecord) -> None:
        heard.append(record.getMessage())
        if len(heard) == 1:
            raise OurError

    with a_pool(database) as pool, handling(raise_at_first), pool.overdue(), pool.overdue():
        for _ in range(2):
            try:
                pool.observer.tick()
            except OurError:
                pool.observer.note_failure("the watchdog")
    assert len([text for text in heard if "has held a connection" in text]) == 2


def test_one_that_raises_is_not_felt_by_who_closes_the_observer(database: FakeDatabase) -> None:
    with a_pool(database) as pool, handling(raises), pool.overdue():
        pool.observer.snapshot()  # there is something to tell
        pool.observer.close()
        assert pool.observer.closed


def test_one_that_blocks_blocks_the_watchdog_alone(database: FakeDatabase) -> None:
    reached, released = threading.Event(), threading.Event()

    def block(record: logging.LogRecord) -> None:
        reached.set()
        released.wait()

    with a_pool(database) as pool, handling(block), pool.overdue():
        watchdog = threading.Thread(target=pool.observer.tick)
        watchdog.start()
        try:
            assert reached.wait(30)
            with pool.engine.connect() as connection:
                connection.execute(SELECT)
                with pytest.raises(PoolTimeoutError) as raised:
                    pool.engine.connect()
            assert f"1 x {HOLDER}, for 31.0 s" in raised.value.__notes__[0]
            assert pool.observer.snapshot().used == 1
            assert len(pool.observer.explain().holds) == 1
            assert "overdue" in {incident.kind for incident in pool.observer.incidents()}
            pool.observer.tick()  # another does not wait for it
            pool.observer.close()
        finally:
            released.set()
            watchdog.join()
        assert_works(pool.engine)


def writes_to(pool: Pool, written: list[str]) -> Callable[[logging.LogRecord], None]:
    """Writes each record into the database, through the pool it is about."""

    def write(record: logging.LogRecord) -> None:
        try:
            with pool.engine.connect() as connection:
                connection.execute(SELECT)
            written.append("written")
        except PoolTimeoutError:
            written.append("refused")

    return write


def test_one_that_writes_to_the_same_pool_gets_a_connection_if_there_is_one(
    database: FakeDatabase,
) -> None:
    written: list[str] = []
    with a_pool(database) as pool, handling(writes_to(pool, written)):
        with pool.overdue():
            in_a_thread(pool.observer.tick)
            assert written == ["written"]
        in_a_thread(pool.observer.tick)
        assert written == ["written", "written"]
        assert pool.failures() == {}


def test_one_that_writes_to_the_same_pool_is_refused_where_that_is_full(
    database: FakeDatabase,
) -> None:
    written: list[str] = []
    with a_pool(database, pool_size=1) as pool, handling(writes_to(pool, written)):
        with pool.overdue():
            in_a_thread(pool.observer.tick)
            assert written == ["refused"]
            # Its own time-out is an incident as well, which it is told of once.
            in_a_thread(pool.observer.tick)
            in_a_thread(pool.observer.tick)
            assert written == ["refused", "refused"]
        in_a_thread(pool.observer.tick)
        assert written == ["refused", "refused", "written"]
        assert pool.failures() == {}
        assert_works(pool.engine)


def in_a_thread(do: Callable[[], object]) -> None:
    """As the watchdog does it; it must come to an end."""
    thread = threading.Thread(target=do, daemon=True)
    thread.start()
    thread.join(30)
    assert not thread.is_alive()


def test_records_that_have_fields_of_their_own_are_not_in_the_way(
    database: FakeDatabase,
) -> None:
    ordinary = logging.getLogRecordFactory()
    records: list[Any] = []

    def factory(*args: Any, **kwargs: Any) -> logging.LogRecord:
        record = ordinary(*args, **kwargs)
        record.holder, record.trace_id, record.pool = "theirs", "abc", "theirs"
        record.seconds, record.incident, record.diagnosis = 1, "theirs", "theirs"
        return record

    logging.setLogRecordFactory(factory)
    try:
        with a_pool(database, pool_size=1) as pool, handling(records.append):
            with pool.overdue():
                with pytest.raises(PoolTimeoutError):
                    pool.engine.connect()
                pool.observer.tick()
            pool.observer.tick()
            assert pool.failures() == {}
    finally:
        logging.setLogRecordFactory(ordinary)
    told = [vars(record)["pool_observer.incident"] for record in records]
    assert told == ["timed_out", "overdue", "returned"]
    assert {record.holder for record in records} == {"theirs"}
    assert vars(records[1])["pool_observer.holder"] == HOLDER
