"""Through a real PgBouncer: the PID that the driver knows is nobody's, so nothing is joined."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import text

from pool_observer import Owner, ServerProbe, ServerState, SessionState, observe
from tests.databases.case import Case
from tests.databases.drivers import ON_POSTGRESQL
from tests.pooled.through import through_pgbouncer

SETTINGS = text(
    "SELECT current_setting('statement_timeout'), current_setting('transaction_read_only'), "
    "current_setting('application_name')"
)


def until(case: Case, true: Callable[[ServerState], object], server_probe: ServerProbe) -> None:
    """See that it comes true of what the server says to such a probe, while connections are out."""
    case.observer.close()
    with (
        observe(case.engine, name="probed", server_probe=server_probe) as observer,
        case.engine.connect() as one,
        case.engine.connect() as two,
        case.engine.connect() as three,
    ):
        before = one.execute(SETTINGS).one()
        for connection in (one, two, three):
            connection.execute(text("SELECT 1"))

        def came_true() -> bool:
            server = observer.snapshot().server
            assert server is not None
            # What is not joined is counted nevertheless.
            counted = server.sessions.get((Owner.OURS, SessionState.IDLE_IN_TRANSACTION))
            return counted == 3 and bool(true(server))

        case.wait_until(came_true)
        server = observer.snapshot().server
        assert server is not None
        assert server.failures == 0
        assert server.holds == ()
        for connection in (one, two, three):
            connection.rollback()
            # The probe's server connection may be anybody's next.
            assert connection.execute(SETTINGS).one() == before
            connection.rollback()


@through_pgbouncer(*ON_POSTGRESQL)
def test_a_probe_that_goes_the_same_way_says_that_there_is_a_pooler(case: Case) -> None:
    until(case, lambda server: server.pooler, ServerProbe(interval=0.05))


@through_pgbouncer(*ON_POSTGRESQL)
def test_a_probe_that_goes_around_it_finds_out_as_well(case: Case) -> None:
    straight = super(type(case.server), case.server).url(case.driver)  # type: ignore[misc]
    until(case, lambda server: server.pooler, ServerProbe(straight, interval=0.05))
