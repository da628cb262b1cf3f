"""The probe connects as the engine does, in nobody's pool, and leaves the server as it was."""

from __future__ import annotations

import asyncio
import gc
import socket
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import create_engine, event, text
from sqlalchemy.ext.asyncio import create_async_engine

from pool_observer import PoolObserver, ServerProbe, observe
from pool_observer.probe import postgresql
from pool_observer.probe.connection import OwnConnection, as_the_engine_does, to_url
from pool_observer.probe.starting import look_once
from pool_observer.watchdog import process_prober
from tests.conftest import Observe
from tests.postgres import Postgres
from tests.support import wait_until

OFTEN = ServerProbe(interval=0.05)


def name_of_session(cursor: Any) -> str:
    cursor.execute("SELECT current_setting('application_name')")
    (name,) = cursor.fetchone()
    assert isinstance(name, str)
    return name


def is_up(observer: PoolObserver) -> bool:
    server = observer.snapshot().server
    return server is not None and server.up


def asked(connection: OwnConnection) -> str:
    try:
        answer, pid = connection.ask(name_of_session)
        assert pid is not None
        return answer
    finally:
        connection.close()


def test_arguments_of_the_engine_are_the_probes(postgres: Postgres) -> None:
    engine = create_engine(
        postgres.url("psycopg"), connect_args={"application_name": "orders service"}
    )
    dialect, connect = as_the_engine_does(engine)
    assert asked(OwnConnection(dialect, connect, 5)) == "orders service"


def test_a_token_that_is_made_when_it_connects_is_made_for_the_probe_as_well(
    postgres: Postgres,
) -> None:
    engine = create_async_engine(postgres.url("asyncpg"))

    @event.listens_for(engine.sync_engine, "do_connect")
    def name_it(dialect: object, record: object, arguments: object, options: Any) -> None:
        options["server_settings"] = {"application_name": "by a token"}

    dialect, connect = as_the_engine_does(engine.sync_engine)
    assert asked(OwnConnection(dialect, connect, 5)) == "by a token"


@pytest.mark.parametrize("arguments", [0, 1])
def test_a_creator_of_the_users_own_is_used(postgres: Postgres, arguments: int) -> None:
    import psycopg2

    dsn = postgres.url("psycopg2").set(drivername="postgresql").render_as_string(False)

    def create(*_: object) -> Any:
        return psycopg2.connect(dsn, application_name="by hand")

    creator: Any = (lambda: create()) if arguments == 0 else (lambda record: create(record))
    engine = create_engine("postgresql+psycopg2://", creator=creator)
    dialect, connect = as_the_engine_does(engine)
    assert asked(OwnConnection(dialect, connect, 5)) == "by hand"


@pytest.mark.parametrize("driver", ["asyncpg", "psycopg", "psycopg2"])
def test_a_url_is_connected_to_as_an_engine_would(postgres: Postgres, driver: str) -> None:
    url = postgres.url(driver)
    key = "server_settings" if driver == "asyncpg" else "application_name"
    if driver != "asyncpg":
        url = url.update_query_dict({key: "monitor"})
    dialect, connect = to_url(url.render_as_string(hide_password=False))
    assert asked(OwnConnection(dialect, connect, 5)) == ("" if driver == "asyncpg" else "monitor")


SETTINGS = ("statement_timeout", "transaction_read_only", "application_name")


class Recorder:
    """A cursor that remembers what it was asked."""

    def __init__(self, cursor: Any) -> None:
        self.cursor = cursor
        self.asked: list[str] = []

    def execute(self, statement: str) -> None:
        self.asked.append(statement)
        self.cursor.execute(statement)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.cursor, name)


@pytest.mark.parametrize("driver", ["asyncpg", "psycopg", "psycopg2"])
def test_a_look_reads_only_and_leaves_the_session_as_it_was(
    postgres: Postgres, driver: str
) -> None:
    dialect, connect = to_url(postgres.url(driver))
    connection = OwnConnection(dialect, connect, 5)

    def settings(cursor: Any) -> list[Any]:
        cursor.execute("SELECT " + ", ".join(f"current_setting('{name}')" for name in SETTINGS))
        return list(cursor.fetchone())

    def look(cursor: Any) -> list[str]:
        recorder = Recorder(cursor)
        postgresql.read(recorder, 5)
        return recorder.asked

    before, _ = connection.ask(settings)
    asked, _ = connection.ask(look)
    after, _ = connection.ask(settings)
    connection.close()
    assert before == after
    assert (asked[0], asked[-1]) == ("BEGIN READ ONLY", "COMMIT")


@pytest.mark.parametrize("driver", ["asyncpg", "psycopg"])
def test_one_look_tells_the_limits_and_leaves_nothing(postgres: Postgres, driver: str) -> None:
    engine = create_async_engine(postgres.url(driver))
    threads = set(threading.enumerate())
    state = look_once(engine)
    assert state is not None
    assert (state.limits.max_connections, state.limits.reserved) == (100, 3)
    assert state.limits.usable == 97
    assert set(threading.enumerate()) == threads


