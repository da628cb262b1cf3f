"""A MariaDB that is killed, or has no connection left: the probe recovers, and the application
notices no more of it than it would without."""

from __future__ import annotations

import gc
import os
import signal

import pytest
from sqlalchemy import text

from pool_observer import PoolObserver, ServerProbe, ServerState
from tests.databases.case import Case
from tests.databases.drivers import AIOMYSQL, PYMYSQL, Driver
from tests.databases.failures import assert_usable
from tests.probe.mysql.server import RestartableMariadb, account

DRIVERS = pytest.mark.parametrize("driver", [AIOMYSQL, PYMYSQL], ids=lambda driver: driver.name)
OFTEN = ServerProbe(interval=0.25, timeout=2)


def server_of(observer: PoolObserver) -> ServerState:
    server = observer.snapshot().server
    return ServerState(up=False) if server is None else server


# PyMySQL leaves a UNIX socket on which nobody answers to the garbage collector.
@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
@DRIVERS
def test_a_server_that_was_killed_is_asked_again(
    driver: Driver, own_mariadb: RestartableMariadb
) -> None:
    def body(case: Case) -> None:
        assert_usable(case.engine)
        case.wait_until(lambda: server_of(case.observer).up)
        own_mariadb.kill_all()
        case.wait_until(lambda: server_of(case.observer).failures >= 2)
        down = server_of(case.observer)
        assert not down.up
        assert down.holds == ()
        assert down.error is not None
        own_mariadb.start()
        assert_usable(case.engine)
        case.wait_until(lambda: server_of(case.observer).up)
        with case.engine.connect():
            case.wait_until(lambda: len(server_of(case.observer).holds) == 1)

    case = Case(driver, own_mariadb, {"pool_pre_ping": True})
    case.run(body, server_probe=OFTEN)
    gc.collect()


@DRIVERS
def test_a_server_that_hangs_is_given_up_and_asked_again(
    driver: Driver, own_mariadb: RestartableMariadb
) -> None:
    def body(case: Case) -> None:
        assert_usable(case.engine)
        case.wait_until(lambda: server_of(case.observer).up)
        # Frozen while it answers nobody: connecting again would be the driver's own affair.
        os.kill(own_mariadb.pid, signal.SIGSTOP)
        try:
            case.wait_until(lambda: server_of(case.observer).failures >= 1)
        finally:
            os.kill(own_mariadb.pid, signal.SIGCONT)
        case.wait_until(lambda: server_of(case.observer).up)

    impatient = ServerProbe(interval=0.25, timeout=0.2)
    Case(driver, own_mariadb, {}).run(body, server_probe=impatient)


@DRIVERS
def test_an_account_that_may_connect_no_more_is_not_joined_until_it_may(
    driver: Driver, own_mariadb: RestartableMariadb
) -> None:
    def body(case: Case) -> None:
        with case.engine.connect() as first:
            with case.engine.connect() as second:
                case.wait_until(lambda: server_of(case.observer).failures >= 1)
                assert not server_of(case.observer).up
                for connection in (first, second):
                    assert connection.scalar(text("SELECT 1")) == 1
                second.rollback()
                second.detach()
            case.wait_until(lambda: server_of(case.observer).up)
            assert server_of(case.observer).limits.role == 2
            assert len(server_of(case.observer).holds) == 1

    with account(own_mariadb, limit=2) as name:
        url = own_mariadb.url(driver).set(username=name)
        Case(driver, own_mariadb, {"url": url}).run(body, server_probe=OFTEN)
