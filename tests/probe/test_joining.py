"""Which session is whose: only what was held all the while is said to be anybody's."""

from __future__ import annotations

import pytest

from pool_observer.probe.joining import MOST_BLOCKERS, Backends, Joined, Joining
from pool_observer.probe.reading import Reading
from pool_observer.server import Blocker, Owner, SessionState
from tests.probe.rows import PROBE, reading, row

IDLE = SessionState.IDLE_IN_TRANSACTION
CHAT, REPORT = (7_000, "POST /chat"), (8_000, "GET /report")
NOW = 42_000_000_000


def join(said: Reading, before: Backends, after: Backends | None = None) -> Joined:
    joining = Joining(same_way=True)
    return joining.join(said, PROBE, before, before if after is None else after, NOW)


def test_a_session_is_joined_with_the_hold_of_its_pid() -> None:
    (held,) = join(reading(row(10, IDLE, transaction_seconds=5.0)), {10: CHAT}).holds
    assert (held.key, held.holder, held.seen_ns) == (7_000, "POST /chat", NOW)
    assert (held.session.pid, held.session.state) == (10, IDLE)
    assert held.session.transaction_seconds == 5.0


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param({10: CHAT}, {}, id="returned meanwhile"),
        pytest.param({}, {10: CHAT}, id="taken meanwhile"),
        pytest.param({10: CHAT}, {10: REPORT}, id="in other hands by now"),
        pytest.param({10: CHAT}, {10: (7_001, "POST /chat")}, id="taken by the same again"),
    ],
)
def test_what_changed_hands_while_the_server_was_asked_is_nobodys(
    before: Backends, after: Backends
) -> None:
    assert join(reading(row(10)), before, after).holds == ()


def test_a_hold_whose_session_the_server_has_ended_is_not_joined() -> None:
    assert join(reading(), {10: CHAT}).holds == ()


def test_whoever_has_the_lock_is_named_by_its_route() -> None:
    said = reading(row(10, IDLE), row(11, waits_for="Lock: tuple", blocked_by=(10,)))
    chat, report = join(said, {10: CHAT, 11: REPORT}).holds
    assert (chat.blocks, report.blocks) == (1, 0)
    assert report.blocked_by == (Blocker(10, "POST /chat", chat.session, 7_000),)
    assert chat.blocked_by == ()


def test_somebody_else_who_has_the_lock_is_named_by_what_the_server_knows() -> None:
    said = reading(row(10, IDLE, user="psql", application="a migration"), row(11, blocked_by=(10,)))
    (report,) = join(said, {11: REPORT}).holds
    (blocker,) = report.blocked_by
    assert blocker.holder is None
    assert blocker.session is not None
    assert (blocker.session.user, blocker.session.application) == ("psql", "a migration")


def test_a_prepared_transaction_that_has_the_lock_has_no_session() -> None:
    (report,) = join(reading(row(11, blocked_by=(0,))), {11: REPORT}).holds
    assert report.blocked_by == (Blocker(0),)


def test_a_session_that_blocks_two_is_counted_with_both_and_once_for_each() -> None:
    said = reading(row(10), row(11, blocked_by=(10, 10)), row(12, blocked_by=(10,)))
    chat, _ = join(said, {10: CHAT, 11: REPORT}).holds
    assert chat.blocks == 2


def test_of_a_crowd_that_shares_a_lock_the_first_are_named() -> None:
    crowd = tuple(range(100, 100 + 2 * MOST_BLOCKERS))
    (report,) = join(reading(row(11, blocked_by=crowd)), {11: REPORT}).holds
    assert [blocker.pid for blocker in report.blocked_by] == list(crowd[:MOST_BLOCKERS])


def test_in_a_queue_for_a_row_everybody_names_who_has_it_and_not_who_waits_as_well() -> None:
    # As PostgreSQL tells it: each is blocked by the holder of the lock and by all before it.
    said = reading(
        row(10, IDLE),
        row(11, blocked_by=(10,)),
        row(12, blocked_by=(11, 10)),
        row(13, blocked_by=(11, 12, 10)),
        row(14, blocked_by=(13,)),
    )
    held = {pid: (pid, f"GET /{pid}") for pid in (10, 11, 12, 13, 14)}
    first, *others = join(said, held).holds
    assert first.blocks == 4
    for other in others:
        assert [blocker.pid for blocker in other.blocked_by] == [10]
        assert other.blocks == 0


def test_those_who_wait_for_each_other_name_each_other() -> None:
    said = reading(row(10, blocked_by=(11,)), row(11, blocked_by=(10,)))
    one, other = join(said, {10: CHAT, 11: REPORT}).holds
    assert [blocker.pid for blocker in one.blocked_by] == [11]
    assert [blocker.pid for blocker in other.blocked_by] == [10]
    assert (one.blocks, other.blocks) == (1, 1)


