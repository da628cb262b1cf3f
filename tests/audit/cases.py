"""Configurations, good and bad, as a user would write them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import create_engine
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import sessionmaker
from sqlalchemy.pool import AssertionPool, NullPool, SingletonThreadPool, StaticPool

from pool_observer.audit.auditing import audit
from pool_observer.audit.facts import Deployment
from pool_observer.audit.finding import Finding, Severity
from pool_observer.server import ServerLimits, ServerState

ASYNCPG = "postgresql+asyncpg://user:secret@db.example.org/orders"
PSYCOPG = "postgresql+psycopg://user:secret@db.example.org/orders"

RECOMMENDED: dict[str, Any] = {
    "pool_size": 5,
    "max_overflow": 5,
    "pool_timeout": 10,
    "pool_recycle": 1350,
    "pool_pre_ping": True,
}


@dataclass(frozen=True)
class Setup:
    """The arguments of `audit()`, in parts."""

    url: str = PSYCOPG
    options: dict[str, Any] = field(default_factory=lambda: dict(RECOMMENDED))
    sessions: Callable[[Any], list[Any]] = lambda _: []
    deployment: Deployment = field(default_factory=Deployment)
    server: ServerState | None = None
    more_urls: tuple[str, ...] = ()

    def engine(self, url: str) -> Any:
        if url.startswith(("postgresql+asyncpg", "sqlite+aiosqlite")):
            return create_async_engine(url, **self.options)
        return create_engine(url, **self.options)

    def findings(self) -> tuple[Finding, ...]:
        engine = self.engine(self.url)
        return audit(
            [engine, *map(self.engine, self.more_urls)],
            sessions=self.sessions(engine),
            deployment=self.deployment,
            server=self.server,
        )

    def with_options(self, **options: Any) -> Setup:
        return replace(self, options={**self.options, **options})


def setup(url: str = PSYCOPG, /, **options: Any) -> Setup:
    """The recommended configuration with some options of its own."""
    return Setup(url=url, options={**RECOMMENDED, **options})


def bare(url: str = PSYCOPG, /, **options: Any) -> Setup:
    """An engine with these options alone."""
    return Setup(url=url, options=options)


def server(
    limits: ServerLimits | None = None, *, up: bool = True, pooler: bool = False
) -> ServerState:
    """What a PostgreSQL of the usual size answers."""
    limits = limits or ServerLimits(100, reserved=3, idle_in_transaction_timeout=60.0)
    return ServerState(up=up, limits=limits, pooler=pooler)


@dataclass(frozen=True)
class Case:
    """A configuration in which something is found, and the same without."""

    code: str
    severity: Severity
    bad: Setup
    mended: Setup


def _deployed(setup: Setup, **facts: Any) -> Setup:
    return replace(setup, deployment=Deployment(**facts))


def _answered(setup: Setup, limits: ServerLimits) -> Setup:
    return replace(setup, server=server(limits))


UNNAMED: dict[str, Any] = {"statement_cache_size": 0, "prepared_statement_cache_size": 0}
NAMELESS: dict[str, Any] = {"statement_cache_size": 0, "prepared_statement_name_func": lambda: ""}
NAMED: dict[str, Any] = {"prepared_statement_name_func": lambda: "a name of its own"}
TWELVE: dict[str, Any] = {"workers": 4, "replicas": 3, "max_connections": 100}
ERROR, WARNING, INFO = Severity.ERROR, Severity.WARNING, Severity.INFO

_LIMITED = ServerLimits(500, 3, role=9, idle_in_transaction_timeout=60)

CASES = {
    "more than the server takes": Case(
        "capacity",
        ERROR,
        _deployed(setup(), **TWELVE),
        _deployed(setup(pool_size=3, max_overflow=3), **TWELVE),
    ),
    "less than the reserve": Case(
        "capacity",
        WARNING,
        _deployed(setup(pool_size=4, max_overflow=3), **TWELVE),
        _deployed(setup(pool_size=4, max_overflow=2), **TWELVE),
    ),
    "more than the server says it takes": Case(
        "capacity",
        ERROR,
        replace(_deployed(setup(), workers=10), server=server()),
        replace(_deployed(setup(), workers=7), server=server()),
    ),
    "more than the server takes when somebody has reserved a part": Case(
        "capacity",
        WARNING,
        _deployed(setup(), workers=7, max_connections=100, reserved_connections=6),
        _deployed(setup(), workers=7, max_connections=100, reserved_connections=5),
    ),
    "two engines that together are more than the server takes": Case(
        "capacity",
        ERROR,
        replace(_deployed(setup(), workers=5, max_connections=100), more_urls=(ASYNCPG,)),
        replace(_deployed(setup(), workers=3, max_connections=100), more_urls=(ASYNCPG,)),
    ),
    "a server of its own for each engine": Case(
        "capacity",
        ERROR,
        replace(_deployed(setup(), workers=5, max_connections=100), more_urls=(ASYNCPG,)),
        replace(
            _deployed(setup(), workers=5, max_connections=100),
            more_urls=(ASYNCPG.replace("db.", "other."),),
        ),
    ),
    "a pooler in between": Case(
        "capacity",
        ERROR,
        _deployed(setup(), **TWELVE),
        _deployed(setup(), **TWELVE, pgbouncer=True, pgbouncer_keeps_statements=True),
    ),
    "more than the role may have": Case(
        "account-limit",
        ERROR,
        _answered(setup(), _LIMITED),
        _answered(setup(), replace(_LIMITED, role=10)),
    ),
    "more than the database may have": Case(
        "account-limit",
        ERROR,
        _answered(setup(), replace(_LIMITED, role=40, database=9)),
        _answered(setup(), replace(_LIMITED, role=40, database=10)),
    ),
    "an overflow without end": Case(
        "unbounded-overflow",
        ERROR,
        setup(max_overflow=-1),
        setup(max_overflow=5),
    ),
    "a size that means no limit": Case(
        "unbounded-overflow", ERROR, setup(pool_size=0), setup(pool_size=5)
    ),
    "one connection for all": Case("pool-class", ERROR, bare(poolclass=StaticPool), setup()),
    "one connection at a time": Case("pool-class", ERROR, bare(poolclass=AssertionPool), setup()),
    "one connection for each thread": Case(
        "pool-class", WARNING, bare(poolclass=SingletonThreadPool), setup()
    ),
    "no pool": Case("no-pool", WARNING, bare(poolclass=NullPool), setup()),
    "no pool where there is one outside": Case(
        "no-pool",
        WARNING,
        bare(ASYNCPG, poolclass=NullPool, connect_args=UNNAMED),
        _deployed(bare(ASYNCPG, poolclass=NullPool, connect_args=UNNAMED), pgbouncer=True),
    ),
    "no pool in a function": Case(
        "no-pool",
        WARNING,
        bare(poolclass=NullPool),
        _deployed(bare(poolclass=NullPool), serverless=True),
    ),
    "asyncpg's cache behind PgBouncer": Case(
        "prepared-statements",
        ERROR,
        _deployed(setup(ASYNCPG), pgbouncer=True),
        _deployed(setup(ASYNCPG, connect_args=UNNAMED), pgbouncer=True),
    ),
    "names for statements that asyncpg does not keep": Case(
        "prepared-statements",
        ERROR,
        _deployed(setup(ASYNCPG, connect_args=NAMELESS | NAMED), pgbouncer=True),
        _deployed(setup(ASYNCPG, connect_args=NAMELESS), pgbouncer=True),
    ),
    "asyncpg's cache, though SQLAlchemy's is off": Case(
        "prepared-statements",
        ERROR,
        _deployed(setup(f"{ASYNCPG}?prepared_statement_cache_size=0"), pgbouncer=True),
        _deployed(
            setup(
                f"{ASYNCPG}?prepared_statement_cache_size=0",
                connect_args={"statement_cache_size": 0},
            ),
            pgbouncer=True,
        ),
    ),
    "names of their own in connections that are kept": Case(
        "prepared-statements",
        ERROR,
        _deployed(setup(ASYNCPG, connect_args=NAMED), pgbouncer=True),
        _deployed(bare(ASYNCPG, poolclass=NullPool, connect_args=NAMED), pgbouncer=True),
    ),
    "names of their own that SQLAlchemy keeps": Case(
        "prepared-statements",
        ERROR,
        _deployed(
            setup(ASYNCPG, connect_args={"statement_cache_size": 0, **NAMED}), pgbouncer=True
        ),
        _deployed(setup(ASYNCPG, connect_args={**UNNAMED, **NAMED}), pgbouncer=True),
    ),
    "asyncpg behind a PgBouncer that looks after statements": Case(
        "prepared-statements",
        ERROR,
        _deployed(setup(ASYNCPG), pgbouncer=True),
        _deployed(setup(ASYNCPG), pgbouncer=True, pgbouncer_keeps_statements=True),
    ),
    "psycopg behind PgBouncer": Case(
        "prepared-statements",
        ERROR,
        _deployed(setup(), pgbouncer=True),
        _deployed(setup(connect_args={"prepare_threshold": None}), pgbouncer=True),
    ),
    "a pooler that was seen": Case(
        "prepared-statements",
        INFO,
        replace(setup(ASYNCPG), server=server(pooler=True)),
        replace(setup(ASYNCPG), server=server(pooler=True), deployment=Deployment(pgbouncer=False)),
    ),
    "connections that a proxy drops": Case(
        "recycle",
        WARNING,
        _deployed(bare(pool_pre_ping=True), proxy_idle_timeout=1800),
        _deployed(bare(pool_pre_ping=True, pool_recycle=1350), proxy_idle_timeout=1800),
    ),
    "connections that a proxy drops unnoticed": Case(
        "recycle",
        ERROR,
        _deployed(setup(pool_recycle=1800, pool_pre_ping=False), proxy_idle_timeout=1800),
        _deployed(setup(pool_recycle=1350, pool_pre_ping=False), proxy_idle_timeout=1800),
    ),
    "connections kept for nearly as long as the proxy does": Case(
        "recycle",
        WARNING,
        _deployed(setup(pool_recycle=1351), proxy_idle_timeout=1800),
        _deployed(setup(pool_recycle=1350), proxy_idle_timeout=1800),
    ),
    "connections that are not tested": Case(
        "pre-ping", WARNING, setup(pool_pre_ping=False), setup(pool_pre_ping=True)
    ),
    "the default of async_sessionmaker": Case(
        "expire-on-commit",
        WARNING,
        replace(setup(ASYNCPG), sessions=lambda engine: [async_sessionmaker(engine)]),
        replace(
            setup(ASYNCPG),
            sessions=lambda engine: [async_sessionmaker(engine, expire_on_commit=False)],
        ),
    ),
    "a sessionmaker of asynchronous sessions": Case(
        "expire-on-commit",
        WARNING,
        replace(
            setup(ASYNCPG),
            sessions=lambda _: [sessionmaker(class_=AsyncSession)],
        ),
        replace(setup(), sessions=lambda engine: [sessionmaker(engine)]),
    ),
    "queueing for longer than the request lasts": Case(
        "pool-timeout-beyond-request",
        WARNING,
        _deployed(setup(pool_timeout=30), request_timeout=30),
        _deployed(setup(pool_timeout=10), request_timeout=30),
    ),
    "the default time-out": Case("pool-timeout", INFO, setup(pool_timeout=30), setup()),
    "a time-out of a minute": Case("pool-timeout", WARNING, setup(pool_timeout=60), setup()),
    "no time-out": Case("pool-timeout", WARNING, setup(pool_timeout=None), setup()),
    "hardly any queueing": Case("pool-timeout", INFO, setup(pool_timeout=2), setup(pool_timeout=5)),
    "hardly any queueing for requests that are short": Case(
        "pool-timeout",
        INFO,
        setup(pool_timeout=2),
        _deployed(setup(pool_timeout=2), request_timeout=6),
    ),
    "many connections": Case(
        "pool-size",
        INFO,
        setup(pool_size=21, max_overflow=20),
        setup(pool_size=20, max_overflow=20),
    ),
    "few connections": Case(
        "pool-size",
        INFO,
        setup(pool_size=4, max_overflow=4),
        setup(pool_size=5, max_overflow=4),
    ),
    "few connections where there are no more": Case(
        "pool-size",
        INFO,
        setup(pool_size=3, max_overflow=3),
        _deployed(setup(pool_size=3, max_overflow=3), **TWELVE),
    ),
    "few connections in a function": Case(
        "pool-size",
        INFO,
        setup(pool_size=1, max_overflow=1),
        _deployed(setup(pool_size=1, max_overflow=1), serverless=True),
    ),
    "more above than kept": Case(
        "overflow",
        INFO,
        setup(pool_size=5, max_overflow=6),
        setup(pool_size=5, max_overflow=5),
    ),
    "few above": Case(
        "overflow",
        INFO,
        setup(pool_size=10, max_overflow=4),
        setup(pool_size=10, max_overflow=5),
    ),
    "few above, and none": Case(
        "overflow",
        INFO,
        setup(pool_size=10, max_overflow=4),
        setup(pool_size=10, max_overflow=0),
    ),
    "two engines to a database": Case(
        "two-pools",
        INFO,
        replace(setup(), more_urls=(ASYNCPG.replace("/orders", ":5432/orders"),)),
        replace(setup(), more_urls=(ASYNCPG.replace("/orders", "/stock"),)),
    ),
    "transactions that may stand open": Case(
        "idle-in-transaction-timeout",
        INFO,
        _answered(setup(), ServerLimits(100, 3)),
        _answered(setup(), ServerLimits(100, 3, idle_in_transaction_timeout=60)),
    ),
    "transactions that may stand open by the server": Case(
        "idle-in-transaction-timeout",
        INFO,
        _answered(setup(ASYNCPG), ServerLimits(100, 3)),
        _answered(
            setup(
                ASYNCPG,
                connect_args={"server_settings": {"idle_in_transaction_session_timeout": "60s"}},
            ),
            ServerLimits(100, 3),
        ),
    ),
}
"""Those about endpoints are in test_endpoints.py, with applications."""

ABOUT_ENDPOINTS = frozenset(("sync-engine", "threads", "streaming-session"))
