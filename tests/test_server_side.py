"""What is said of a hold's session on the server, and what is made of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pool_observer import (
    Activity,
    Blocker,
    Diagnosis,
    ExplainedHold,
    JoinedHold,
    Owner,
    ServerLimits,
    ServerSide,
    ServerState,
    Session,
    SessionState,
    Trouble,
)
from pool_observer.diagnosing import diagnose
from pool_observer.explaining import Explainer
from pool_observer.ledger import Ledger
from pool_observer.loops import LoopLag
from pool_observer.recording import fields_of_hold
from pool_observer.summary import details
from tests.holds import hold_of
from tests.support import FakeClock, named

CHAT = "POST /chat/{user}"


def session(state: SessionState = SessionState.ACTIVE, **more: Any) -> Session:
    fields: dict[str, Any] = {"pid": 4711, "owner": Owner.OURS, "state": state}
    return Session(**fields | {"state_seconds": 12.3} | more)


IDLE = session(SessionState.IDLE_IN_TRANSACTION, pid=4712, state_seconds=30.0)
CULPRIT = Blocker(4712, CHAT, IDLE)


def side(seconds_ago: float = 4.0, *, on: Session | None = None, **more: Any) -> ServerSide:
    return ServerSide(seconds_ago, JoinedHold(7, "POST /pay", on or session(), **more))


def locked(*blockers: Blocker, seconds_ago: float = 4.0) -> ServerSide:
    waiting = session(waits_for="Lock: tuple")
    return side(seconds_ago, on=waiting, blocked_by=blockers or (CULPRIT,))


@pytest.mark.parametrize(
    ("said", "text"),
    [
        (side(), "active for 12.3 s (4.0 s ago)"),
        (side(on=session(state_seconds=None)), "active (4.0 s ago)"),
        (
            side(on=session(transaction_seconds=40.0)),
            "active for 12.3 s, transaction open for 40.0 s (4.0 s ago)",
        ),
        # That it has been in a transaction just as long goes without saying.
        (side(on=session(transaction_seconds=12.4)), "active for 12.3 s (4.0 s ago)"),
        (
            side(on=session(waits_for="IO: DataFileRead")),
            "active for 12.3 s, waits for IO: DataFileRead (4.0 s ago)",
        ),
        (
            side(on=IDLE, blocks=1),
            "idle in transaction for 30.0 s, 1 session waits for its locks (4.0 s ago)",
        ),
        (
            side(on=IDLE, blocks=3),
            "idle in transaction for 30.0 s, 3 sessions wait for its locks (4.0 s ago)",
        ),
        (
            locked(),
            "active for 12.3 s, waits for Lock: tuple of POST /chat/{user} (process 4712, "
            "idle in transaction for 30.0 s) (4.0 s ago)",
        ),
    ],
)
def test_a_session_in_words(said: ServerSide, text: str) -> None:
    assert str(said) == text


@pytest.mark.parametrize(
    ("blockers", "text"),
    [
        ((Blocker(0),), "a prepared transaction"),
        ((Blocker(99),), "another client (process 99)"),
        (
            (Blocker(99, None, session(pid=99, user="ops", application="psql")),),
            "another client (process 99, ops, psql, active for 12.3 s)",
        ),
        (
            (CULPRIT, Blocker(0), Blocker(99)),
            "POST /chat/{user} (process 4712, idle in transaction for 30.0 s) and 2 more",
        ),
        ((Blocker(99, "evil\nname\x1b[2J"),), "evil\N{REPLACEMENT CHARACTER}name"),
    ],
)
def test_who_has_the_lock_in_words(blockers: tuple[Blocker, ...], text: str) -> None:
    said = locked(*blockers).blockers()
    assert said.startswith(text)
    assert said.isprintable()


# -- the diagnosis ----------------------------------------------------------------------------

WAITING = hold_of(Activity.EXECUTING, executing=12.0)


def test_a_statement_that_waits_for_a_lock_is_not_a_long_query() -> None:
    diagnosis = diagnose(WAITING, None, server=locked())
    assert diagnosis == Diagnosis(
        Trouble.LOCKED,
        "one statement for 12.0 s, waiting for a lock of POST /chat/{user} (process 4712, "
        "idle in transaction for 30.0 s), as of 4.0 s ago",
        "commit there before whatever it waits for: a lock lasts as long as its transaction",
    )


def test_of_a_culprit_at_work_it_is_not_said_that_it_waits_for_something_else() -> None:
    working = Blocker(4712, CHAT, session(pid=4712))
    for blocker in (working, Blocker(0), Blocker(99)):
        diagnosis = diagnose(WAITING, None, server=locked(blocker))
        assert diagnosis is not None
        assert diagnosis.mend.startswith("shorten the transaction that has the lock")


@pytest.mark.parametrize(
    ("hold", "server"),
    [
        pytest.param(WAITING, None, id="nobody asked the server"),
        pytest.param(WAITING, side(), id="nobody is in its way"),
        pytest.param(WAITING, locked(seconds_ago=12.1), id="that was another statement"),
    ],
)
def test_otherwise_it_is_a_long_query(hold: Any, server: ServerSide | None) -> None:
    diagnosis = diagnose(hold, None, server=server)
    assert diagnosis is not None
    assert diagnosis.kind is Trouble.LONG_QUERY


def test_what_waited_for_a_lock_and_goes_on_is_not_locked_any_more() -> None:
    hold = hold_of(Activity.IN_TRANSACTION, executing=20.0, in_transaction=5.0)
    diagnosis = diagnose(hold, None, server=locked(seconds_ago=6.0))
    assert diagnosis is not None
    assert diagnosis.kind is Trouble.IDLE_IN_TRANSACTION


# -- where it is said -------------------------------------------------------------------------


def explained(server: ServerSide | None) -> ExplainedHold:
    return ExplainedHold(7, WAITING, None, diagnose(WAITING, None, server=server), server)


def test_it_is_a_line_of_its_own_unless_the_diagnosis_has_said_it() -> None:
    assert "on the server active for 12.3 s (4.0 s ago)" in details(explained(side()))
    assert not any("on the server" in line for line in details(explained(locked())))
    assert not any("on the server" in line for line in details(explained(None)))


def test_it_is_in_the_fields_of_the_log() -> None:
    on = session(transaction_seconds=40.0, waits_for="Lock: tuple")
    fields = fields_of_hold(explained(side(on=on, blocked_by=(Blocker(0),))))
    assert {name: value for name, value in fields.items() if ".server" in name} == {
        "pool_observer.server_state": "active",
        "pool_observer.server_seconds_ago": 4.0,
    }
    assert fields["pool_observer.transaction_seconds"] == 40.0
    assert fields["pool_observer.waits_for"] == "Lock: tuple"
    assert fields["pool_observer.blocked_by"] == "a prepared transaction"
    without = fields_of_hold(explained(side()))
    assert not {"transaction_seconds", "waits_for", "blocked_by"} & {
        name.removeprefix("pool_observer.") for name in without
    }
    assert not any(".server" in name for name in fields_of_hold(explained(None)))


# -- whose it is ------------------------------------------------------------------------------


def test_only_the_hold_that_was_seen_has_a_server_side() -> None:
    clock = FakeClock(5)
    ledger = Ledger("orders", clock=clock)
    claim = ledger.wait_begins("me", named("POST /pay"))
    ledger.hold_begins(claim, "key", lambda: claim, backend_pid=4711)
    clock.advance(10)
    joined = JoinedHold(5, "POST /pay", session(), seen_ns=5 + 6_000_000_000)
    server = ServerState(up=True, holds=(joined,))
    loops = LoopLag(clock)

    def seen(server: ServerState | None) -> ServerSide | None:
        with Explainer(ledger, loops, [], clock(), server) as explainer:
            return explainer.explain(claim).server

    assert seen(server) == ServerSide(4.0, joined)
    assert seen(None) is None
    assert seen(replace(server, holds=())) is None
    assert seen(replace(server, holds=(replace(joined, key=6),))) is None
    other = replace(joined, session=session(pid=4710))
    assert seen(replace(server, holds=(other,))) is None
    # Who is to blame, and who was: one of its holds is over.
    blamed = replace(joined, blocked_by=(Blocker(1, "GET /a", key=5), Blocker(2, "GET /b", key=4)))
    side = seen(replace(server, holds=(blamed,)))
    assert side is not None
    assert [blocker.pid for blocker in side.joined.blocked_by] == [1]
    # Time is read before the server is asked, and by others: it is never in the future.
    ahead = replace(joined, seen_ns=clock() + 1)
    assert seen(replace(server, holds=(ahead,))) == ServerSide(0.0, ahead)


@pytest.mark.parametrize(
    ("limits", "usable"),
    [
        (ServerLimits(), None),
        (ServerLimits(100, 3), 97),
        (ServerLimits(100, 3, role=10), 10),
        (ServerLimits(100, 3, database=20), 20),
        (ServerLimits(100, 3, role=0, database=20), 0),
        (ServerLimits(role=10), 10),
    ],
)
def test_how_many_connections_are_to_be_had_at_best(
    limits: ServerLimits, usable: int | None
) -> None:
    assert limits.usable == usable
