"""A document is read back into what it was made of."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest

from pool_observer.advice.measurement import CannotMeasureError
from pool_observer.page.database import server_side
from pool_observer.page.document import document as made
from pool_observer.page.history import History
from pool_observer.server import Owner, SessionState
from pool_observer.terminal.answer import PoolNow
from pool_observer.terminal.asking import understood
from pool_observer.terminal.reading import answer
from tests.page.documents import document, hold, pool, session, timeline
from tests.page.scenes import blocked, crowded, down, exhausted, leaking
from tests.page.servers import locked, nearly_full
from tests.support import FakeClock, FakeDatabase, observer_of


def only(said: Any) -> PoolNow:
    (pool,) = answer(said).pools
    return pool


def test_it_explains_as_the_observer_does(database: FakeDatabase) -> None:
    clock = FakeClock(1_000_000_000)
    engine = database.engine(pool_size=2)
    observer = observer_of(engine, name="orders", clock=clock)
    with engine.connect() as one, engine.connect():
        one.exec_driver_sql("SELECT 1")
        clock.advance(40)
        said, explained = made([(observer, History())]), str(observer.explain())
        assert str(only(json.loads(json.dumps(said))).explanation) == explained
    observer.close()


def test_what_the_server_says_of_a_hold_is_in_the_same_words() -> None:
    for held in only(document(locked())).explanation.holds:
        assert held.server is not None
        told = server_side(held.server)
        again = only(document(pool(holds=[hold(server=told)]))).explanation.holds[0].server
        assert again is not None
        assert str(again) == told["text"]


def test_the_server_as_a_whole_is_read() -> None:
    server = only(document(nearly_full())).server
    assert server is not None
    assert server.up
    assert server.total == 93
    assert server.limits.max_connections == 100
    assert server.limits.reserved == 3
    assert server.sessions[Owner.OURS, SessionState.IDLE_IN_TRANSACTION] == 14
    assert server.longest_transaction == {Owner.OURS: 4.2, Owner.OTHERS: 0.0}


@pytest.mark.parametrize(
    ("pools", "in_trouble"),
    [
        (pool(), False),
        (pool(used=14), False),
        (pool(used=15), True),
        (pool(used=99, max=None), False),
        (pool(waiting=1), True),
        (leaking(), False),
        (exhausted(), True),
        (blocked(), True),
        (down(), True),
    ],
)
def test_whether_a_pool_is_in_trouble(pools: dict[str, Any], in_trouble: bool) -> None:
    assert only(document(pools)).in_trouble is in_trouble


def test_who_gave_up_more_than_a_minute_ago_is_no_trouble() -> None:
    timeline = pool()["timeline"] | {"timed_out": [5, *([0] * 60)]}
    assert only(document(pool(timeline=timeline))).timed_out == 0
    timeline["timed_out"] = [5, *([0] * 59)]
    assert only(document(pool(timeline=timeline))).timed_out == 5


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        ({"detail": "Not Found"}, "there is no live page at this address"),
        ([], "there is no live page at this address"),
        ({"schema": 2, "pools": []}, "use a pool-observer of the service's version"),
        (document({}), "has no 'name'"),
        (document(pool(holds=[hold(activity="dancing")])), "is 'dancing', which is not known"),
        (document(pool(holds=[hold(activity="\x1b[2J")])), "is '\ufffd[2J', which"),
        (document(pool(holds=[hold(seconds=-1.0)])), "is no figure that can be"),
    ],
)
def test_what_is_not_understood_is_an_error_in_a_line(said: Any, complaint: str) -> None:
    with pytest.raises(CannotMeasureError) as caught:
        understood(said)
    assert complaint in str(caught.value)
    assert str(caught.value).isprintable()


def parts(document: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    items = document.items() if isinstance(document, dict) else enumerate(document)
    for key, value in items:
        if isinstance(value, dict | list):
            yield from parts(value, (*path, key))
        else:
            yield (*path, key)


@pytest.mark.parametrize("odd", [None, -1, 1e300, True, "x", [], {}, [[]], {"a": None}])
def test_no_document_is_worse_than_an_error(odd: Any) -> None:
    whole = document(locked() | {"waits": exhausted()["waits"][:1]}, blocked())
    for pools in whole["pools"]:
        del pools["holds"][2:], pools["waits"][1:]
        pools["timeline"] = timeline(1)
    for path in parts(whole):
        broken = copy.deepcopy(whole)
        inner = broken
        for key in path[:-1]:
            inner = inner[key]
        inner[path[-1]] = odd
        try:
            for each in understood(broken).pools:
                str(each.explanation)
        except CannotMeasureError:
            continue


def test_a_crowd_is_read() -> None:
    assert len(only(document(crowded(500))).explanation.holds) == 500


def test_a_session_without_a_backend_pid_is_read() -> None:
    holds = [hold(backend_pid=None, server=session())]
    assert only(document(pool(holds=holds))).explanation.holds[0].server is not None
