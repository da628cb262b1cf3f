"""The ledger against a model of it, through whatever an application may do to a pool.

POOL_OBSERVER_STEPS=100000 pytest tests/test_state_machine.py    # random, for minutes
"""

from __future__ import annotations

import gc
import logging
import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import Connection, text
from sqlalchemy.exc import PendingRollbackError
from sqlalchemy.pool import (
    AssertionPool,
    NullPool,
    Pool,
    QueuePool,
    SingletonThreadPool,
    StaticPool,
)

from pool_observer import Activity, Ending, Outcome, Stage
from tests.pool_model import (
    ACQUIRING,
    CANCELS,
    ERROR,
    STATEMENT,
    Error,
    Fault,
    PoolModel,
    shape,
)
from tests.support import RecordingListener, observer_of

POOLS = (QueuePool, NullPool, AssertionPool, StaticPool, SingletonThreadPool)
STEPS = int(os.environ.get("POOL_OBSERVER_STEPS", "0"))
STEPS_A_RUN = 50
QUICK_RUNS = 90

ENGINES = ("plain", "options", "autocommit")

Rule = TypeVar("Rule", bound=Callable[..., None])

NUMBERS = st.integers(0, 11)
ERRORS = st.sampled_from((*[None] * 9, ERROR, *CANCELS))


def held_by(kind: type) -> Callable[[Rule], Rule]:
    """A rule that needs a connection that is out, and held in this way."""
    return precondition(lambda self: any(isinstance(u, kind) for o in self.out for u in o.users))


