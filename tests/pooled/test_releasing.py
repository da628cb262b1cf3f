"""What an open transaction across an await costs, by PgBouncer's figures and by ours.

The time that holds spend in transaction is the time for which they need a server connection.
"""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from pool_observer.model import Activity, Ending
from tests.conftest import Observe
from tests.databases.drivers import ASYNCPG, PSYCOPG_ASYNC, Driver
from tests.pgbouncer import PgBouncer, Pool
from tests.pooled.crowd import crowd
from tests.pooled.service import HELD, KEPT, RELEASED, holder_of

EXECUTING, IN_TRANSACTION, IDLE = Activity.EXECUTING, Activity.IN_TRANSACTION, Activity.IDLE

CLIENTS, SERVERS = 6, 2

on_both = pytest.mark.parametrize("driver", [ASYNCPG, PSYCOPG_ASYNC], ids=str)


@on_both
def test_a_transaction_across_an_await_takes_the_server_from_all_others(
    pgbouncer: PgBouncer, observed: Observe, driver: Driver
) -> None:
    async def main() -> None:
        pgbouncer.set("default_pool_size", SERVERS)
        async with crowd(pgbouncer, driver, observed, pool_size=CLIENTS) as clients:
            clients.comes(HELD, CLIENTS)
            await clients.until(lambda: pgbouncer.pool().cl_waiting == CLIENTS - SERVERS)
            await clients.until(lambda: clients.model.asked == SERVERS)
            assert pgbouncer.pool().sv_active == SERVERS
            assert clients.holding() == {
                (holder_of(HELD), IN_TRANSACTION): SERVERS,
                (holder_of(HELD), EXECUTING): CLIENTS - SERVERS,
            }
            assert clients.observer.snapshot().waiting == 0

    asyncio.run(main())


@on_both
@pytest.mark.parametrize(
    ("path", "holding"),
    [(KEPT, {(holder_of(KEPT), IDLE): CLIENTS}), (RELEASED, {})],
    ids=["connection kept", "connection returned"],
)
def test_a_commit_before_the_await_takes_no_server_from_anybody(
    pgbouncer: PgBouncer,
    observed: Observe,
    driver: Driver,
    path: str,
    holding: dict[tuple[str, Activity], int],
) -> None:
    async def main() -> None:
        pgbouncer.set("default_pool_size", SERVERS)
        async with crowd(pgbouncer, driver, observed, pool_size=CLIENTS) as clients:
            clients.comes(path, CLIENTS)
            await clients.until(lambda: clients.model.asked == CLIENTS)
            pool = pgbouncer.pool()
            assert (pool.cl_active, pool.cl_waiting, pool.sv_active) == (CLIENTS, 0, 0)
            assert clients.holding() == holding

    asyncio.run(main())


@on_both
@pytest.mark.parametrize(
    ("held", "kept", "released"), [(0, 3, 3), (1, 0, 5), (3, 2, 1), (4, 4, 4), (6, 0, 0)]
)
def test_as_many_servers_are_active_as_holds_are_in_transaction(
    pgbouncer: PgBouncer, observed: Observe, driver: Driver, held: int, kept: int, released: int
) -> None:
    async def main() -> None:
        everybody = held + kept + released
        async with crowd(pgbouncer, driver, observed, pool_size=everybody) as clients:
            for path, number in ((HELD, held), (KEPT, kept), (RELEASED, released)):
                clients.comes(path, number)
            await clients.until(lambda: clients.model.asked == everybody)
            assert +clients.holding() == +Counter(
                {(holder_of(HELD), IN_TRANSACTION): held, (holder_of(KEPT), IDLE): kept}
            )
            assert pgbouncer.pool().sv_active == held
            assert pgbouncer.pool().cl_waiting == 0

    asyncio.run(main())


@on_both
def test_where_our_pool_is_no_larger_the_queue_is_ours(
    pgbouncer: PgBouncer, observed: Observe, driver: Driver
) -> None:
    async def main() -> None:
        async with crowd(pgbouncer, driver, observed, pool_size=SERVERS) as clients:
            clients.comes(HELD, CLIENTS)
            await clients.until(lambda: clients.model.asked == SERVERS)
            state = clients.observer.snapshot()
            assert (state.used, state.waiting) == (SERVERS, CLIENTS - SERVERS)
            assert clients.holding() == {(holder_of(HELD), IN_TRANSACTION): SERVERS}
            assert pgbouncer.pool() == Pool(cl_active=SERVERS, sv_active=SERVERS)

    asyncio.run(main())


@on_both
def test_with_the_connection_returned_two_of_them_serve_all(
    pgbouncer: PgBouncer, observed: Observe, driver: Driver
) -> None:
    async def main() -> None:
        pgbouncer.set("default_pool_size", SERVERS)
        async with crowd(pgbouncer, driver, observed, pool_size=SERVERS) as clients:
            clients.comes(RELEASED, 5 * CLIENTS)
            await clients.until(lambda: clients.model.asked == 5 * CLIENTS)
            state = clients.observer.snapshot()
            assert (state.used, state.waiting) == (0, 0)
            assert (pgbouncer.pool().sv_active, pgbouncer.pool().cl_waiting) == (0, 0)

    asyncio.run(main())


@on_both
def test_at_the_end_every_request_is_accounted_for(
    pgbouncer: PgBouncer, observed: Observe, driver: Driver
) -> None:
    async def main() -> None:
        pgbouncer.set("default_pool_size", SERVERS)
        async with crowd(pgbouncer, driver, observed, pool_size=CLIENTS) as clients:
            for path in (RELEASED, KEPT, HELD):
                clients.comes(path, 2)
            await clients.until(lambda: clients.model.asked == CLIENTS)
        state = clients.observer.snapshot()
        assert (state.used, state.waiting, state.drift) == (0, 0, 0)
        assert state.totals.internal_errors == {}
        times = {holder_of(HELD): 2, holder_of(KEPT): 2, holder_of(RELEASED): 4}
        for holder, expected in times.items():
            tally = state.totals.holders[holder]
            holds = [hold for hold in clients.listener.holds if hold.holder == holder]
            assert tally.checkouts == tally.returns[Ending.CHECKIN] == len(holds) == expected
            assert tally.activity_ns == {
                EXECUTING: sum(hold.executing_ns for hold in holds),
                IN_TRANSACTION: sum(hold.in_transaction_ns for hold in holds),
                IDLE: sum(hold.idle_ns for hold in holds),
            }
            assert sum(tally.activity_ns.values()) == sum(hold.duration_ns for hold in holds)

    asyncio.run(main())
