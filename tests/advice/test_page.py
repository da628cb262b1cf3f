"""What is read from a live page's figures."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from typing import Any

import pytest

from pool_observer.advice.advising import advise
from pool_observer.advice.load import loads
from pool_observer.advice.measurement import CannotMeasureError
from pool_observer.advice.page import from_page, is_page
from pool_observer.advice.text import text
from tests.page.documents import document, pool, route

NEVER: Callable[[], Any] = lambda: pytest.fail("it was asked again")  # noqa: E731


def figures(pid: int = 1, **changes: Any) -> dict[str, Any]:
    row = route("POST /chat", 2.0, checkouts=60, blamed_seconds=1.5, timed_out=3)
    rows = {"window_seconds": 300.0, "rows": [row]}
    return document(pool(**{"peak_demand": 7, "holders": rows, **changes}), pid=pid)


def test_averages_are_of_the_window() -> None:
    (found,) = from_page(figures(), figures).pools
    (chat,) = found.holders
    assert (found.name, found.source, found.workers) == ("orders", "pid 1", 1)
    assert (found.peak_demand, found.peak_seconds, found.max) == (7, 60.0, 15)
    assert (found.size, found.max_overflow, found.driver) == (5, 10, "asyncpg")
    assert (found.timed_out, chat.blamed_seconds) == (3, 1.5)
    assert chat.arrivals == 0.2
    assert chat.mean_hold == 10.0
    assert (chat.executing, chat.in_transaction, chat.idle) == pytest.approx((0.2, 1.6, 0.2))


def test_a_hold_without_a_checkout_in_the_window_is_one() -> None:
    rows = {"window_seconds": 300.0, "rows": [route("job", 1.0, checkouts=0)]}
    (found,) = from_page(figures(holders=rows), lambda: figures(holders=rows)).pools
    assert found.holders[0].mean_hold == 300.0


@pytest.mark.parametrize("window", [0.0, 1e-300])
def test_a_page_that_has_just_begun_tells_nothing_yet(window: float) -> None:
    rows = {"window_seconds": window, "rows": [route("job", 1.0, checkouts=1)]}
    (found,) = from_page(figures(holders=rows), lambda: figures(holders=rows)).pools
    assert found.holders == ()


def test_a_pool_without_settings_or_limits_is_read() -> None:
    bare: dict[str, Any] = {"settings": None, "max": None, "utilization": None}
    (found,) = from_page(figures(**bare), lambda: figures(**bare)).pools
    assert (found.max, found.size, found.max_overflow, found.dialect) == (None, None, None, "")


def test_overflow_without_a_limit_is_none() -> None:
    settings = figures()["pools"][0]["settings"] | {"max_overflow": -1}
    changed = figures(settings=settings, max=None)
    (found,) = from_page(changed, lambda: changed).pools
    assert (found.size, found.max_overflow) == (5, None)


def test_each_worker_is_measured_by_itself() -> None:
    turns = itertools.cycle([1, 2, 1, 1, 3])
    measurement = from_page(figures(1), lambda: figures(next(turns)))
    assert sorted(found.source for found in measurement.pools) == ["pid 1", "pid 2", "pid 3"]
    (said,) = measurement.remarks
    assert re.match(r"Met 3 worker processes in \d+ questions\. There may be others, ", said)
    assert "--workers" in said


def test_replicas_of_the_same_pid_are_told_apart() -> None:
    turns = itertools.cycle("abc")

    def answer() -> Any:
        each = next(turns)
        return figures(1) | {"process": {"id": each * 16, "pid": 1, "version": "0.1.0"}}

    measurement = from_page(answer(), answer)
    assert sorted(found.source for found in measurement.pools) == [
        "pid 1 (aaaaaa)",
        "pid 1 (bbbbbb)",
        "pid 1 (cccccc)",
    ]


def test_a_service_that_tells_no_id_is_told_by_its_pid() -> None:
    older = figures(1), figures(2)
    for each in older:
        del each["process"]["id"]
    turns = itertools.cycle(older)
    measurement = from_page(older[0], lambda: next(turns))
    assert sorted(found.source for found in measurement.pools) == ["pid 1", "pid 2"]


def test_one_that_does_not_answer_or_nonsense_is_said_and_the_others_are_measured() -> None:
    turns = itertools.cycle([1, None, 2])

    def ask() -> Any:
        turn = next(turns)
        if turn is None:
            raise CannotMeasureError("nobody there")
        return figures(turn)

    measurement = from_page(figures(1), ask)
    assert sorted(found.source for found in measurement.pools) == ["pid 1", "pid 2"]
    assert re.fullmatch(
        r"No answer to \d+ of \d+ questions, such as: nobody there", measurement.remarks[1]
    )
    newer = from_page(figures(1), lambda: figures(2) | {"schema": 2})
    assert [found.source for found in newer.pools] == ["pid 1"]
    assert "such as: this page speaks schema 2" in newer.remarks[1]


def test_workers_that_were_not_met_are_like_the_others() -> None:
    turns = itertools.cycle([1, 2])
    measurement = from_page(figures(1), lambda: figures(next(turns)), workers=4)
    assert "Met 2 of 4 worker processes" in measurement.remarks[0]
    (load,) = loads(measurement.pools)
    assert load.workers == 4
    one = from_page(figures(1), lambda: figures(1)).pools[0]
    assert load.connections == pytest.approx(4 * one.connections)


def test_another_schema_is_said() -> None:
    newer = figures() | {"schema": 2}
    with pytest.raises(CannotMeasureError, match="speaks schema 2, and this command under"):
        from_page(newer, NEVER)


@pytest.mark.parametrize("answer", [None, [], "", 1, {}, {"schema": 1}, {"detail": "Not Found"}])
def test_what_is_no_page_is_told_from_one(answer: Any) -> None:
    assert not is_page(answer)
    assert is_page(figures())


def _paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(value, dict):
        inner = [_paths(each, (*path, key)) for key, each in value.items()]
    elif isinstance(value, list):
        inner = [_paths(each, (*path, number)) for number, each in enumerate(value)]
    else:
        inner = []
    return [path, *(each for some in inner for each in some)]


@pytest.mark.parametrize(
    "nonsense", [None, True, [], {}, "x", -1, 1e400, float("nan"), 10**400, 1e300], ids=repr
)
def test_nonsense_anywhere_is_read_or_said_in_a_line(nonsense: Any) -> None:
    for path in _paths(figures()):
        spoilt = figures()
        if not path:
            spoilt = nonsense
        else:
            at: Any = spoilt
            for key in path[:-1]:
                at = at[key]
            at[path[-1]] = nonsense
        assert all(line.isprintable() for line in told_of(spoilt).split("\n")), path


def told_of(answer: Any) -> str:
    """What somebody reads who asks for advice."""
    try:
        measurement = from_page(answer, lambda: answer)
        return text(advise(measurement), measurement.source, remarks=measurement.remarks)
    except CannotMeasureError as error:
        return str(error)


@pytest.mark.parametrize("nonsense", [True, "7", None, -1, 10**400, float("nan")], ids=repr)
def test_a_figure_that_is_none_is_named(nonsense: Any) -> None:
    with pytest.raises(CannotMeasureError, match=r"'peak_demand' of item 0 .* is no"):
        from_page(figures(peak_demand=nonsense), NEVER)


def test_a_key_that_is_missing_is_named() -> None:
    older = figures()
    del older["pools"][0]["peak_demand"]
    with pytest.raises(CannotMeasureError, match="item 0 of 'pools' of the document has no 'peak"):
        from_page(older, NEVER)
