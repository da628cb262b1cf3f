"""Pools in every state that the page has a picture of."""

from __future__ import annotations

from typing import Any

from tests.page.documents import (
    AT,
    CHAT,
    IDLE_IN_TRANSACTION,
    hold,
    incident,
    pool,
    route,
    timeline,
    wait,
)


def healthy() -> dict[str, Any]:
    """Some traffic, and nothing to complain of."""
    return pool(
        holds=[
            hold(
                1,
                holder="GET /users/{id}",
                seconds=0.012,
                activity="executing",
                executing_seconds=0.011,
                in_transaction_seconds=0.001,
                idle_seconds=0.0,
                call_site={"file": "app/users.py", "line": 17, "function": "user"},
                standing=None,
            )
        ],
        idle=4,
        timeline=timeline(
            300,
            executing=[1.1 + 0.5 * (second * 7 % 5) / 5 for second in range(300)],
            in_transaction=[0.5 + 0.4 * (second * 3 % 7) / 7 for second in range(300)],
            idle=[0.1 * (second % 3) for second in range(300)],
        ),
        holders={
            "window_seconds": 300.0,
            "rows": [
                route("GET /users/{id}", 1.4, wasted_ratio=0.31),
                route("GET /orders", 0.6, wasted_ratio=0.22),
                route("job:nightly-report", 0.02, wasted_ratio=0.05),
            ],
        },
    )


