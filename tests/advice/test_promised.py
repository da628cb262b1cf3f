"""What is promised of a size holds for loads of all kinds, by a simulation that is not the model.

Each is so long that chance does not decide, and none depends on a clock.
"""

from __future__ import annotations

import pytest

from pool_observer.advice.advising import advise
from pool_observer.advice.queueing import LONGEST_WAIT_SECONDS, WAITS_RATIO, connections_needed
from tests.advice.loads import holder, measured, pool
from tests.advice.simulated import Route, waits

MIXED = [
    pytest.param([Route(200, 0.005)], id="short_holds"),
    pytest.param([Route(10, 3.0), Route(40, 0.003)], id="chats_and_reads"),
    pytest.param([Route(500, 0.003), Route(0.5, 4.0)], id="reads_and_a_report"),
    pytest.param([Route(2000, 0.002), Route(1, 10.0)], id="reads_and_an_export"),
    pytest.param([Route(1000, 0.002), Route(5, 2.0)], id="reads_and_chats"),
]
CALLERS = 1_000_000


def offered(routes: list[Route]) -> float:
    return sum(route.connections for route in routes)


@pytest.mark.parametrize("routes", MIXED)
def test_with_as_many_as_needed_fewer_wait_than_is_promised(routes: list[Route]) -> None:
    needed = connections_needed(offered(routes))
    assert waits(needed, routes, CALLERS, long=LONGEST_WAIT_SECONDS, seed=1) < WAITS_RATIO


@pytest.mark.parametrize("routes", MIXED)
def test_with_a_third_fewer_more_wait_than_is_promised(routes: list[Route]) -> None:
    fewer = connections_needed(offered(routes)) * 2 // 3
    assert waits(fewer, routes, CALLERS // 10, long=0.0, seed=1) > WAITS_RATIO


@pytest.mark.parametrize("routes", MIXED)
def test_what_a_saturated_pool_is_told_to_have_keeps_the_promise(routes: list[Route]) -> None:
    # Two thirds got a connection, one third gave up.
    served = [
        holder(f"GET /{number}", route.a_second * 2 / 3, executing=route.mean_hold)
        for number, route in enumerate(routes)
    ]
    gave_up = 300.0 * sum(route.a_second for route in routes) / 3
    (advice,) = advise(measured(pool(*served, max=1, peak_demand=5000, timed_out=gave_up)))
    assert advice.as_it_is is not None
    assert advice.as_it_is.offered == pytest.approx(offered(routes))
    assert advice.needed == connections_needed(offered(routes))


@pytest.mark.parametrize("routes", MIXED)
def test_pgbouncers_size_keeps_the_promise(routes: list[Route]) -> None:
    holders = [
        holder(f"GET /{number}", route.a_second, executing=route.mean_hold)
        for number, route in enumerate(routes)
    ]
    (advice,) = advise(measured(pool(*holders)))
    assert advice.bouncer is not None
    assert advice.bouncer.default_pool_size >= connections_needed(offered(routes))


def test_the_simulation_is_what_is_known_of_one_connection() -> None:
    # With one connection, who waits is as many as it is busy: 80 %.
    assert waits(1, [Route(0.8, 1.0)], CALLERS // 2, long=0.0, seed=1) == pytest.approx(
        0.8, abs=0.01
    )