# -- a PID that is somebody else's by now -----------------------------------------------------


@pytest.mark.parametrize(
    ("age", "is_joined"), [(None, True), (42.0, True), (41.5, True), (40.0, False), (0.0, False)]
)
def test_a_session_that_is_younger_than_the_hold_is_another_clients(
    age: float | None, is_joined: bool
) -> None:
    assert bool(join(reading(row(10, age_seconds=age)), {10: (0, "GET /")}).holds) is is_joined


def test_a_session_of_another_account_is_another_clients_and_never_ours() -> None:
    joined = join(reading(row(10, user="visitor")), {10: CHAT})
    assert joined.holds == ()
    assert joined.sessions[Owner.OTHERS, SessionState.ACTIVE] == 1


def test_a_driver_that_does_not_tell_its_pid_does_not_make_the_account_anothers() -> None:
    joined = Joining(same_way=True).join(reading(row(10)), None, {}, {}, 0)
    assert joined.sessions[Owner.OURS, SessionState.ACTIVE] == 1


# -- whose sessions there are -----------------------------------------------------------------


def test_sessions_are_ours_by_role_and_database() -> None:
    said = reading(
        row(10),
        row(11, SessionState.IDLE),
        row(12, database="other"),
        row(13, user="other"),
        row(14, SessionState.UNKNOWN, user="other"),
    )
    counts = join(said, {}).sessions
    assert {key: count for key, count in counts.items() if count} == {
        (Owner.OURS, SessionState.ACTIVE): 1,
        (Owner.OURS, SessionState.IDLE): 2,  # the probe is one of them, but for now
        (Owner.OTHERS, SessionState.ACTIVE): 2,
        (Owner.OTHERS, SessionState.UNKNOWN): 1,
    }
    assert counts.keys() == {(owner, state) for owner in Owner for state in SessionState}


def test_a_probe_with_a_role_of_its_own_learns_ours_from_what_is_held() -> None:
    joining = Joining(same_way=False)
    said = Reading(PROBE, (row(PROBE, user="monitor"), row(10), row(11)), reading().limits)
    joined = joining.join(said, None, {10: CHAT}, {10: CHAT}, 0)
    assert joined.sessions[Owner.OURS, SessionState.ACTIVE] == 2
    assert joined.sessions[Owner.OURS, SessionState.IDLE] == 1
    # And it remembers them when nothing is held.
    assert joining.join(said, None, {}, {}, 0).sessions == joined.sessions


def test_the_oldest_transactions_are_told_apart_by_owner() -> None:
    said = reading(
        row(10, transaction_seconds=3.0),
        row(11, transaction_seconds=5.0),
        row(12, user="other", transaction_seconds=9.0),
    )
    assert join(said, {}).longest_transaction == {Owner.OURS: 5.0, Owner.OTHERS: 9.0}
    assert join(reading(), {}).longest_transaction == {Owner.OURS: 0.0, Owner.OTHERS: 0.0}


def test_the_probes_own_transaction_is_not_counted() -> None:
    said = Reading(PROBE, (row(PROBE, transaction_seconds=9.0),), reading().limits)
    assert join(said, {}).longest_transaction[Owner.OURS] == 0.0


# -- poolers ----------------------------------------------------------------------------------


def test_a_driver_that_knows_another_pid_is_behind_a_pooler_and_nothing_is_joined() -> None:
    # The PID that the pooler has made up may be that of a session of somebody else.
    joined = Joining(same_way=True).join(reading(row(10)), PROBE + 1, {10: CHAT}, {10: CHAT}, 0)
    assert joined.pooler
    assert joined.holds == ()
    assert joined.sessions[Owner.OURS, SessionState.ACTIVE] == 1


def test_a_driver_that_knows_the_same_pid_is_not_behind_a_pooler_whatever_is_missing() -> None:
    held = {pid: (pid, "GET /") for pid in range(10, 20)}
    assert not join(reading(), held).pooler


def test_a_probe_that_goes_around_the_pooler_finds_out_that_no_backend_is_known() -> None:
    joining = Joining(same_way=False)
    for pid, suspected in ((10, False), (10, False), (11, False), (12, True), (13, True)):
        held = {pid: (pid, "GET /")}
        assert joining.join(reading(), 99, held, held, 0).pooler is suspected


def test_backends_that_were_ended_are_no_pooler_where_others_are_known() -> None:
    joining = Joining(same_way=False)
    joining.join(reading(row(9)), None, {9: CHAT}, {9: CHAT}, 0)
    held = {pid: (pid, "GET /") for pid in range(10, 20)}
    assert not joining.join(reading(), None, held, held, 0).pooler