class PoolMachine(PoolModel, RuleBasedStateMachine):
    steps = 0

    @initialize(pre_ping=st.booleans())
    def an_engine_is_observed(self, pre_ping: bool) -> None:
        self.begin(pre_ping)
        self.an_observer_attaches("plain")

    # -- what applications do ----------------------------------------------------------------

    # Hypothesis leaves rules out at random, and in a pool that nobody uses nothing goes wrong.
    # So there are several rules that take a connection, and the others need one that is out.

    @rule(how=st.sampled_from(ENGINES))
    def somebody_connects(self, how: str) -> None:
        if how == "autocommit" and self.pool in (StaticPool, SingletonThreadPool):
            how = "plain"  # it would change for those who share the connection, too
        self.acquires(self.engines[how].connect)

    @rule()
    def somebody_takes_a_raw_connection(self) -> None:
        self.acquires(self.engine.raw_connection)

    @rule(how=st.sampled_from(ENGINES))
    def somebody_connects_and_begins(self, how: str) -> None:
        self.somebody_connects(how)
        if self.out and isinstance(self.out[-1].users[-1], Connection):
            out, connection = self.out[-1], self.out[-1].users[-1]
            self.does(out, lambda: connection.execute(text(STATEMENT)))

    @rule(fault=st.sampled_from(ACQUIRING))
    def somebody_asks_and_something_goes_wrong(self, fault: Fault) -> None:
        self.faults[fault[0]] = fault[1:]
        self.acquires(self.engine.connect)

    @held_by(Connection)
    @rule(numbers=st.lists(NUMBERS, min_size=1, max_size=3))
    def statements_are_executed(self, numbers: list[int]) -> None:
        for number in numbers:
            out, connection = self.pick(number, Connection)
            self.does(out, lambda: connection.execute(text(STATEMENT)))  # noqa: B023
            self.passes(1)

    @held_by(Connection)
    @rule(number=NUMBERS, error=ERRORS)
    def a_statement_is_executed(self, number: int, error: Error | None) -> None:
        out, connection = self.pick(number, Connection)
        if error is not None:
            self.faults[STATEMENT] = (error, 1)
        if self.does(out, lambda: connection.execute(text(STATEMENT))):
            self.is_closed_under_its_users(out)

    @held_by(Connection)
    @rule(number=NUMBERS, how=st.sampled_from(("commit", "rollback")), error=ERRORS)
    def a_transaction_ends(self, number: int, how: str, error: Error | None) -> None:
        out, connection = self.pick(number, Connection)
        if error is not None:
            self.faults[how] = (error, 1)
        if self.does(out, getattr(connection, how)):
            self.is_closed_under_its_users(out)

    @held_by(Connection)
    @rule(number=NUMBERS)
    def a_transaction_is_begun(self, number: int) -> None:
        out, connection = self.pick(number, Connection)
        if not connection.in_transaction():
            self.does(out, connection.begin)

    @held_by(object)
    @rule(number=NUMBERS)
    def somebody_works_behind_the_back_of_the_dialect(self, number: int) -> None:
        _, user = self.pick(number)
        proxy = user.connection if isinstance(user, Connection) else user
        proxy.cursor().execute(STATEMENT)

    @held_by(object)
    @rule(number=NUMBERS, error=ERRORS, twice=st.booleans())
    def a_connection_is_returned(self, number: int, error: Error | None, twice: bool) -> None:
        out, user = self.pick(number)
        out.users.remove(user)
        out.unclosed -= 1
        if out.unclosed and out.users:
            self.does(out, user.close)
            return
        ending = Ending.LOST if out.unclosed else Ending.CHECKIN
        if error is not None and ending is Ending.CHECKIN and self.pool is not StaticPool:
            # Then the pool's own reset fails as well: it closes first and checks in then.
            # (Where proxies share a record, that makes SQLAlchemy check it in twice.)
            self.faults["rollback"] = (error, 2)
        mine = [user]
        del user

        def give_back() -> None:
            mine[0].close()
            if ending is Ending.LOST:  # closed, but not as often as it was handed out
                mine.clear()

        self.does(out, give_back, None if self.faults else ending)
        if mine and isinstance(mine[0], Connection) and not mine[0].closed:
            if not mine[0].invalidated:
                # SQLAlchemy 2.0 keeps a connection out whose rollback fails as it is closed.
                out.users += mine
                out.unclosed += 1
                return
        elif mine and twice:
            mine[0].close()
        if out in self.out:
            self.ends(out, ending)

    @held_by(object)
    @rule(number=NUMBERS)
    def the_last_reference_is_dropped(self, number: int) -> None:
        out, user = self.pick(number)
        mine = [user]
        out.users.remove(user)
        del user

        def drop() -> None:
            if not out.users and self.pool is StaticPool:
                # Its proxy gone, nothing tells this hold from others on the connection.
                self.ends(out, Ending.LOST)
                self.busy = None
            mine.clear()
            gc.collect()

        self.does(out, drop, None if out.users else Ending.LOST)
        if not out.users and out in self.out:
            self.ends(out, Ending.LOST)

    @held_by(object)
    @rule(number=NUMBERS)
    def a_connection_is_detached(self, number: int) -> None:
        out, user = self.pick(number)
        user.detach()
        self.ends(out, Ending.DETACHED)
        self.detached += out.users

    @precondition(lambda self: self.detached)
    @rule(returned=st.booleans())
    def a_detached_connection_is_used_for_the_last_time(self, returned: bool) -> None:
        user = self.detached.pop()
        if isinstance(user, Connection):
            with suppress(PendingRollbackError):
                user.execute(text(STATEMENT))
        if returned:
            user.close()

    @held_by(object)
    @rule(number=NUMBERS, soft=st.booleans(), again=st.booleans())
    def a_connection_is_invalidated(self, number: int, soft: bool, again: bool) -> None:
        out, user = self.pick(number)
        if soft:
            (user.connection if isinstance(user, Connection) else user).invalidate(soft=True)
            return
        user.invalidate()
        if again and isinstance(user, Connection) and out.users == [user]:
            self.ends(out, Ending.CHECKIN)
            user.rollback()
            if not self.acquires(lambda: user.connection and user):
                user.close()
        else:
            self.is_closed_under_its_users(out)

    @held_by(object)
    @rule(close=st.booleans())
    def the_pool_is_disposed_of(self, close: bool) -> None:
        # AssertionPool forgets that its connection is out, and raises when it comes back.
        self.engine.dispose(close=close and not (self.pool is AssertionPool and self.out))

    @held_by(object)
    @rule(nanoseconds=st.integers(1, 1000))
    def time_passes(self, nanoseconds: int) -> None:
        self.passes(nanoseconds)

    @held_by(object)
    @precondition(lambda self: self.observer is not None)
    @rule(at_once=st.booleans())
    def the_observer_is_closed(self, at_once: bool) -> None:
        assert self.observer is not None
        self.observer.close()
        self.observer = None
        for out in self.out:
            out.seen = False
        assert not {"connect", "recreate"} & vars(self.engine.pool).keys()
        if at_once:
            self.an_observer_attaches("plain")

    @precondition(lambda self: self.observer is None)
    @rule(how=st.sampled_from(ENGINES))
    def an_observer_attaches(self, how: str) -> None:
        self.waits: Counter[Outcome] = Counter()
        self.waited_for: Counter[Stage] = Counter()
        self.spent: Counter[Activity] = Counter()
        self.endings: Counter[Ending] = Counter()
        self.ended: list[tuple[object, ...]] = []
        self.opened = 0
        self.observer = observer_of(self.engines[how], clock=self.clock)
        self.listener = RecordingListener()
        self.observer.subscribe(self.listener)

    # -- what must be true after each of these -----------------------------------------------

    @invariant()
    def the_ledger_agrees_with_the_model(self) -> None:
        type(self).steps += 1
        if self.observer is None:
            return
        seen = [out for out in self.out if out.seen]
        state = self.observer.snapshot()
        assert sorted(map(shape, state.open_holds)) == sorted(map(shape, seen))
        assert state.waiting == 0
        assert state.drift == (0 if self.pool is QueuePool else None)
        unseen = sum(not out.seen and out.pool is self.engine.pool for out in self.out)
        assert state.unseen == (unseen if self.pool is QueuePool else 0)

        totals = state.totals
        assert (totals.internal_errors, totals.dropped_events) == ({}, 0)
        assert totals.connections_opened == self.opened
        holders = totals.holders.values()
        endings = {ending: sum(holder.returns[ending] for holder in holders) for ending in Ending}
        assert endings == {ending: self.endings[ending] for ending in Ending}
        assert sum(holder.checkouts for holder in holders) == sum(endings.values()) + len(seen)
        for activity in Activity:
            assert sum(h.activity_ns[activity] for h in holders) == self.spent[activity]
        for outcome in Outcome:
            assert sum(h.waits[outcome] for h in holders) == self.waits[outcome]
        assert sum(h.queue_ns for h in holders) == self.waited_for[Stage.QUEUE]
        assert sum(h.connect_ns for h in holders) == self.waited_for[Stage.CONNECT]
        assert sum(h.ping_ns for h in holders) == self.waited_for[Stage.PING]

        still_out = sum(hold.duration_ns for hold in state.open_holds)
        assert sum(h.use_time.count for h in holders) == sum(endings.values())
        assert sum(h.use_time.sum_ns for h in holders) + still_out == sum(self.spent.values())
        assert sum(h.wait_time.count for h in holders) == sum(self.waits.values())
        assert sum(h.wait_time.sum_ns for h in holders) == sum(self.waited_for.values())
        assert totals.create_time.count == self.opened

        self.observer.deliver()
        assert sorted(map(shape, self.listener.holds)) == sorted(self.ended)
        self.listener.events.clear()
        self.ended.clear()

    def teardown(self) -> None:
        if self.observer is not None:
            self.observer.close()
        self.database.work = lambda _: None
        for user in (*self.detached, *(user for out in self.out for user in out.users)):
            user.close()


@pytest.fixture(autouse=True)
def cheap_and_quiet() -> Iterator[None]:
    """Collecting garbage costs what we left behind; and the pool logs every failed reset."""
    logger = logging.getLogger("sqlalchemy.pool")
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()
    logger.setLevel(level)


@pytest.mark.parametrize("pool", POOLS)
def test_the_ledger_agrees_with_the_model(pool: type[Pool]) -> None:
    class Machine(PoolMachine):
        pass

    Machine.pool = pool
    run_state_machine_as_test(
        Machine,
        settings=settings(
            report_multiple_bugs=False,
            max_examples=STEPS // STEPS_A_RUN // len(POOLS) or QUICK_RUNS,
            stateful_step_count=STEPS_A_RUN,
            derandomize=not STEPS,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    print(f"{pool.__name__}: {Machine.steps} steps")
