from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pool_observer import Phase
from pool_observer.progress import RequestProgress

instants = st.integers(0, 100)
maybe = st.none() | instants


def progress(
    response: int | None = None, background: int | None = None, detached: int | None = None
) -> RequestProgress:
    made = RequestProgress()
    made.response_at, made.background_at, made.detached_at = response, background, detached
    return made


def test_a_hold_is_split_where_phases_begin() -> None:
    assert progress(10, 30, 60).split(0, 100) == (10, 20, 30, 40)
    assert progress(10, 30, 60).split(20, 40) == (0, 10, 10, 0)
    assert progress(10, 30, 60).split(60, 70) == (0, 0, 0, 10)
    assert progress().split(5, 7) == (2, 0, 0, 0)


def test_a_handler_that_raises_sends_no_response() -> None:
    assert progress(detached=30).split(0, 100) == (30, 0, 0, 70)
    assert progress(10, detached=30).split(0, 100) == (10, 20, 0, 70)


@given(maybe, maybe, maybe, instants, instants)
def test_phases_add_up_whatever_was_noted_when(
    response: int | None, background: int | None, detached: int | None, begin: int, length: int
) -> None:
    split = progress(response, background, detached).split(begin, begin + length)
    assert sum(split) == length
    assert min(split) >= 0


@given(maybe, maybe, maybe, instants, instants, instants)
def test_time_that_is_split_in_two_is_split_alike(
    response: int | None, background: int | None, detached: int | None, begin: int, a: int, b: int
) -> None:
    made = progress(response, background, detached)
    first, second = made.split(begin, begin + a), made.split(begin + a, begin + a + b)
    whole = made.split(begin, begin + a + b)
    assert tuple(x + y for x, y in zip(first, second, strict=True)) == whole


def test_the_phase_is_the_last_that_has_begun() -> None:
    made = progress(10, 20, 30)
    at = [made.phase_at(instant) for instant in (0, 9, 10, 19, 20, 29, 30, 99)]
    assert at == [phase for phase in Phase for _ in range(2)]
