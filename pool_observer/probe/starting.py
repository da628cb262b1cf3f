"""Sets a probe to work for an observer."""

from __future__ import annotations

from sqlalchemy.engine import Engine, make_url

from pool_observer.hooks.creators import engine_proper, needs_the_loop_of_the_application
from pool_observer.observer import PoolObserver
from pool_observer.probe import mysql, postgresql
from pool_observer.probe.connection import OwnConnection, as_the_engine_does, to_url
from pool_observer.probe.joining import Joining
from pool_observer.probe.probing import Probe
from pool_observer.probe.settings import ServerProbe
from pool_observer.server import ServerState
from pool_observer.watchdog import process_prober

_READ = {
    "mariadb": mysql.read,
    "mysql": mysql.read,
    "postgresql": postgresql.read,
}

_SAME = {"mysql": ("mariadb",), "mariadb": ("mysql",)}


def check_probe(engine: Engine, settings: ServerProbe) -> None:
    """Raise where this engine's server cannot be asked, with a sentence that says the mend."""
    dialect = engine.dialect.name
    if dialect not in _READ:
        raise ValueError(f"server_probe knows {', '.join(sorted(_READ))}, and not {dialect}")
    if settings.url is None and needs_the_loop_of_the_application(engine):
        raise ValueError(
            "server_probe runs in an event loop of its own, where an async_creator, or another "
            "coroutine that the engine connects with, does not belong: its locks and sessions are "
            "the application's loop's. Give the probe a way of its own to connect: "
            'server_probe=ServerProbe("postgresql+asyncpg://monitor@host/database")'
        )
    if settings.url is not None:
        url = make_url(settings.url)
        if url.get_backend_name() not in (dialect, *_SAME.get(dialect, ())):
            raise ValueError(
                f"server_probe has a URL for {url.get_backend_name()}, and the engine one for "
                f"{dialect}; give it one for the same server"
            )
        try:
            url.get_dialect().import_dbapi()
        except ImportError as error:
            raise ImportError(
                f"server_probe has a URL for {url.get_driver_name()}, and there is no {error.name}"
            ) from error


def start_probe(observer: PoolObserver, engine: Engine, settings: ServerProbe) -> None:
    """Look at the server from the engine's first use until the observer is closed."""
    joining = Joining(same_way=settings.url is None)
    if settings.url is None:
        dialect, connect = as_the_engine_does(engine)
    else:
        dialect, connect = to_url(settings.url)
        if engine.url.username is not None:
            joining.accounts.add((engine.url.username, engine.url.database))
    read = _READ[dialect.name]
    probe = Probe(
        observer,
        OwnConnection(dialect, connect, settings.timeout),
        lambda connection: connection.ask(lambda cursor: read(cursor, settings.timeout)),
        joining,
        process_prober.unwatch,
        interval=settings.interval,
    )
    observer.show_server(lambda: probe.state)
    observer.when_closing(probe.close)
    process_prober.watch(probe)


def look_once(engine: object, timeout: float = 5.0) -> ServerState | None:
    """What the engine's server says now, if it can be asked. Raises what its driver raises."""
    engine = engine_proper(engine, "look_once()")
    if engine.dialect.name not in _READ:
        return None
    dialect, connect = as_the_engine_does(engine)
    connection = OwnConnection(dialect, connect, timeout)
    try:
        reading, own_pid = connection.ask(lambda cursor: _READ[dialect.name](cursor, timeout))
    finally:
        connection.close()
    joined = Joining(same_way=True).join(reading, own_pid, {}, {}, 0)
    return ServerState(
        up=True,
        limits=reading.limits,
        sessions=joined.sessions,
        longest_transaction=joined.longest_transaction,
        pooler=joined.pooler,
    )
