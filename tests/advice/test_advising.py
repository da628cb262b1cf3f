"""What is advised, on loads that can be reckoned by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pool_observer.advice.advising import PoolAdvice, advise
from pool_observer.advice.measurement import CannotMeasureError, HolderLoad
from pool_observer.advice.sizing import Split
from tests.advice.loads import CHAT, CHATTING, ITEMS, READING, holder, measured, pool


def advice_on(*holders: HolderLoad, **changes: Any) -> PoolAdvice:
    (advice,) = advise(measured(pool(*holders, **changes)))
    return advice


def test_connections_are_arrivals_times_the_mean_hold() -> None:
    load = advice_on(CHATTING, READING).load
    assert load.connections == pytest.approx(10 * 3.0 + 200 * 0.002)
    assert load.arrivals == 210
    assert [each.holder for each in load.holders] == [CHAT, ITEMS]


def test_a_pool_that_did_not_saturate_needs_what_was_wanted_at_once() -> None:
    advice = advice_on(CHATTING, READING, peak_demand=38)
    assert (advice.refusal, advice.needed, advice.split) == (None, 38, Split(38, 0))
    assert not advice.load.saturated


def test_the_busiest_worker_decides() -> None:
    quick, slow = holder(ITEMS, 10.0, executing=0.1), holder(ITEMS, 10.0, executing=3.0)
    (even,) = advise(measured(pool(slow), pool(slow)))
    (uneven,) = advise(measured(pool(quick), pool(slow)))
    assert uneven.as_it_is == even.as_it_is
    assert uneven.split == even.split


def test_who_keeps_connections_unused_is_mended_first_who_frees_most_at_the_top() -> None:
    report = holder("GET /report", 1.0, executing=1.0, idle=6.0)
    busy = holder("GET /busy", 1.0, executing=7.0, in_transaction=0.5)
    advice = advice_on(report, busy, CHATTING, READING)
    assert [mend.load.holder for mend in advice.mends] == [CHAT, "GET /report"]
    assert [mend.frees for mend in advice.mends] == pytest.approx([29.9, 6.0])


@pytest.mark.parametrize(
    "small",
    [
        pytest.param(holder("a", 1.0, executing=0.01, idle=0.2), id="a_fifth_of_a_connection"),
        pytest.param(holder("a", 1.0, executing=2.0, idle=1.9), id="less_than_it_executes"),
        pytest.param(holder("a", 150, executing=0.002, in_transaction=0.003), id="a_few_ms_a_hold"),
    ],
)
def test_a_route_that_frees_little_is_no_mend(small: HolderLoad) -> None:
    assert advice_on(small).mends == ()


def test_the_model_reckons_mended_routes_with_what_they_execute() -> None:
    advice = advice_on(CHATTING, READING)
    assert advice.as_it_is is not None
    assert advice.mended is not None
    assert advice.as_it_is.offered == pytest.approx(30.4)
    assert advice.mended.offered == pytest.approx(10 * 0.01 + 200 * 0.002)
    assert advice.mended.connections == 5 < advice.as_it_is.connections
    assert advice.mended_split == Split(5, 3)


def test_routes_are_mended_that_somebody_names() -> None:
    (advice,) = advise(measured(pool(CHATTING, READING)), released=[ITEMS])
    assert [mend.load.holder for mend in advice.mends] == [ITEMS]
    with pytest.raises(CannotMeasureError, match="nothing was measured of 'GET /nowhere'"):
        advise(measured(pool(CHATTING)), released=["GET /nowhere"])


def test_a_pool_size_is_for_one_worker_and_pgbouncer_for_all() -> None:
    one = pool(CHATTING, READING, peak_demand=38)
    other = pool(CHATTING, READING, peak_demand=35, source="pid 2")
    (alone,) = advise(measured(one))
    (both,) = advise(measured(other, one))
    assert (both.load.workers, both.needed, both.split) == (2, 38, alone.split)
    assert both.as_it_is is not None
    assert alone.as_it_is is not None
    assert both.as_it_is.offered == pytest.approx(alone.as_it_is.offered)
    assert both.load.connections == pytest.approx(60.8)
    assert both.bouncer is not None
    assert both.bouncer.average == pytest.approx(60.8)


def test_workers_that_are_seen_together_count_as_many() -> None:
    (apart,) = advise(measured(*[pool(CHATTING)] * 4))
    together = [replace(CHATTING, executing=0.4, in_transaction=4 * 29.9, arrivals=40.0)]
    (advice,) = advise(measured(pool(*together, workers=4)))
    assert advice.needed == apart.needed
    assert advice.as_it_is is not None
    assert apart.as_it_is is not None
    assert advice.as_it_is.offered == pytest.approx(apart.as_it_is.offered)


def test_pools_of_other_names_are_advised_on_by_themselves() -> None:
    both = advise(measured(pool(CHATTING, name="b"), pool(READING, name="a", peak_demand=3)))
    assert [(each.load.name, each.needed) for each in both] == [("a", 3), ("b", 38)]


def test_holds_of_the_same_route_in_several_workers_are_averaged_by_how_many_there_are() -> None:
    quick, slow = holder(ITEMS, 30.0, executing=0.1), holder(ITEMS, 10.0, executing=0.5)
    (advice,) = advise(measured(pool(quick), pool(slow, source="pid 2")))
    (route,) = advice.load.holders
    assert (route.arrivals, route.mean_hold) == pytest.approx((40.0, 0.2))
    assert route.connections == pytest.approx(40 * 0.2)


def test_pgbouncer_fits_where_connections_are_held_outside_of_transactions() -> None:
    idle = holder(CHAT, 10.0, executing=0.01, in_transaction=0.09, idle=2.9)
    bouncer = advice_on(idle).bouncer
    assert bouncer is not None
    assert bouncer.pays
    assert bouncer.average == pytest.approx(1.0)
    assert bouncer.outside_ratio == pytest.approx(2.9 / 3)
    assert bouncer.mended_average == pytest.approx(0.1)


def test_pgbouncer_gains_nothing_from_transactions_that_stay_open() -> None:
    bouncer = advice_on(CHATTING, READING).bouncer
    assert bouncer is not None
    assert not bouncer.pays
    assert bouncer.average == pytest.approx(30.4)
    assert bouncer.default_pool_size > 30.4 / 0.8
    assert bouncer.mended_average == pytest.approx(0.5)
    assert bouncer.mended_pool_size == 5


def test_pgbouncers_size_is_for_those_who_gave_up_as_well() -> None:
    slow = holder("GET /report", 10.0, executing=1.0)
    bouncer = advice_on(slow, peak_demand=12, max=10, timed_out=3000.0).bouncer
    alone = advice_on(holder("GET /report", 20.0, executing=1.0)).bouncer
    assert bouncer is not None
    assert alone is not None
    assert (bouncer.average, bouncer.offered) == pytest.approx((10.0, 20.0))
    assert bouncer.default_pool_size == alone.default_pool_size


def test_pgbouncer_keeps_a_fifth_free_on_average() -> None:
    # So many arrivals that hardly anybody waits anyway.
    many = holder(ITEMS, 1_000_000.0, executing=0.001)
    bouncer = advice_on(many).bouncer
    assert bouncer is not None
    assert bouncer.default_pool_size == 1250


def test_other_databases_have_no_pgbouncer() -> None:
    assert advice_on(CHATTING, dialect="mysql").bouncer is None


@pytest.mark.parametrize(
    ("holders", "changes", "reason"),
    [
        ([CHATTING], {"window_seconds": 59.0}, "measured for 59 s only"),
        ([], {}, "nobody held a connection"),
        ([HolderLoad("a", 0.0, 0.0, 5.0, 0.0, 300.0)], {}, "no connection was handed out"),
        ([HolderLoad("a", 20_000.0, 0.0, 0.0, 1.0, 1.0)], {}, "beyond reason"),
        ([CHATTING], {"peak_demand": 10**9}, "beyond reason"),
        ([CHATTING], {"timed_out": 1e11}, "beyond reason"),
    ],
)
def test_what_is_no_base_for_advice_gets_none(
    holders: list[HolderLoad], changes: dict[str, Any], reason: str
) -> None:
    advice = advice_on(*holders, **changes)
    assert reason in str(advice.refusal)
    assert (advice.split, advice.mends, advice.bouncer) == (None, (), None)


def test_one_worker_that_was_met_too_early_is_enough_to_ask_again() -> None:
    (advice,) = advise(measured(pool(CHATTING), pool(CHATTING, window_seconds=3.0)))
    assert "measured for 3 s only" in str(advice.refusal)


figures = st.floats(0, 1000)
holders = st.builds(HolderLoad, st.text(), *[figures] * 6)
pools = st.builds(
    pool,
    holders=st.lists(holders, max_size=5).map(tuple),
    peak_demand=st.integers(0, 200),
    max=st.none() | st.integers(1, 200),
    workers=st.integers(1, 8),
    window_seconds=figures,
    timed_out=figures,
)


@given(parts=st.lists(pools, max_size=3))
def test_there_is_advice_or_a_reason_for_none_whatever_was_measured(parts: list[Any]) -> None:
    for advice in advise(measured(*parts)):
        if advice.refusal is not None:
            assert advice.split is None
            continue
        assert advice.split is not None
        load = advice.load
        at_once = (load.max or 0) + 1 if load.saturated else load.peak.peak_demand
        assert advice.split.connections >= advice.needed >= at_once
        if advice.mended is not None:
            assert advice.as_it_is is not None
            assert advice.mended_split is not None
            assert advice.split.connections >= advice.mended_split.connections
            assert advice.mended_split.connections >= advice.mended.connections
            assert advice.mended.offered <= advice.as_it_is.offered


def test_what_one_worker_holds_on_average_decides_on_its_overflow() -> None:
    all_together = holder(ITEMS, 100.0, executing=0.1)
    assert advice_on(all_together, workers=10, peak_demand=15).split == Split(10, 5)
    assert advice_on(all_together, workers=1, peak_demand=15).split == Split(15, 0)


def test_what_is_needed_until_the_mend_is_never_less_than_after_it() -> None:
    # Ten at once is the most that was seen, but the model wants 13 for what is left.
    working = holder(ITEMS, 10.0, executing=0.5)
    chatting = holder(CHAT, 0.2, executing=0.01, in_transaction=4.0)
    advice = advice_on(working, chatting, peak_demand=10)
    assert advice.mended is not None
    assert advice.mended.connections == advice.needed > 10
    assert advice.split is not None
    assert advice.mended_split == advice.split


def test_a_pool_that_is_hardly_used_keeps_the_usual_overflow() -> None:
    assert advice_on(READING, peak_demand=3, max=15).split == Split(5, 3)


def test_nothing_is_held_once_all_of_it_is_mended() -> None:
    advice = advice_on(HolderLoad(CHAT, 0.0, 3.0, 0.0, 1.0, 3.0))
    assert advice.mended is not None
    assert (advice.mended.offered, advice.mended.connections) == (0, 0)
    assert advice.mended_split == Split(5, 3)


@pytest.mark.parametrize(
    ("server", "workers", "fits"), [(None, 50, True), (80, 2, True), (75, 2, False)]
)
def test_all_workers_together_must_fit_the_server(
    server: int | None, workers: int, fits: bool
) -> None:
    advice = advice_on(READING, workers=workers, server_connections=server)
    assert advice.split is not None
    assert advice.split.connections == 38
    assert advice.in_all(advice.split) == 38 * workers
    assert advice.fits(advice.split) is fits
