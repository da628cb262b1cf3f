"""What would be held if nobody had to wait, on loads that can be reckoned by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pool_observer.advice.measurement import HolderLoad, PoolLoad
from pool_observer.advice.modelling import offered
from tests.advice.loads import CHATTING, READING, pool


def held(each: HolderLoad) -> float:
    return each.connections


def executed(each: HolderLoad) -> float:
    return each.executing


def test_if_everybody_is_served_it_is_what_is_held() -> None:
    assert offered(pool(CHATTING, READING), held) == pytest.approx(30.4)
    assert offered(pool(CHATTING, READING), executed) == pytest.approx(0.5)


def test_who_gave_up_would_have_held_one_as_others_of_its_kind_do() -> None:
    # Time-outs of the reads, of which each takes 2 ms, and not of the chats.
    reads = replace(READING, timed_out=3000.0)
    assert offered(pool(CHATTING, reads, timed_out=3000.0), held) == pytest.approx(
        30.4 + 10 * 0.002
    )


@pytest.mark.parametrize("missing", [{"timed_out": 3150.0}, {"waiting": 3150.0}])
def test_of_whom_nothing_is_known_is_like_the_average(missing: dict[str, float]) -> None:
    # 210 are served a second, and 10.5 are not.
    assert offered(pool(CHATTING, READING, **missing), held) == pytest.approx(30.4 * 1.05)


def test_who_never_got_one_is_like_the_average() -> None:
    never = HolderLoad("GET /never", 0.0, 0.0, 0.0, 0.0, 0.0, timed_out=3000.0)
    load = pool(CHATTING, never, timed_out=3000.0)
    assert offered(load, held) == pytest.approx(30.0 + 10.0 * 3.0)


def leaking() -> PoolLoad:
    """Fifteen that are not given back, of which one was taken within the five minutes."""
    kept = HolderLoad("job", 0.0, 15.0, 0.0, 1 / 300, 4500.0)
    return pool(kept, timed_out=10.0)


def test_a_hold_is_not_longer_than_what_was_watched() -> None:
    assert offered(leaking(), held) == pytest.approx(15.0 + 10.0)


def test_a_pool_that_hands_out_nothing_offers_what_it_holds() -> None:
    stuck = HolderLoad("job", 0.0, 15.0, 0.0, 0.0, 300.0)
    assert offered(pool(stuck, timed_out=10.0), held) == 15.0
