"""Gathers the facts about engines and session factories. Nothing here raises on an odd one."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any, Literal

from sqlalchemy.engine import Engine
from sqlalchemy.pool import (
    AssertionPool,
    NullPool,
    Pool,
    QueuePool,
    SingletonThreadPool,
    StaticPool,
)

from pool_observer.audit.endpoints import routes_of
from pool_observer.audit.facts import (
    ANYIO_THREADS,
    ConnectArguments,
    Deployment,
    Facts,
    Neighbour,
    PoolKind,
    SessionMaker,
    most,
)
from pool_observer.audit.using import is_asynchronous
from pool_observer.diagnosing import version_of
from pool_observer.hooks.creators import connect_options, engine_proper
from pool_observer.hooks.naming import default_name
from pool_observer.hooks.pools import settings_of
from pool_observer.server import ServerState
from pool_observer.state import PoolSettings

_KINDS: tuple[tuple[type[Pool], PoolKind], ...] = (
    (QueuePool, PoolKind.QUEUE),
    (NullPool, PoolKind.NONE),
    (StaticPool, PoolKind.SHARED),
    (SingletonThreadPool, PoolKind.PER_THREAD),
    (AssertionPool, PoolKind.SINGLE),
)

_LOCAL = ("sqlite", "duckdb")

_IDLE_TIMEOUT = "idle_in_transaction_session_timeout"


def name_by_url(engine: Engine) -> str:
    """What the pool of an engine is called that nobody observes."""
    return default_name(engine.url)


def distinct(engines: Iterable[object]) -> list[Engine]:
    """The engines that have pools of their own: several may share one."""
    found: list[Engine] = []
    for engine in (engine_proper(each, "audit()") for each in engines):
        if all(engine.pool is not other.pool for other in found):
            found.append(engine)
    return found


def gathered(
    engines: list[Engine],
    app: object,
    sessions: Iterable[object],
    deployment: Deployment,
    server: ServerState | None,
    *,
    unbound_belong_to: Engine | None = None,
    name_of: Callable[[Engine], str] = name_by_url,
) -> list[Facts]:
    """The facts about each of some engines of one process.

    :param unbound_belong_to: whose the factories of sessions are that name no engine; by default
        they are the only one's.
    :param name_of: what the pool of an engine is called.
    """
    routes = () if app is None else routes_of(app)
    makers = list(sessions)
    if len(engines) == 1:
        unbound_belong_to = engines[0]
    version = version_of("fastapi")
    threads = deployment.threads or _limit_of_threads() or ANYIO_THREADS
    elsewhere = replace(deployment, max_connections=None, reserved_connections=None)
    facts = []
    for index, engine in enumerate(engines):
        # What is known of a server is known of the first engine's.
        here = engine is engines[0] or on_one_server(engine, engines[0])
        asked = server if here and server is not None and server.up else None
        neighbours = [
            (position, other)
            for position, other in enumerate(engines)
            if other is not engine and on_one_server(engine, other)
        ]
        facts.append(
            Facts(
                pool=name_of(engine),
                settings=_settings(engine.pool),
                kind=_kind(engine.pool),
                asynchronous=_is_asynchronous(engine),
                local=_is_local(engine),
                arguments=_arguments(engine),
                neighbours=tuple(
                    _neighbour(engine, other, name_of(other)) for _, other in neighbours
                ),
                speaks_for_all=all(index < position for position, _ in neighbours),
                sessions=tuple(_makers_of(engine, makers, unbound_belong_to)),
                # What is found there is told once.
                routes=routes if _speaks_for_its_kind(index, engines) else (),
                fastapi=version,
                threads=threads,
                deployment=deployment if here else elsewhere,
                server=None if asked is None else asked.limits,
                pooler_seen=asked is not None and asked.pooler,
            )
        )
    return facts


def _is_asynchronous(engine: Engine) -> bool:
    return bool(getattr(engine.dialect, "is_async", False))


def _settings(pool: Pool) -> PoolSettings:
    try:
        return settings_of(pool)
    except AttributeError:  # somebody's own that only looks like one of SQLAlchemy's
        return PoolSettings(type(pool).__name__, "", "")


def _kind(pool: Pool) -> PoolKind:
    return next((kind for known, kind in _KINDS if isinstance(pool, known)), PoolKind.UNKNOWN)


def _is_local(engine: Engine) -> bool:
    return engine.dialect.name in _LOCAL


def _arguments(engine: Engine) -> ConnectArguments | None:
    """What the driver is given, by what `create_engine()` has made to connect with."""
    options = connect_options(engine)
    if options is None:
        return None
    return ConnectArguments(
        statement_cache_size=_number(options.get("statement_cache_size")),
        prepared_statement_cache_size=_number(options.get("prepared_statement_cache_size")),
        statements_are=_called(options.get("prepared_statement_name_func")),
        asyncpg=version_of("asyncpg") if engine.dialect.driver == "asyncpg" else None,
        prepares_never="prepare_threshold" in options and options["prepare_threshold"] is None,
        ends_idle_transactions=_ends_idle_transactions(options),
    )


def _called(name: Any) -> Literal["named", "nameless"] | None:
    """What a function that makes names for statements makes."""
    if name is None:
        return None
    try:
        return "named" if name() else "nameless"
    except Exception:  # it is the user's, and fails them anyway
        return "named"


def _ends_idle_transactions(options: Mapping[str, Any]) -> bool:
    settings = options.get("server_settings")
    if isinstance(settings, Mapping) and _IDLE_TIMEOUT in settings:
        return True
    return _IDLE_TIMEOUT in str(options.get("options", ""))


def _number(value: object) -> int | None:
    """A figure, which is a text if it was in the URL."""
    if isinstance(value, int | str):
        with suppress(ValueError):
            return int(value)
    return None


def _server(engine: Engine) -> tuple[object, ...] | None:
    """What tells the engine's server from others; None if that is not known."""
    url = engine.url
    host = url.host or url.query.get("host")
    if host is None or _is_local(engine) or engine.dialect.name == "":
        return None
    default = {"postgresql": 5432, "mysql": 3306, "mariadb": 3306}.get(engine.dialect.name)
    return url.get_backend_name(), host, url.port or default


