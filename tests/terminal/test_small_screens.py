"""What is seen where names are long and screens are small."""

from __future__ import annotations

import pytest

from pool_observer.terminal.fitting import width
from tests.page.documents import document, pool, wait
from tests.page.scenes import blocked, exhausted
from tests.terminal.test_screen import shown

HOST = "db-primary.eu-west-1.prod.internal:5432"
TWO = document(exhausted() | {"name": f"{HOST}/orders"}, exhausted() | {"name": f"{HOST}/users"})


def test_a_long_name_is_whole_where_there_is_room() -> None:
    said = shown(TWO, total=160, height=None)
    assert f"\n{HOST}/orders: all 15 connections held, 25 callers wait, the first" in said
    assert f" 4.2 s  {HOST}/users   POST /chat/{{id}}  app/chat.py:38 in chat" in said
    assert f"\n{HOST}/users: all 15 connections held" in shown(TWO, total=80, height=None)


@pytest.mark.parametrize(
    ("total", "height", "orders", "users"),
    [
        (120, None, f"\n{HOST}/orders: all 15", f"\n{HOST}/users: all 15"),
        (120, None, "prod.internal:5432/orders  POST", "prod.internal:5432/users  POST"),
        (80, 23, "s  ...orders  POST", "s  .../users  POST"),
        (40, 11, "s  rders  POST", "s  users  POST"),
        (40, 11, "internal:5432/orders:\n", "internal:5432/users:\n"),
        (80, 4, "internal:5432/orders: all 15", "internal:5432/users: all 15"),
        (20, 4, "...ord: all", "...use: all"),
    ],
)
def test_pools_of_one_host_are_told_apart(
    total: int, height: int | None, orders: str, users: str
) -> None:
    said = shown(TWO, total=total, height=height)
    assert orders in said
    assert users in said


@pytest.mark.parametrize(("total", "height"), [(80, 4), (20, 4), (40, 11), (80, 3), (80, 7)])
@pytest.mark.parametrize("scene", [exhausted(), blocked()])
def test_a_holder_is_seen_on_any_screen(total: int, height: int, scene: dict[str, object]) -> None:
    said = shown(document(scene), total=total, height=height).splitlines()
    assert any(line.startswith("  12  ") and " POS" in line for line in said)
    assert any("orders: " in line for line in said)


def test_a_headline_that_is_too_long_goes_on_in_the_next_line() -> None:
    said = shown(document(exhausted()), total=40, height=11).splitlines()
    assert said[1:3] == [
        "orders: all 15 connections held, 25",
        "  callers wait, the first for 4.0 s",
    ]


def test_that_the_loop_is_blocked_is_said_where_there_is_little_room() -> None:
    assert "orders: event loop blocked for 3.2 s" in shown(document(blocked()), total=40, height=11)


def test_what_no_row_is_about_is_said_in_full() -> None:
    said = shown(document(pool(used=2, unseen=2)), total=40)
    assert "before they\nwere observed" in said
    assert max(map(width, said.splitlines())) <= 40


def test_who_waits_is_seen_if_nobody_holds() -> None:
    assert "GET /users/{id}" in shown(document(pool(waits=[wait()], used=3)), height=7)
