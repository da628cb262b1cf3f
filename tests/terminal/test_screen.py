"""What there is room for on a screen."""

from __future__ import annotations

from typing import Any

import pytest

from pool_observer.terminal.fitting import width
from pool_observer.terminal.reading import answer
from pool_observer.terminal.screen import Wanted, lines
from pool_observer.terminal.seen import Seen
from tests.page.documents import document, hold, pool, wait
from tests.page.scenes import exhausted, healthy
from tests.page.servers import locked
from tests.terminal.hostile import NAMES, full_of

WANTED = Wanted("http://localhost:8000/debug/pools")


def shown(*documents: object, total: int = 80, height: int | None = 23, now: float = 0.0) -> str:
    seen = Seen()
    for each in documents:
        seen.hear(answer(each), 0.0)
    return "\n".join(line.text for line in lines(seen, WANTED, now, total, height))


def crowd(number: int) -> dict[str, object]:
    return document(
        pool(
            holds=[hold(each, holder=f"GET /holder/{each}") for each in range(number)],
            waits=[wait(each, holder=f"GET /waiter/{each}") for each in range(number)],
        )
    )


@pytest.mark.parametrize("total", [1, 2, 3, 10, 24, 49, 50, 63, 64, 80, 200])
@pytest.mark.parametrize("height", [0, 1, 2, 5, 11, 23, 60])
def test_it_is_never_larger_than_the_screen(total: int, height: int) -> None:
    documents = [document(exhausted()), document(locked()), crowd(40), document()]
    for each in [*documents, *map(full_of, NAMES)]:
        seen = Seen()
        seen.hear(answer(each), 0.0)
        found = lines(seen, WANTED, 0.0, total, height)
        assert len(found) <= height
        assert max((width(line.text) for line in found), default=0) <= total


def test_details_go_first_where_there_is_little_room() -> None:
    assert "-> commit or close" in shown(document(exhausted()), height=23)
    lower = shown(document(exhausted()), height=14)
    assert "-> commit or close" in lower  # which says most
    assert "idle in transaction for" not in lower
    lower = shown(document(exhausted()), height=11)
    assert "POST /chat/{id}" in lower
    assert "GET /reports" in lower
    assert "25 callers wait" in lower
    assert "WAIT" not in lower


def test_who_is_not_shown_is_counted() -> None:
    said = shown(crowd(40), height=23).splitlines()
    held = sum("/holder/" in line for line in said)
    waiting = sum("/waiter/" in line for line in said)
    assert f"  {40 - held}  held by others" in said
    assert f"  {40 - waiting}  others" in said
    assert held >= 5
    assert waiting >= 3


def test_without_a_bound_everybody_is_shown() -> None:
    said = shown(crowd(40), height=None)
    assert said.count("GET /holder/") == said.count("GET /waiter/") == 40


def test_connections_of_which_nothing_is_known_are_counted() -> None:
    said = shown(document(pool(used=2, unseen=2)))
    assert "2 connections held since before they were observed" in said
    assert "nobody" not in said


def test_holds_that_the_page_has_left_out_are_counted() -> None:
    left_out = pool(holds=[hold(1)], holds_omitted=7, used=8)
    assert "7 more connections held, none of them for longer" in shown(document(left_out))


@pytest.mark.parametrize(
    ("changes", "bar"),
    [
        ({"idle": 0}, "  [               ]"),
        ({"idle": 5}, "  [.....          ]  . 5 free"),
        ({"used": 2, "idle": 3}, "  [??...          ]  ? 2 not known  . 3 free"),
        (
            {"used": 12, "holds": [hold()], "holds_omitted": 9, "unseen": 2, "idle": 0},
            "  [=+++++++++??   ]  = 1 in transaction  + 9 not listed  ? 2 not known",
        ),
        ({"max": None, "used": 0, "idle": 2}, "  [..]  . 2 free"),
        ({"max": None, "used": 0, "idle": 0}, "  []"),
        ({"max": 1000, "used": 500, "idle": 500}, f"  [{'?' * 20}{'.' * 20}]  ? 500 not known"),
    ],
)
def test_the_bar_has_a_mark_for_each_connection_or_each_few(
    changes: dict[str, Any], bar: str
) -> None:
    assert shown(document(pool(**changes))).splitlines()[2].startswith(bar)


@pytest.mark.parametrize(
    ("file", "place"),
    [
        ("app/chat.py", "app/chat.py:38 in chat"),
        ("src/shop/application/routers/chat.py", "src/shop/application/routers/chat.py:38"),
        ("src/shop/application/routers/legacy/chat.py", "...pplication/routers/legacy/chat.py:38"),
    ],
)
def test_of_a_place_the_line_is_always_seen(file: str, place: str) -> None:
    site = {"file": file, "line": 38, "function": "chat"}
    said = shown(document(pool(holds=[hold(holder="GET /", call_site=site)])))
    (row,) = [line for line in said.splitlines() if "GET /" in line]
    assert row.endswith(f"  {place}")


def test_the_bar_tells_what_connections_are_used_for_without_colours() -> None:
    doing = ["executing", "in_transaction", "in_transaction", "idle"]
    holds = [hold(number, activity=each) for number, each in enumerate(doing)]
    bar = shown(document(pool(holds=holds, idle=1))).splitlines()[2]
    assert bar == "  [#==-.          ]  # 1 executing  = 2 in transaction  - 1 idle  . 1 free"


def test_processes_of_the_same_pid_are_told_apart() -> None:
    one, other = (document(healthy(), pid=1, id=name * 8) for name in "ab")
    text = shown(one, other)
    assert "orders of 1 (aaaaaa): " in text
    assert "orders of 1 (bbbbbb): " in text


def test_many_pools_leave_room_for_who_holds_their_connections() -> None:
    few = shown(*(document(exhausted(), pid=pid) for pid in range(3)))
    assert few.count("all 15 connections held") == 3
    assert few.count("[###") == 3
    several = shown(*(document(exhausted(), pid=pid) for pid in range(8)))
    assert several.count("all 15 connections held") == 8
    assert "[###" not in several
    assert "POST /chat/{id}" in several


def test_of_very_many_pools_those_in_trouble_are_shown() -> None:
    pools = [document(healthy(), pid=pid) for pid in range(40)]
    said = shown(*pools, document(exhausted(), pid=99))
    assert "orders of 99: all 15 connections held" in said
    assert "31 more pools, not shown here" in said
    assert "POST /chat/{id}" in said


def test_a_clock_that_is_far_ahead_is_shown() -> None:
    assert "process 4121" in shown(document(at=1e12))


@pytest.mark.parametrize(
    ("lag", "blocking", "said"),
    [
        (0.05, [], []),
        (2.0, [], ["is late by 2.0 s"]),
        (2.0, [{"seconds": 2.0, "standing": None}], ["has been blocked for 2.0 s"]),
    ],
)
def test_that_an_event_loop_is_late_is_said_once(
    lag: float, blocking: list[Any], said: list[str]
) -> None:
    loop = {"lag_seconds": lag, "blocked": blocking}
    text = shown(document(pool(event_loop=loop)))
    assert [each for each in text.splitlines() if "the event loop" in each] == [
        f"  the event loop {each}" for each in said
    ]