def on_one_server(engine: Engine, other: Engine) -> bool:
    """Whether both connect to the same one, as far as that is known."""
    server = _server(engine)
    return server is not None and server == _server(other)


def _neighbour(engine: Engine, other: Engine, name: str) -> Neighbour:
    return Neighbour(
        name=name,
        max=most(_settings(other.pool)),
        same_database=engine.url.database == other.url.database,
        asynchronous=_is_asynchronous(other),
    )


def _speaks_for_its_kind(index: int, engines: list[Engine]) -> bool:
    """Whether it is the first asynchronous or the first synchronous one."""
    kind = engines[index].dialect.is_async
    return all(engine.dialect.is_async != kind for engine in engines[:index])


def _makers_of(
    engine: Engine, makers: Iterable[object], unbound_belong_to: Engine | None
) -> Iterable[SessionMaker]:
    """The factories of sessions on this engine."""
    for maker in makers:
        found = as_factory(maker)
        if found is None:
            raise TypeError(
                "sessions takes what sessionmaker() or async_sessionmaker() returned, "
                f"not {type(maker).__name__}"
            )
        bind = bound_to(found)
        if bind is engine or (bind is None and unbound_belong_to is engine):
            yield SessionMaker(
                asynchronous=is_asynchronous(found) or False,
                expires_on_commit=found.kw.get("expire_on_commit", True) is not False,
            )


def as_factory(candidate: Any) -> Any:
    """The `sessionmaker` or `async_sessionmaker` that this is, or wraps; None if neither."""
    inner = getattr(candidate, "session_factory", candidate)
    if isinstance(inner, type) or is_asynchronous(inner) is None:
        return None
    return inner if isinstance(getattr(inner, "kw", None), dict) else None


def bound_to(factory: Any) -> object:
    """The engine that a factory's sessions use, if it says so."""
    bind = factory.kw.get("bind")
    return getattr(bind, "sync_engine", bind)


def _limit_of_threads() -> int | None:
    """AnyIO's own limit, which can only be known inside of an event loop."""
    anyio: Any = sys.modules.get("anyio")
    if anyio is None or asyncio._get_running_loop() is None:
        return None
    try:
        total = anyio.to_thread.current_default_thread_limiter().total_tokens
    except (AttributeError, LookupError, RuntimeError):  # not AnyIO's to see
        return None
    return int(total) if 0 < total < float("inf") else None
