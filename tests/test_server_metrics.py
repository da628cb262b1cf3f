"""The metrics of what the server says: as of the last look, and what is not known is not there."""

from __future__ import annotations

from typing import Any

from pool_observer.metric import Across
from pool_observer.prometheus.mirror import MODES
from pool_observer.server import JoinedHold, Owner, ServerLimits, ServerState, Session, SessionState
from pool_observer.server_metrics import SERVER_METRICS
from pool_observer.state import PoolState, PoolTotals

ACTIVE = Session(1, Owner.OURS, SessionState.ACTIVE, transaction_seconds=2.0)
IDLE = Session(2, Owner.OURS, SessionState.IDLE_IN_TRANSACTION, transaction_seconds=9.0)
FREE = Session(3, Owner.OURS, SessionState.IDLE)

FULL = ServerState(
    up=True,
    at=1.0,
    failures=2,
    limits=ServerLimits(100, 3),
    sessions={(Owner.OURS, SessionState.ACTIVE): 1, (Owner.OTHERS, SessionState.IDLE): 4},
    longest_transaction={Owner.OURS: 9.0, Owner.OTHERS: 0.0},
    holds=(
        JoinedHold(1, "GET /a", ACTIVE, blocked_by=(None,)),  # type: ignore[arg-type]
        JoinedHold(2, "GET /b", IDLE, blocks=1),
        JoinedHold(3, "GET /b", IDLE, blocks=2),
        JoinedHold(4, "GET /c", FREE),
    ),
)


def told(server: ServerState | None) -> dict[str, dict[tuple[str, ...], Any]]:
    state = PoolState(
        name="orders", at=0, used=0, idle=0, waiting=0, max=None, utilization=None, drift=None,
        open_holds=(), open_waits=(), totals=PoolTotals(), server=server,
    )  # fmt: skip
    read = {each.name.removeprefix("pool_observer.server."): each.read for each in SERVER_METRICS}
    figures: dict[str, dict[tuple[str, ...], Any]] = {
        name: dict(figures(state)) for name, figures in read.items()
    }
    return {name: each for name, each in figures.items() if each}


def test_all_that_the_server_says() -> None:
    assert told(FULL) == {
        "up": {(): 1.0},
        "probe_failures": {(): 2},
        "pooler": {(): 0.0},
        "sessions": {("ours", "active"): 1, ("others", "idle"): 4},
        "max_connections": {(): 100},
        "reserved_connections": {(): 3},
        "longest_transaction": {("ours",): 9.0, ("others",): 0.0},
        "holder_sessions": {
            ("GET /a", "active"): 1,
            ("GET /b", "idle_in_transaction"): 2,
            ("GET /c", "idle"): 1,
        },
        "holder_transaction": {("GET /a",): 2.0, ("GET /b",): 9.0, ("GET /c",): 0.0},
        "holder_blocked": {("GET /a",): 1.0, ("GET /b",): 0.0, ("GET /c",): 0.0},
        "holder_blocks": {("GET /a",): 0, ("GET /b",): 3, ("GET /c",): 0},
    }


def test_of_a_server_that_does_not_answer_the_limits_are_as_they_were() -> None:
    down = ServerState(up=False, at=1.0, failures=3, error="OSError", limits=FULL.limits)
    assert told(down) == {
        "up": {(): 0.0},
        "probe_failures": {(): 3},
        "max_connections": {(): 100},
        "reserved_connections": {(): 3},
    }


def test_before_the_first_look_only_the_counter_is_there() -> None:
    assert told(ServerState(up=False)) == {"probe_failures": {(): 0}}


def test_of_several_workers_one_that_gets_no_answer_is_not_hidden() -> None:
    across = {metric.name: metric.across for metric in SERVER_METRICS}
    assert across.pop("pool_observer.server.up") is Across.LEAST
    assert Across.LEAST not in across.values()
    assert MODES[Across.LEAST] == "livemin"


def test_a_pooler_is_told() -> None:
    assert told(ServerState(up=True, at=1.0, pooler=True))["pooler"] == {(): 1.0}


def test_where_nobody_asks_there_is_none_of_it() -> None:
    assert told(None) == {}
