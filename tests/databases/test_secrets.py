"""What must never be seen: passwords, the values of statements, and statements themselves."""

from __future__ import annotations

import logging
from collections.abc import Callable

import pytest
from sqlalchemy import bindparam, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError

from pool_observer import Listener, observe
from pool_observer.model import Hold
from tests.databases.case import Case
from tests.databases.drivers import MARIADB, WITH_A_SERVER, Driver
from tests.databases.on import on
from tests.databases.servers import Server, sync_of

PASSWORD = "pass-5c7a11"
USER = "user_90be42"
VALUE = "value-0f3d66"
STATEMENT = "column_b8817e"
SECRETS = (PASSWORD, USER, VALUE, STATEMENT)


class Failing(Listener):
    """Makes us log a traceback."""

    def hold_ended(self, hold: Hold) -> None:
        raise RuntimeError("this listener always fails")


def url_with_secrets(driver: Driver, server: Server) -> URL:
    if driver.backend is MARIADB:
        server.ask(f"CREATE USER IF NOT EXISTS {USER}@localhost IDENTIFIED BY '{PASSWORD}'")
        server.ask(f"GRANT ALL ON test.* TO {USER}@localhost")
    elif not server.ask("SELECT 1 FROM pg_roles WHERE rolname = :user", user=USER):
        server.ask(f"CREATE ROLE {USER} LOGIN PASSWORD '{PASSWORD}'")
    return server.url(driver).set(username=USER, password=PASSWORD)


def talk(case: Case, seen: list[str]) -> None:
    """Do what has secrets in it, and look at what we say, time and again."""

    def look() -> None:
        case.observer.deliver()
        seen.extend((repr(case.observer), repr(case.state()), case.observer.name))

    statement = text(f"SELECT :value AS {STATEMENT}").bindparams(bindparam("value", VALUE))
    case.observer.subscribe(Failing())
    case.failing = {"Failing.hold_ended"}
    with case.engine.connect() as connection:
        look()
        assert connection.execute(statement).scalar() == VALUE
        look()
        with pytest.raises(DBAPIError, match=STATEMENT):
            connection.execute(text(f"SELECT {STATEMENT} FROM nowhere WHERE 'x' = '{VALUE}'"))
        look()
        connection.rollback()
        assert len(connection.execute(statement.execution_options(yield_per=1)).all()) == 1
        look()
    look()
    seen.extend(repr(event) for event in case.listener.events)
    case.observer.close()
    seen.extend((repr(case.observer), repr(case.state())))


@pytest.mark.parametrize("driver", WITH_A_SERVER, ids=lambda driver: driver.name)
def test_no_secret_is_in_anything_we_say(
    driver: Driver,
    server_for: Callable[[Driver, bool], Server],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG, logger="pool_observer")
    server = server_for(driver, False)
    seen: list[str] = []
    case = Case(driver, server, {"url": url_with_secrets(driver, server)})
    case.run(lambda case: talk(case, seen), name=None)
    assert "Failing.hold_ended" in caplog.text  # so there was something to look at
    assert len(seen) > 10
    for secret in SECRETS:
        assert secret not in caplog.text
        assert [said for said in seen if secret in said] == []


@on(*WITH_A_SERVER)
def test_a_failure_to_log_in_is_not_repeated_by_us(case: Case) -> None:
    url = case.server.url(case.driver).set(username=USER + "x", password=PASSWORD + "x")
    engine = sync_of(case.bare(url=url))
    with observe(engine) as observer:
        with pytest.raises(Exception, match=USER):
            engine.connect()
        said = repr(observer), repr(observer.snapshot()), observer.name
    assert not any(secret in text for secret in SECRETS for text in said)
    assert observer.snapshot().waiting == 0
