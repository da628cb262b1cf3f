"""A connection to the server that is in nobody's pool, opened the way the engine opens its own.

Asynchronous drivers run in an event loop of ours, so that one of the application's that is
blocked does not keep us from looking. Only one thread at a time may use it.
"""

from __future__ import annotations

import asyncio
import selectors
import socket
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, TypeVar

from sqlalchemy.engine import URL, Dialect, Engine, make_url

from pool_observer.hooks.drivers import pid_of

T = TypeVar("T")

Connect = Callable[[], Any]


def as_the_engine_does(engine: Engine) -> tuple[Dialect, Connect]:
    """Connect as the engine's pool does: with its creator, its arguments and its tokens."""
    pool: Any = engine.pool
    # Not `pool._invoke_creator`, which is observed: what it opens is the pool's.
    create = pool._should_wrap_creator(pool._creator)
    return engine.dialect, lambda: create(None)


def to_url(url: str | URL, timeout: float) -> tuple[Dialect, Connect]:
    """Connect to a URL, as `create_engine(url)` would."""
    url = make_url(url)
    make_dialect: Any = url.get_dialect()
    dialect: Dialect = make_dialect(dbapi=make_dialect.import_dbapi())
    arguments, options = dialect.create_connect_args(url)
    if dialect.driver in ("psycopg", "psycopg2"):
        options.setdefault("connect_timeout", max(2, round(timeout)))  # its least is 2
    return dialect, lambda: dialect.connect(*arguments, **options)


class OwnConnection:
    """A connection that is opened when it is needed, and again when it was lost."""

    def __init__(self, dialect: Dialect, connect: Connect, timeout: float) -> None:
        self._dialect = dialect
        self._connect = connect
        self._timeout = timeout
        self._connection: Any = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def dialect_name(self) -> str:
        """The kind of server."""
        return self._dialect.name

    def ask(self, question: Callable[[Any], T]) -> tuple[T, int | None]:
        """Ask the server something, through a cursor. Beside the answer: our PID by the driver.

        Raises whatever goes wrong, and TimeoutError if that takes too long; the next one then
        begins with a new connection.
        """

        def work() -> tuple[T, int | None]:
            if self._connection is None:
                self._connection = self._connect()
                self._dialect.set_isolation_level(self._connection, "AUTOCOMMIT")
            cursor = self._connection.cursor()
            answer = question(cursor)
            cursor.close()
            return answer, pid_of(self._dialect.driver, self._driver_connection())

        try:
            return self._run(work)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End the connection, whatever state it is in."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(Exception):  # it may be broken, which is why it is closed
                self._run(lambda: self._dialect.do_terminate(connection))
        if self._loop is not None:
            self._loop.close()
            self._loop = None

    def cut(self) -> None:
        """Have whoever waits for the server on this connection wait no more. For any thread."""
        with suppress(Exception):  # closed, or not of those that tell
            theirs = self._driver_connection()
            # PyMySQL's connections do not tell, but what they are on does.
            descriptor = getattr(theirs, "_sock", theirs).fileno()
            with socket.socket(fileno=socket.dup(descriptor)) as copy:
                copy.shutdown(socket.SHUT_RDWR)

    def abandon(self) -> list[object]:
        """After a fork it is the parent's. What is returned must not be closed here."""
        theirs: list[object] = [self._connection, self._loop]
        self._connection = self._loop = None
        return theirs

    def _driver_connection(self) -> Any:
        return self._dialect.get_driver_connection(self._connection)

    def _run(self, work: Callable[[], T]) -> T:
        if not self._dialect.is_async:
            return work()
        from sqlalchemy.util.concurrency import greenlet_spawn

        if self._loop is None:
            # What epoll knows is the kernel's, and shared with a process that was forked: one
            # of them closing its loop would unregister the sockets of the other.
            selector = getattr(selectors, "PollSelector", selectors.SelectSelector)()
            self._loop = asyncio.SelectorEventLoop(selector)
        # Names are looked up in threads. They shall not outlive the look, nor prolong it.
        executor = ThreadPoolExecutor(1, "pool_observer-probe")
        self._loop.set_default_executor(executor)
        try:
            return self._loop.run_until_complete(
                _within(self._timeout, lambda: greenlet_spawn(work))
            )
        finally:
            executor.shutdown(wait=False)


async def _within(seconds: float, work: Callable[[], Awaitable[T]]) -> T:
    async with asyncio.timeout(seconds):
        return await work()
