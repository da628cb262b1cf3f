"""What is read beside the pool's use: who waits, its class, and what the server has for it."""

from __future__ import annotations

from typing import Any

import pytest

from pool_observer.advice.measurement import PoolLoad
from pool_observer.advice.page import from_page
from pool_observer.advice.prometheus import Questions
from tests.advice.test_prometheus import Series, at, stored
from tests.page.documents import document, pool, route, server, unanswered, wait


def from_a_page(**changes: Any) -> PoolLoad:
    row = route("POST /chat", 2.0, checkouts=60, timed_out=3)
    figures = document(
        pool(
            peak_demand=7,
            holders={"window_seconds": 300.0, "rows": [row]},
            waits=[wait(1), wait(2)],
            **changes,
        )
    )
    (found,) = from_page(figures, lambda: figures).pools
    return found


def from_prometheus(**changes: Series) -> PoolLoad:
    return Questions(stored(**changes).ask, 3600).pools().pools[1]


def test_a_page_tells_who_waits_who_gave_up_and_the_class() -> None:
    found = from_a_page()
    assert (found.waiting, found.pool_class) == (2, "AsyncAdaptedQueuePool")
    assert [each.timed_out for each in found.holders] == [3]
    assert from_a_page(settings=None).pool_class == ""


def test_prometheus_tells_who_waits_who_gave_up_and_the_class() -> None:
    found = from_prometheus(
        db_client_connection_pending_requests=[(at("b"), 2.0)],
        pool_observer_info=[(at("b", pool_class="NullPool"), 1.0)],
    )
    assert (found.waiting, found.pool_class) == (2, "NullPool")
    assert [each.timed_out for each in found.holders] == [3]


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        pytest.param(None, None, id="the_server_is_not_asked"),
        pytest.param(server(), 97, id="what_is_reserved_is_for_others"),
        pytest.param(server(role_limit=40), 40, id="the_role_has_a_limit"),
        pytest.param(server(database_limit=30, role_limit=40), 30, id="so_has_the_database"),
        pytest.param(server(pooler=True), None, id="a_pooler_asks_the_server_for_its_own"),
        pytest.param(unanswered(max_connections=None), None, id="it_has_never_answered"),
        pytest.param(unanswered(), 97, id="it_is_gone_but_its_limits_are_known"),
    ],
)
def test_a_page_tells_what_the_server_has(told: Any, expected: int | None) -> None:
    assert from_a_page(server=told).server_connections == expected


@pytest.mark.parametrize(
    ("most", "reserved", "pooler", "expected"),
    [
        pytest.param([], [], [], None, id="the_server_is_not_asked"),
        pytest.param([100.0], [3.0], [0.0], 97, id="what_is_reserved_is_for_others"),
        pytest.param([100.0], [], [], 100, id="nothing_is_reserved"),
        pytest.param([100.0], [3.0], [1.0], None, id="a_pooler_asks_the_server_for_its_own"),
    ],
)
def test_prometheus_tells_what_the_server_has(
    most: list[float], reserved: list[float], pooler: list[float], expected: int | None
) -> None:
    found = from_prometheus(
        pool_observer_server_max_connections=[(at("b"), each) for each in most],
        pool_observer_server_reserved_connections=[(at("b"), each) for each in reserved],
        pool_observer_server_pooler=[(at("b"), each) for each in pooler],
    )
    assert found.server_connections == expected
