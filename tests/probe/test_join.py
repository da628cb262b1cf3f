"""On a real PostgreSQL: whose sessions are idle in transaction, blocked, and in long statements."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from prometheus_client import generate_latest
from sqlalchemy import Engine, text
from sqlalchemy.ext.asyncio import create_async_engine

from pool_observer import Owner, SessionState, Trouble
from pool_observer.page.document import document
from pool_observer.page.history import History
from tests.postgres import Postgres
from tests.probe.story import ASYNC_DRIVERS, CHAT, PAY, REPORT, SYNC_DRIVERS, purses, states, told


@pytest.fixture
def admin(postgres: Postgres) -> Iterator[Engine]:
    with purses(postgres) as engine:
        yield engine


@pytest.mark.parametrize("driver", [*ASYNC_DRIVERS, *SYNC_DRIVERS])
def test_each_session_has_its_route_and_the_one_that_is_blocked_names_the_culprit(
    driver: str, postgres: Postgres, admin: Engine
) -> None:
    async def main() -> None:
        async with told(driver, postgres, admin) as story:
            state = await story.until_all_three_are_seen()
            assert states(state) == {
                CHAT: "idle_in_transaction",
                PAY: "active",
                REPORT: "active",
            }
            held = {hold.holder: hold for hold in state.holds}
            (culprit,) = held[PAY].blocked_by
            assert culprit.holder == CHAT
            assert culprit.session == held[CHAT].session
            assert (held[PAY].session.waits_for or "").startswith("Lock: ")
            assert (held[CHAT].blocks, held[PAY].blocks, held[REPORT].blocks) == (1, 0, 0)
            assert held[CHAT].blocked_by == held[REPORT].blocked_by == ()
            assert held[REPORT].session.waits_for == "Timeout: PgSleep"
            assert held[CHAT].session.waits_for is None  # but for its client
            for hold in state.holds:
                assert (hold.session.transaction_seconds or 0) > 0
            holds = story.observer.snapshot().open_holds
            pids = {hold.holder: hold.backend_pid for hold in holds}
            assert pids == {holder: hold.session.pid for holder, hold in held.items()}

    asyncio.run(main())


def test_of_a_crowd_that_wants_the_same_row_everybody_names_who_has_it(
    postgres: Postgres, admin: Engine
) -> None:
    async def main() -> None:
        async with told("asyncpg", postgres, admin) as story:
            story.ask(CHAT)
            await story.until(lambda state: states(state).get(CHAT) == "idle_in_transaction")
            for _ in range(4):
                story.ask(PAY)
            state = await story.until(
                lambda state: sum(bool(hold.blocked_by) for hold in state.holds) == 4
            )
            for hold in state.holds:
                blamed = [blocker.holder for blocker in hold.blocked_by]
                assert (blamed, hold.blocks) == (([], 4) if hold.holder == CHAT else ([CHAT], 0))

    asyncio.run(main())


def test_it_is_said_wherever_somebody_looks(postgres: Postgres, admin: Engine) -> None:
    async def main() -> None:
        async with told("asyncpg", postgres, admin) as story:
            await story.until_all_three_are_seen()
            observer = story.observer

            def explained() -> bool:
                held = {each.hold.holder: each for each in observer.explain().holds}
                diagnosis = held[PAY].diagnosis
                return diagnosis is not None and diagnosis.kind is Trouble.LOCKED

            # A statement is a trouble once it has lasted for a while.
            while not explained():
                await asyncio.sleep(0.01)
            told_text = str(observer.explain())
            assert f"waiting for a lock of {CHAT} (process " in told_text
            assert "idle in transaction for " in told_text
            assert "1 session waits for its locks" in told_text
            assert "waits for Timeout: PgSleep" in told_text

            (pool,) = document([(observer, History())])["pools"]
            assert pool["server"]["up"] is True
            assert pool["server"]["max_connections"] == 100
            sides = {hold["holder"]: hold["server"] for hold in pool["holds"]}
            assert [each["holder"] for each in sides[PAY]["blocked_by"]] == [CHAT]
            assert sides[CHAT]["blocks"] == 1

            lines = generate_latest(story.registry).decode().splitlines()
            label = 'db_client_connection_pool_name="orders"'
            for line in (
                f'holder_sessions{{{label},holder="{CHAT}",state="idle_in_transaction"}} 1.0',
                f'holder_sessions{{{label},holder="{PAY}",state="active"}} 1.0',
                f'holder_blocked{{{label},holder="{PAY}"}} 1.0',
                f'holder_blocks{{{label},holder="{CHAT}"}} 1.0',
                f"max_connections{{{label}}} 100.0",
                f"reserved_connections{{{label}}} 3.0",
                f"up{{{label}}} 1.0",
                f"pooler{{{label}}} 0.0",
                f"probe_failures_total{{{label}}} 0.0",
            ):
                assert f"pool_observer_server_{line}" in lines

    asyncio.run(main())


def test_an_overdue_hold_is_reported_with_what_the_server_says(
    postgres: Postgres, admin: Engine
) -> None:
    async def main() -> None:
        async with told("asyncpg", postgres, admin, leak_after=3) as story:
            await story.until_all_three_are_seen()
            while len(story.observer.incidents()) < 3:
                await asyncio.sleep(0.01)
            said = {each.holder: each.text for each in story.observer.incidents()}
            assert f"waiting for a lock of {CHAT} (process " in said[PAY]
            assert "on the server idle in transaction for " in said[CHAT]
            assert "1 session waits for its locks" in said[CHAT]

    asyncio.run(main())


def test_sessions_of_other_roles_are_others(postgres: Postgres, admin: Engine) -> None:
    async def main() -> None:
        with admin.connect() as connection:
            connection.execute(text("CREATE ROLE visitor LOGIN"))
        try:
            visitor = create_async_engine(postgres.url("asyncpg").set(username="visitor"))
            key = Owner.OTHERS, SessionState.IDLE
            async with told("asyncpg", postgres, admin) as story:
                story.ask(CHAT)
                await story.until(lambda state: state.up and state.sessions[key] == 0)
                async with visitor.connect():
                    await story.until(lambda state: state.sessions[key] == 1)
                await visitor.dispose()
                await story.until(lambda state: state.sessions[key] == 0)
        finally:
            with admin.connect() as connection:
                connection.execute(text("DROP ROLE visitor"))

    asyncio.run(main())
