"""What is read from a live page's figures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pool_observer.advice.advising import advise
from pool_observer.advice.measurement import CannotMeasureError
from pool_observer.advice.page import TRIES, from_page, is_page
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


def test_it_is_asked_until_no_other_worker_is_met() -> None:
    answers = iter([1, 2, 1, 1, 3, *[2] * TRIES])
    measurement = from_page(figures(1), lambda: figures(next(answers)))
    assert [found.source for found in measurement.pools] == ["pid 1", "pid 2", "pid 3"]
    assert measurement.source == "a live page, 3 worker processes met"
    assert list(answers) == []


def test_workers_without_end_are_not_asked_for_ever() -> None:
    pids = iter(range(2, 10_000))
    assert len(from_page(figures(1), lambda: figures(next(pids))).pools) == 256


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
        return text(advise(measurement), measurement.source)
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
