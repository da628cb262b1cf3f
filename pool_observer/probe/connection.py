"""A connection to the server that is in nobody's pool, opened the way the engine opens its own.

Asynchronous drivers run in an event loop of ours, so that one of the application's that is
blocked does not keep us from looking. Only one thread at a time may use it.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, TypeVar

from sqlalchemy.engine import URL, Dialect, Engine, make_url

from pool_observer.hooks.drivers import pid_of
from pool_observer.probe.patience import PatientLoop, Waiting

T = TypeVar("T")

Connect = Callable[[], Any]


def as_the_engine_does(engine: Engine) -> tuple[Dialect, Connect]:
    """Connect as the engine's pool does: with its creator, its arguments and its tokens."""
    pool: Any = engine.pool
    # Not `pool._invoke_creator`, which is observed: what it opens is the pool's.
    create = pool._should_wrap_creator(pool._creator)
    return engine.dialect, lambda: create(None)


def to_url(url: str | URL) -> tuple[Dialect, Connect]:
    """Connect to a URL, as `create_engine(url)` would."""
    url = make_url(url)
    make_dialect: Any = url.get_dialect()
    dialect: Dialect = make_dialect(dbapi=make_dialect.import_dbapi())
    arguments, options = dialect.create_connect_args(url)
    return dialect, lambda: dialect.connect(*arguments, **options)


class OwnConnection:
    """A connection that is opened when it is needed, and again when it was lost."""

    def __init__(self, dialect: Dialect, connect: Connect, timeout: float) -> None:
        self._dialect = dialect
        self._connect = connect
        self._timeout = timeout
        self._connection: Any = None
        self._waiting = Waiting()
        self._loop: PatientLoop | None = None

    def ask(self, question: Callable[[Any], T]) -> tuple[T, int | None]:
        """Ask the server something, through a cursor. Beside the answer: our PID by the driver.

        Raises whatever goes wrong, and TimeoutError if that takes too long; the next one then
        begins with a new connection.
        """
        rested = self._connection is not None
        try:
            return self._ask(question)
        except Exception as error:
            # The server may have ended it since the last time, as it does with what is idle.
            if not rested or isinstance(error, TimeoutError):
                raise
        return self._ask(question)

    def _ask(self, question: Callable[[Any], T]) -> tuple[T, int | None]:
        try:
            if self._connection is None:
                self._connection = self._run(self._open, self._end)
            connection = self._connection
            return self._run(
                lambda: self._answer(connection, question), lambda _: self._end(connection)
            )
        except BaseException:
            if self._waiting.goes_on:  # whoever uses a connection is who closes it
                self.cut()
                self._connection = None
            else:
                self.close()
            raise

    def _open(self) -> Any:
        connection = self._connect()
        self._dialect.set_isolation_level(connection, "AUTOCOMMIT")
        return connection

    def _answer(self, connection: Any, question: Callable[[Any], T]) -> tuple[T, int | None]:
        cursor = connection.cursor()
        answer = question(cursor)
        cursor.close()
        driver_connection = self._dialect.get_driver_connection(connection)
        return answer, pid_of(self._dialect.driver, driver_connection)

    def _end(self, connection: Any) -> None:
        if connection is not None:
            self._dialect.do_terminate(connection)

    def close(self) -> None:
        """End the connection, whatever state it is in."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(Exception):  # it may be broken, which is why it is closed
                self._run(lambda: self._end(connection), lambda _: None)
        loop, self._loop = self._loop, None
        if loop is not None:
            loop.close()

    def cut(self) -> None:
        """Have whoever waits for the server on this connection wait no more. For any thread.

        Asyncio's wait by themselves for no longer than they are told to.
        """
        if self._dialect.is_async:
            return
        with suppress(Exception):  # closed, or not of those that tell
            theirs: Any = self._dialect.get_driver_connection(self._connection)
            # PyMySQL's connections do not tell, but what they are on does.
            descriptor = getattr(theirs, "_sock", theirs).fileno()
            with socket.socket(fileno=socket.dup(descriptor)) as copy:
                copy.shutdown(socket.SHUT_RDWR)

    def abandon(self) -> list[object]:
        """After a fork it is the parent's. What is returned must not be closed here."""
        theirs: list[object] = [self._connection, self._loop]
        self._connection = self._loop = None
        self._waiting = Waiting()
        return theirs

    def _run(self, work: Callable[[], T], too_late: Callable[[T | None], object]) -> T:
        """Do what may wait for the server."""
        if not self._dialect.is_async:
            return self._waiting.within(self._timeout, work, too_late)
        from sqlalchemy.util.concurrency import greenlet_spawn

        if self._loop is None:
            self._loop = PatientLoop()
        return self._loop.run_until_complete(_within(self._timeout, lambda: greenlet_spawn(work)))


async def _within(seconds: float, work: Callable[[], Awaitable[T]]) -> T:
    async with asyncio.timeout(seconds):
        return await work()
