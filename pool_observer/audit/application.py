"""Rules about how the application uses its engine."""

from __future__ import annotations

from pool_observer.audit.facts import Facts, Route
from pool_observer.audit.finding import Severity, Verdict
from pool_observer.diagnosing import EXITS_AFTER_RESPONSE, FUNCTION_SCOPE, Version
from pool_observer.wording import plural

EXITS_BEFORE_RESPONSE: Version = (0, 106)
"""FastAPI from which on, until EXITS_AFTER_RESPONSE, dependencies end before the response."""

_MOST_NAMES = 3


def sync_engine(facts: Facts) -> Verdict | None:
    """Statements that block the event loop."""
    if facts.asynchronous:
        return None
    routes = [route for route in facts.routes if False in route.on_the_loop]
    if not routes:
        return None
    return Verdict(
        Severity.WARNING,
        f"{plural(len(routes), 'endpoint')} in the event loop on a synchronous engine",
        f"{_named(routes)}: a coroutine there uses a synchronous session. While it waits for the "
        "database, or in the pool's queue for a connection, its event loop does nothing else, for "
        "any request. Those who hold the connections that it waits for cannot go on to return "
        "them.",
        "plain `def` endpoints and dependencies, which run in threads; or "
        "create_async_engine(...) and AsyncSession",
    )


def threads(facts: Facts) -> Verdict | None:
    """Threads that wait for connections, and connections that wait for threads."""
    if facts.asynchronous or not facts.queues or facts.max is None:
        return None
    return _standstill(facts, facts.max) or _crowd(facts, facts.max)


def _standstill(facts: Facts, connections: int) -> Verdict | None:
    """All connections with requests that wait for a thread, and all threads in the queue."""
    routes = [route for route in facts.routes if route.threads_again]
    least = connections + facts.threads
    if not routes:
        return None
    return Verdict(
        Severity.WARNING,
        f"{least} requests at a time can bring everything to a standstill",
        f"{_named(routes)}: the session is a dependency, and may have a connection while its "
        f"request waits for a thread: for the endpoint, or to validate what it returns. With "
        f"{plural(connections, 'connection')} held by such, and all {facts.threads} threads "
        "waiting for a connection, nothing goes on before pool_timeout. A larger pool only takes "
        "more requests to get there.",
        "in the endpoint, `with SessionLocal() as session:` around the statements",
    )


def _crowd(facts: Facts, connections: int) -> Verdict | None:
    """More threads that ask for connections than there are."""
    routes = [route for route in facts.routes if False in route.in_threads]
    waiting = facts.threads - connections
    if not routes or waiting <= 0:
        return None
    return Verdict(
        Severity.INFO,
        f"{facts.threads} threads ask for {plural(connections, 'connection')}",
        f"{_named(routes)}: plain functions run in up to {facts.threads} threads at a time, and "
        f"the pool has {connections}. {waiting} can wait for the rest, in threads that those who "
        "need no database then do not get.",
        "when the application starts: anyio.to_thread.current_default_thread_limiter()"
        f".total_tokens = {connections}, and Deployment(threads={connections}); or a pool of "
        f"{facts.threads}",
    )


def expire_on_commit(facts: Facts) -> Verdict | None:
    """Sessions that ask the database again where they cannot wait for it."""
    makers = [maker for maker in facts.sessions if maker.asynchronous and maker.expires_on_commit]
    if not makers:
        return None
    return Verdict(
        Severity.WARNING,
        f"{plural(len(makers), 'factory') if len(makers) == 1 else f'{len(makers)} factories'} of "
        "AsyncSession with expire_on_commit=True",
        "After commit() each attribute of what was loaded is asked of the database again when it "
        "is read: an implicit await, which raises MissingGreenlet; or it takes the connection "
        "again that the commit has just given back.",
        "async_sessionmaker(engine, expire_on_commit=False)",
    )


def streaming_session(facts: Facts) -> Verdict | None:
    """Sessions that last as long as a response is being sent; or end before it is made."""
    version = facts.fastapi
    routes = [
        route
        for route in facts.routes
        if route.streams
        and route.session_dependency(asynchronous=facts.asynchronous) is not None
        and not route.releases
    ]
    if not routes or version is None:
        return None
    own = f"`{'async with' if facts.asynchronous else 'with'} SessionLocal() as session:`"
    what = f"{_named(routes)} of FastAPI {'.'.join(map(str, version))}"
    provider = routes[0].session_dependency(asynchronous=facts.asynchronous)
    if EXITS_BEFORE_RESPONSE <= version < EXITS_AFTER_RESPONSE:
        return Verdict(
            Severity.INFO,
            f"{plural(len(routes), 'stream')} made after the session of {provider}() has ended",
            f"{what}: a dependency ends before its response is sent. A stream that still uses "
            "this session takes a connection again, which nobody returns. From FastAPI "
            f"{_dotted(EXITS_AFTER_RESPONSE)} on the session is kept as long as the stream lasts.",
            f"in the stream, a session of its own: {own}",
        )
    mend = f"in the endpoint, {own} around the statements alone"
    if version >= FUNCTION_SCOPE:
        mend = f'Depends({provider}, scope="function"); or {mend}'
    else:
        mend += f'; or FastAPI {_dotted(FUNCTION_SCOPE)} and Depends({provider}, scope="function")'
    return Verdict(
        Severity.WARNING,
        f"{plural(len(routes), 'stream')} keeping the session of {provider}() until sent",
        f"{what}: a dependency ends after its response has been sent. What the session has taken "
        "is held for as long as the slowest client reads.",
        mend,
    )


def _named(routes: list[Route]) -> str:
    """Some of them by name."""
    names = [route.name for route in routes]
    more = len(names) - _MOST_NAMES
    return ", ".join(names[:_MOST_NAMES]) + (f" and {more} more" if more > 0 else "")


def _dotted(version: Version) -> str:
    return ".".join(map(str, version))