def exhausted() -> dict[str, Any]:
    """All are held across a call to a model, and others wait."""
    ages = [4.2 - 0.2 * number for number in range(12)]
    chats = [
        hold(number, seconds=age, diagnosis=IDLE_IN_TRANSACTION) for number, age in enumerate(ages)
    ]
    queries = [
        hold(
            20 + number,
            holder="GET /reports",
            seconds=1.4 - 0.3 * number,
            activity="executing",
            activity_seconds=1.3 - 0.3 * number,
            executing_seconds=1.3 - 0.3 * number,
            in_transaction_seconds=0.1,
            idle_seconds=0.0,
            call_site={"file": "app/reports.py", "line": 90, "function": "rows"},
            standing={
                "doing": "awaiting",
                "at": {"file": "app/reports.py", "line": 94, "function": "rows"},
                "calling": {"file": "asyncpg/connection.py", "line": 690, "function": "fetch"},
                "innermost": None,
            },
        )
        for number in range(3)
    ]
    waits = [wait(number, seconds=4.0 - 0.1 * number) for number in range(20)]
    waits += [
        wait(
            30 + number,
            holder="POST /chat/{id}",
            seconds=1.9 - 0.2 * number,
            call_site=CHAT,
            nested_in={**CHAT, "line": 30},
        )
        for number in range(5)
    ]
    ramp = [min(15.0, max(0.0, (second - 200) / 3)) for second in range(300)]
    return pool(
        holds=chats + queries,
        waits=waits,
        idle=0,
        timeline=timeline(
            300,
            executing=[1.0 + 2 * (full == 15) for full in ramp],
            in_transaction=[0.7 + max(0.0, full - 3.7) for full in ramp],
            idle=[0.0 for _ in ramp],
            waiting=[max(0, (second - 245) // 2) if second > 245 else 0 for second in range(300)],
            timed_out=[1 if second in (281, 288, 296) else 0 for second in range(300)],
        ),
        holders={
            "window_seconds": 300.0,
            "rows": [
                route("POST /chat/{id}", 9.7, blamed_seconds=512.0, timed_out=1),
                route(
                    "GET /reports",
                    1.2,
                    executing_seconds=330.0,
                    in_transaction_seconds=30.0,
                    idle_seconds=0.0,
                    wasted_ratio=0.08,
                    blamed_seconds=41.0,
                ),
                route("GET /users/{id}", 0.4, wasted_ratio=0.31, timed_out=2),
            ],
        },
        incidents=[
            incident(
                text='pool "orders": all 15 connections held, 3 callers wait, the first for 30 s\n'
                "  12 x POST /chat/{id}, the longest for 4.2 s, taken at app/chat.py:38 in chat\n"
                "      now app/chat.py:41 in chat, awaiting httpx/_client.py:1629 in send\n"
                "   3 x GET /reports, the longest for 1.4 s, taken at app/reports.py:90 in rows",
                count=3,
            ),
        ],
    )


def leaking() -> dict[str, Any]:
    """One is overdue, one was lost, and the service itself runs well."""
    leak = hold(
        1,
        holder="POST /orders",
        phase="detached",
        activity="idle",
        seconds=341.0,
        activity_seconds=340.0,
        executing_seconds=0.4,
        in_transaction_seconds=0.6,
        idle_seconds=340.0,
        call_site={"file": "app/orders.py", "line": 112, "function": "export"},
        standing={"doing": "finished", "at": None, "calling": None, "innermost": None},
        diagnosis={
            "kind": "finished",
            "text": "its request is over, and the connection is still out",
            "mend": "return it where it was taken: `with` or `async with` does so on every path",
        },
        overdue=True,
        trace_id="4bf92f3577b34da6a3ce929d0e0e4736",
    )
    return pool(
        holds=[
            leak,
            hold(
                2,
                holder="job:nightly-report",
                seconds=62.0,
                activity="executing",
                activity_seconds=61.0,
                executing_seconds=61.0,
                in_transaction_seconds=1.0,
                idle_seconds=0.0,
                phase=None,
                limit_seconds=600.0,
                limit_reason="monthly figures",
                call_site={"file": "app/jobs/report.py", "line": 9, "function": "run"},
                standing=None,
            ),
        ],
        idle=3,
        timeline=timeline(
            300,
            executing=[0.3 + 0.3 * (second % 4) + (second > 238) for second in range(300)],
            in_transaction=[0.2] * 300,
            idle=[1.0] * 300,
        ),
        holders={
            "window_seconds": 300.0,
            "rows": [route("POST /orders", 1.0, wasted_ratio=1.0), route("GET /users/{id}", 0.3)],
        },
        incidents=[
            incident(
                "overdue",
                holder="POST /orders",
                seconds=30.0,
                text="Held for 30 s, which is its limit.",
            ),
            incident(
                "lost",
                holder="GET /orders",
                seconds=12.5,
                text="The connection was dropped without being returned; the garbage collector "
                "gave it back.",
            ),
        ],
    )


def blocked() -> dict[str, Any]:
    """The event loop does not come round."""
    standing = {
        "doing": "blocked",
        "at": {"file": "app/reports.py", "line": 88, "function": "build"},
        "calling": {"file": "pandas/io/excel.py", "line": 410, "function": "to_excel"},
        "innermost": None,
    }
    loop = {"lag_seconds": 3.2, "blocked": [{"seconds": 3.2, "standing": standing}]}
    return {**exhausted(), "event_loop": loop}


def down() -> dict[str, Any]:
    """The database cannot be reached."""
    refused = "no connection could be opened for GET /users/{id}: OperationalError"
    figures = pool(
        idle=0,
        timeline=timeline(
            300,
            executing=[1.2 if second < 260 else 0.0 for second in range(300)],
            in_transaction=[0.6 if second < 260 else 0.0 for second in range(300)],
            failed=[int(second >= 260 and second % 5 == 0) for second in range(300)],
        ),
        holders={
            "window_seconds": 300.0,
            "rows": [route("GET /users/{id}", 1.1, failed=7), route("GET /orders", 0.4, failed=1)],
        },
        incidents=[
            incident("failed", since=AT - 36, count=8, seconds=None, text=refused),
            incident(
                "loop_blocked",
                at=AT - 120,
                holder=None,
                call_site={"file": "app/reports.py", "line": 88, "function": "build"},
                seconds=6.0,
                text="an event loop was blocked for 6.0 s or more: app/reports.py:88 in build",
            ),
        ],
    )
    figures["totals"]["failed"] = 8
    return figures


def crowded(count: int = 500, *, seconds: float = 0.0) -> dict[str, Any]:
    """As many holds as a document has, each of a route of its own, and 20 that it has not."""
    holds = [
        hold(
            number,
            holder=f"GET /route/{number}",
            seconds=600.0 - number + seconds,
            overdue=number < 10,
            diagnosis=IDLE_IN_TRANSACTION if number % 3 == 0 else None,
        )
        for number in range(count)
    ]
    minute = timeline(60, in_transaction=[count + 20] * 60)
    most = count + 100
    return pool(holds=holds, used=count + 20, max=most, idle=0, holds_omitted=20, timeline=minute)
