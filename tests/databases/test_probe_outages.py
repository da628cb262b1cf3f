"""The server is killed, full, hangs or refuses: the probe recovers, nobody else ever knows."""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Callable
from contextlib import ExitStack, suppress
from typing import Any

from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

from pool_observer import Owner, PoolState, ServerProbe, ServerState, SessionState, observe
from tests.databases.case import Case
from tests.databases.drivers import ASYNCPG, ON_POSTGRESQL, PSYCOPG
from tests.databases.failures import assert_usable
from tests.databases.on import on
from tests.databases.servers import restarted_afterwards

OFTEN = ServerProbe(interval=0.05, timeout=30)
IMPATIENT = ServerProbe(interval=0.05, timeout=0.2)
PROBED: dict[str, Any] = {"server_probe": OFTEN}

OURS_IDLE = Owner.OURS, SessionState.IDLE


def until(case: Case, true: Callable[[ServerState], object]) -> ServerState:
    """What the server says once that is so."""
    seen: list[ServerState] = []

    def look() -> bool:
        state = case.state().server
        assert state is not None
        seen[:] = [state]
        return state.asked and bool(true(state))

    case.wait_until(look)
    return seen[0]


def states(state: PoolState) -> list[SessionState]:
    """What the server says of the holds."""
    assert state.server is not None
    return [held.session.state for held in state.server.holds]


def is_up(state: ServerState) -> bool:
    return state.up


def is_down(state: ServerState) -> bool:
    return not state.up


def probes(case: Case) -> list[int]:
    """The server processes that only a probe can be on."""
    return case.server.ask(
        "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' "
        "AND query IN ('COMMIT', 'commit') AND pid != pg_backend_pid()"
    )


def probe_of(case: Case) -> int:
    """The one that a probe is on, which is at work now and then."""
    seen: list[int] = []

    def look() -> bool:
        seen[:] = probes(case)
        return len(seen) == 1

    case.wait_until(look)
    return seen[0]


@on(*ON_POSTGRESQL, own_server=True, observing=PROBED)
def test_it_recovers_when_the_server_is_killed_and_comes_back(case: Case) -> None:
    with restarted_afterwards(case.server) as server:
        assert_usable(case.engine)
        before = until(case, is_up)
        server.postgres.stop()
        down = until(case, is_down)
        assert down.failures > before.failures
        assert down.limits == before.limits
        assert (down.sessions, down.holds) == ({}, ())
        server.postgres.start()
        case.engine.dispose()
        assert_usable(case.engine)
        assert until(case, is_up).failures >= down.failures


@on(ASYNCPG, PSYCOPG, own_server=True, observing=PROBED)
def test_it_keeps_its_seat_when_the_server_is_full(case: Case) -> None:
    assert_usable(case.engine)
    until(case, is_up)
    url = case.server.url(case.driver).set(drivername="postgresql+psycopg")
    visitors = create_engine(url, pool_size=200)
    with ExitStack() as stack:
        with suppress(OperationalError):
            for _ in range(200):
                stack.enter_context(visitors.connect())
        full = until(case, lambda state: state.total >= (state.limits.max_connections or 0) - 3)
    assert full.failures == 0
    visitors.dispose()
    until(case, lambda state: state.total < 10)
    assert case.state().server.failures == 0  # type: ignore[union-attr]


