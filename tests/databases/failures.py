"""What an application is told when its statement fails, in a form that can be compared."""

from __future__ import annotations

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from tests.databases.case import Case

Failure = tuple[type, type, bool, bool]


def failure_of(connection: Connection, statement: str = "SELECT 1") -> Failure:
    """How a statement fails that must."""
    try:
        connection.execute(text(statement))
    except DBAPIError as error:
        return described(error, connection)
    raise AssertionError("the statement should have failed")


def described(error: BaseException | None, connection: Connection) -> Failure:
    assert isinstance(error, DBAPIError)
    return type(error), type(error.orig), error.connection_invalidated, connection.invalidated


def pid_of(connection: Connection, case: Case) -> int:
    pid = connection.scalar(text(case.driver.backend.own_id))
    assert isinstance(pid, int)
    connection.rollback()
    return pid


def assert_usable(engine: Engine) -> None:
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT 1")) == 1