@contextmanager
def silence() -> Iterator[int]:
    """The port of somebody who takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.mark.parametrize("driver", ["asyncpg", "psycopg", "psycopg2"])
def test_who_takes_a_connection_and_says_nothing_is_given_up(driver: str) -> None:
    with silence() as port:
        url = f"postgresql+{driver}://app@127.0.0.1:{port}/orders"
        create: Any = create_async_engine if driver == "asyncpg" else create_engine
        with pytest.raises(TimeoutError):
            look_once(create(url), timeout=0.2)


def test_a_connection_that_the_server_has_ended_meanwhile_is_opened_again(
    postgres: Postgres,
) -> None:
    admin = create_engine(postgres.url("psycopg"), isolation_level="AUTOCOMMIT")
    dialect, connect = to_url(postgres.url("psycopg"))
    connection = OwnConnection(dialect, connect, 5)
    _, pid = connection.ask(name_of_session)
    with admin.connect() as ending:
        ending.execute(text("SELECT pg_terminate_backend(:pid, 10000)"), {"pid": pid})
    _, another = connection.ask(name_of_session)
    assert another != pid
    connection.close()
    admin.dispose()


ODD = "andr\\é"


def test_a_role_whose_name_is_not_plain_is_told_as_it_is(postgres: Postgres) -> None:
    admin = create_engine(postgres.url("psycopg"), isolation_level="AUTOCOMMIT")
    odd = create_engine(postgres.url("psycopg").set(username=ODD))
    with admin.connect() as connection:
        connection.execute(text(f'CREATE ROLE "{ODD}" LOGIN'))
    try:
        with odd.connect():
            dialect, connect = to_url(postgres.url("asyncpg"))
            own = OwnConnection(dialect, connect, 5)
            reading, _ = own.ask(lambda cursor: postgresql.read(cursor, 5))
            own.close()
        assert ODD in {row.user for row in reading.rows}
    finally:
        odd.dispose()
        with admin.connect() as connection:
            connection.execute(text(f'DROP ROLE "{ODD}"'))
        admin.dispose()


@pytest.mark.parametrize(
    ("escaped", "name"),
    [
        (None, None),
        ("app", "app"),
        (r"andr\303\251", "andré"),
        (r"andr\351", "andr\N{REPLACEMENT CHARACTER}"),  # of a LATIN1 database
        (r"a\\303", r"a\303"),
    ],
)
def test_a_name_is_text_in_whichever_encoding_it_is(escaped: str | None, name: str | None) -> None:
    assert postgresql.unescaped(escaped) == name


def test_one_look_at_what_cannot_be_asked_is_none() -> None:
    assert look_once(create_engine("sqlite://")) is None


def test_an_engine_that_is_dropped_has_its_probe_end(postgres: Postgres) -> None:
    admin = create_engine(postgres.url("psycopg"), isolation_level="AUTOCOMMIT")
    url = postgres.url("psycopg").update_query_dict({"application_name": "dropped"})

    def sessions() -> Any:
        with admin.connect() as connection:
            return connection.execute(
                text("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'dropped'")
            ).scalar()

    def use_and_drop() -> None:
        engine = create_engine(url)
        observer = observe(engine, name="dropped", server_probe=OFTEN, registry=None)
        with engine.connect():
            wait_until(lambda: is_up(observer))
        assert sessions() == 2
        engine.dispose()

    use_and_drop()
    gc.collect()
    wait_until(lambda: sessions() == 0)
    wait_until(lambda: not process_prober.watched())
    admin.dispose()


def test_close_may_be_called_where_an_event_loop_runs(
    postgres: Postgres, observed: Observe
) -> None:
    async def main() -> None:
        engine = create_async_engine(postgres.url("asyncpg"))
        observer = observed(engine, name="orders", server_probe=OFTEN, registry=None)
        async with engine.connect():
            while not is_up(observer):
                await asyncio.sleep(0.01)
        observer.close()
        assert not process_prober.watched()
        await engine.dispose()

    asyncio.run(main())


FORKING = """
    import asyncio, os, sys, time
    from sqlalchemy import create_engine
    from sqlalchemy.ext.asyncio import create_async_engine
    from pool_observer import ServerProbe, observe
    from tests.support import wait_until

    url, driver = sys.argv[1:]
    engine = create_engine(url.replace("asyncpg", "psycopg"), pool_size=1)
    probe = ServerProbe(url, interval=0.05)
    observer = observe(engine, name="orders", server_probe=probe, registry=None)

    def answered():
        now = time.time()
        wait_until(lambda: (server := observer.snapshot().server).up and server.at > now)

    with engine.connect():
        answered()
    child = os.fork()
    if child == 0:
        engine.dispose(close=False)
        assert not observer.snapshot().server.asked
        with engine.connect():
            answered()
        print("the child is answered", flush=True)
        sys.exit(0)
    assert os.waitpid(child, 0)[1] == 0
    answered()
    print("failures of the parent's", observer.snapshot().server.failures)
    observer.close()
    engine.dispose()
"""


@pytest.mark.parametrize("driver", ["asyncpg", "psycopg", "psycopg2"])
def test_a_child_connects_anew_and_its_end_leaves_the_parents_connection_alone(
    postgres: Postgres, driver: str
) -> None:
    url = postgres.url(driver).render_as_string(hide_password=False)
    ran = subprocess.run(
        [sys.executable, "-X", "dev", "-c", textwrap.dedent(FORKING), url, driver],
        capture_output=True,
        text=True,
        timeout=60,
        env=None,
    )
    assert ran.stdout.splitlines() == ["the child is answered", "failures of the parent's 0"], (
        ran.stderr
    )