@on(*ON_POSTGRESQL, own_server=True)
def test_it_comes_in_when_a_full_server_has_room_again(case: Case) -> None:
    visitors = create_engine(
        case.server.url(case.driver).set(drivername="postgresql+psycopg", username="visitor"),
        pool_size=50,
        max_overflow=0,
    )
    case.server.ask("CREATE ROLE visitor LOGIN CONNECTION LIMIT 1")
    observer = observe(
        visitors, name="visitors", server_probe=OFTEN, registry=None, metrics_path=None
    )
    try:
        with visitors.connect():  # the only one that this role may have
            case.wait_until(lambda: bool(observer.snapshot().server.error))  # type: ignore[union-attr]
            server = observer.snapshot().server
            assert server is not None
            assert server.error == "OperationalError: it has no connection left"
        visitors.dispose()
        case.wait_until(lambda: observer.snapshot().server.up)  # type: ignore[union-attr]
        server = observer.snapshot().server
        assert server is not None
        assert server.limits.role == 1
        assert server.limits.usable == 1
    finally:
        observer.close()
        visitors.dispose()
        case.wait_until(lambda: not case.server.ask(SESSIONS_OF_VISITOR)[0])
        case.server.ask("DROP ROLE visitor")


SESSIONS_OF_VISITOR = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'visitor'"


@on(*ON_POSTGRESQL, own_server=True, observing={"server_probe": IMPATIENT})
def test_a_server_process_that_hangs_is_given_up_and_another_is_asked(case: Case) -> None:
    assert_usable(case.engine)
    until(case, is_up)
    hanging = probe_of(case)
    os.kill(hanging, signal.SIGSTOP)
    try:
        down = until(case, is_down)
        assert_usable(case.engine)  # meanwhile
        up = until(case, is_up)
        assert up.failures >= 1
        assert down.holds == ()
    finally:
        os.kill(hanging, signal.SIGCONT)
    case.wait_until(lambda: hanging not in probes(case))


@on(*ON_POSTGRESQL, own_server=True, observing=PROBED)
def test_nothing_is_left_on_the_server_nor_in_the_process(case: Case) -> None:
    assert_usable(case.engine)
    until(case, is_up)
    # Between two looks it is in no transaction.
    probe = probe_of(case)
    states = "SELECT state FROM pg_stat_activity WHERE pid = :pid"
    case.wait_until(lambda: case.server.ask(states, pid=probe) == ["idle"])
    case.observer.close()
    case.wait_until(lambda: not probes(case))


@on(*ON_POSTGRESQL, own_server=True)
def test_a_role_without_rights_sees_its_own_sessions_and_counts_the_others(case: Case) -> None:
    case.server.ask("CREATE ROLE modest LOGIN")
    url = case.server.url(case.driver).set(drivername="postgresql+psycopg", username="modest")
    modest = create_engine(url)
    observer = observe(modest, name="modest", server_probe=OFTEN, registry=None, metrics_path=None)
    try:
        with modest.connect() as connection, case.engine.connect():
            connection.execute(text("SELECT 1"))
            seen = [SessionState.IDLE_IN_TRANSACTION]
            case.wait_until(lambda: states(observer.snapshot()) == seen)
            server = observer.snapshot().server
            assert server is not None
            assert server.sessions[Owner.OTHERS, SessionState.UNKNOWN] >= 1
    finally:
        observer.close()
        modest.dispose()
        case.server.ask("DROP ROLE modest")


@on(*ON_POSTGRESQL, own_server=True)
def test_a_server_that_refuses_is_said_to_and_no_secret_is_told(case: Case) -> None:
    url = case.server.url(case.driver).set(username="nobody", password="hunter2")
    probe = ServerProbe(url, interval=0.05)
    logged: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: logged.append(record.getMessage())  # type: ignore[method-assign]
    logger = logging.getLogger("pool_observer")
    logger.addHandler(handler)
    twin = case.twin()
    try:
        with observe(twin, name="refused", server_probe=probe, registry=None) as observer:
            assert_usable(twin)
            case.wait_until(lambda: bool(observer.snapshot().server.error))  # type: ignore[union-attr]
            state = observer.snapshot()
    finally:
        logger.removeHandler(handler)
    assert state.server is not None
    assert (state.server.error or "").endswith(": it does not know this role, or refuses it")
    assert state.totals.internal_errors == {}
    assert any("did not answer the probe" in line for line in logged)
    for said in (repr(state), repr(probe), *logged):
        assert "hunter2" not in said
