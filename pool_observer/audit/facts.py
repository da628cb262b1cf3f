"""What the audit's rules judge: frozen facts about an engine, its application and its server."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Literal

from pool_observer.diagnosing import Version
from pool_observer.server import ServerLimits
from pool_observer.state import PoolSettings

ANYIO_THREADS = 40
"""Threads in which AnyIO runs plain functions, if nobody has said otherwise."""

POSTGRESQL_RESERVED = 3
"""`superuser_reserved_connections` of a PostgreSQL that nobody has configured."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """What only you know: how the application is run, and what is between it and its database.

    What is left out is asked of the server, if it can be, or not judged.
    """

    workers: int = 1
    """Processes of one replica, each of which has a pool of its own."""
    replicas: int = 1
    """Pods, containers or machines."""
    max_connections: int | None = None
    """What the database server takes, of everybody."""
    reserved_connections: int | None = None
    """Of these, how many are not for ordinary roles."""
    proxy_idle_timeout: float | None = None
    """Seconds after which a proxy, load balancer or NAT drops a connection that is idle."""
    request_timeout: float | None = None
    """Seconds after which whoever sends a request gives up."""
    threads: int | None = None
    """Threads for plain functions, if AnyIO's limiter has been set."""
    pgbouncer: bool | None = None
    """Whether connections go through PgBouncer in transaction mode, or a pooler like it."""
    pgbouncer_keeps_statements: bool = False
    """Whether it looks after prepared statements: `max_prepared_statements` above 0."""
    serverless: bool = False
    """Whether a process serves one request at a time and is frozen in between."""

    def __post_init__(self) -> None:
        for each in fields(self):
            value, annotation = getattr(self, each.name), str(each.type)
            if value is None and "None" in annotation:
                continue
            if annotation.startswith("bool"):
                if not isinstance(value, bool):
                    raise TypeError(f"{each.name} must be True or False, not {value!r}")
            elif isinstance(value, bool) or not isinstance(value, (int, float)):
                raise TypeError(f"{each.name} must be a number, not {value!r}")
            elif annotation.startswith("int") and not isinstance(value, int):
                raise TypeError(f"{each.name} must be a whole number, not {value!r}")
            elif each.name == "reserved_connections":
                if value < 0:
                    raise ValueError(f"reserved_connections must be 0 or more, not {value!r}")
            elif not 0 < value < float("inf"):
                raise ValueError(f"{each.name} must be above 0, not {value!r}")


class PoolKind(StrEnum):
    """How a pool goes about its connections."""

    QUEUE = "queue"
    """Keeps some, opens some more, and has the rest wait."""
    NONE = "none"
    """Opens one for each use."""
    SHARED = "shared"
    """Gives one to all at once."""
    PER_THREAD = "per thread"
    """Keeps one for each thread."""
    SINGLE = "single"
    """Has one, and refuses a second."""
    UNKNOWN = "unknown"
    """Somebody's own."""


@dataclass(frozen=True, slots=True)
class ConnectArguments:
    """What the driver is told about prepared statements and sessions. None is its default."""

    statement_cache_size: int | None = None
    prepared_statement_cache_size: int | None = None
    statements_are: Literal["named", "nameless"] | None = None
    """What asyncpg's prepared statements are called: by names that nobody else uses, by none, or
    as it comes."""
    asyncpg: Version | None = None
    """Which one there is, if it is in use."""
    prepares_never: bool = False
    """Whether psycopg was told to prepare nothing: `prepare_threshold=None`."""
    ends_idle_transactions: bool = False
    """Whether `idle_in_transaction_session_timeout` is set for each session."""


@dataclass(frozen=True, slots=True)
class SessionMaker:
    """A factory of sessions."""

    asynchronous: bool
    expires_on_commit: bool


@dataclass(frozen=True, slots=True)
class Route:
    """What is known about an endpoint without calling it. What is not known is False or None."""

    name: str
    on_the_loop: frozenset[bool] = frozenset()
    """The kinds of sessions and engines, asynchronous or not, that are used in the event loop: by
    the endpoint itself, or by what it depends on."""
    in_threads: frozenset[bool] = frozenset()
    """Those that are used in threads."""
    session_dependencies: tuple[tuple[bool, str], ...] = ()
    """The generators that give it sessions and end them with the request: whether those are
    asynchronous, and the names."""
    threads_again: bool = False
    """Whether it needs a thread once more while such a session may have a connection."""
    streams: bool = False
    """Whether its response is made while it is being sent, or is a file."""
    releases: bool = False
    """Whether it commits or closes something itself."""

    def session_dependency(self, *, asynchronous: bool) -> str | None:
        """The first that gives it a session of this kind."""
        kinds = (name for kind, name in self.session_dependencies if kind is asynchronous)
        return next(kinds, None)


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Another pool of the same process, on the same server."""

    name: str
    max: int | None
    """The most that it hands out; None without a limit."""
    same_database: bool
    asynchronous: bool


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that is known about one engine."""

    pool: str
    """The name of its pool."""
    settings: PoolSettings
    kind: PoolKind = PoolKind.QUEUE
    asynchronous: bool = False
    local: bool = False
    """Whether the database is a file or in memory: there is no server and no network."""
    arguments: ConnectArguments | None = None
    """None where they cannot be known, such as behind a `creator`."""
    neighbours: tuple[Neighbour, ...] = ()
    speaks_for_all: bool = True
    """Whether it is the first of those pools: what concerns all of them is said once."""
    sessions: tuple[SessionMaker, ...] = ()
    routes: tuple[Route, ...] = ()
    fastapi: Version | None = None
    threads: int = ANYIO_THREADS
    """Threads in which plain functions run."""
    deployment: Deployment = field(default_factory=Deployment)
    server: ServerLimits | None = None
    """What the server says; None if it was not asked."""
    pooler_seen: bool = False
    """Whether the server was seen to be behind something that has connections of its own."""

    @property
    def max(self) -> int | None:
        """The most that the pool hands out; None without a limit."""
        return most(self.settings) if self.kind is PoolKind.QUEUE else None

    @property
    def queues(self) -> bool:
        """Whether the pool keeps connections to a server, and has callers wait for them."""
        return self.max is not None and not self.local

    @property
    def create(self) -> str:
        """The function that makes such an engine."""
        return "create_async_engine" if self.asynchronous else "create_engine"

    @property
    def processes(self) -> int:
        return self.deployment.workers * self.deployment.replicas

    @property
    def max_connections(self) -> int | None:
        """What the server takes, as far as that concerns the pool."""
        if self.deployment.pgbouncer or self.pooler_seen:
            return None  # what counts there is how many connections the pooler has
        if self.deployment.max_connections is not None:
            return self.deployment.max_connections
        return None if self.server is None else self.server.max_connections

    @property
    def reserved(self) -> int:
        """How many of these are not for ordinary roles."""
        if self.deployment.reserved_connections is not None:
            return self.deployment.reserved_connections
        if self.server is not None and self.server.max_connections is not None:
            return self.server.reserved
        return POSTGRESQL_RESERVED if self.settings.dialect == "postgresql" else 0


def most(settings: PoolSettings) -> int | None:
    """The most that a pool with these settings hands out; None without a limit."""
    size, overflow = settings.size, settings.max_overflow
    if size is None or overflow is None or overflow < 0:
        return None
    return size + overflow
