"""What can be known about an application's endpoints without calling them.

Neither FastAPI nor Starlette is imported: an application of theirs brings all that is needed.
Sessions are known by annotations, and by the engines and factories that a function's own code
names. What is not plain to see is taken for nothing: a wrong finding is worse than none.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from sqlalchemy.engine import Connection, Engine
from sqlalchemy.orm import Session, scoped_session, sessionmaker

from pool_observer.audit.facts import Route
from pool_observer.audit.reading import annotations_of, globals_named, members_of, words_of

_STREAMS = ("StreamingResponse", "FileResponse", "EventSourceResponse")
_TO_THREADS = frozenset(("run_in_executor", "run_in_threadpool", "run_sync", "to_thread"))
_RELEASES = frozenset(("close", "commit", "rollback"))


def routes_of(app: Any) -> tuple[Route, ...]:
    """The endpoints of a FastAPI or Starlette application, and of what it includes and mounts."""
    return tuple(
        found
        for prefix, route in _flat(getattr(app, "routes", ()), "", set())
        if (found := _route(route, prefix)) is not None
    )


def _flat(routes: Iterable[Any], prefix: str, seen: set[int]) -> Iterator[tuple[str, Any]]:
    for route in routes:
        if hasattr(route, "effective_route_contexts"):  # what FastAPI 0.137 includes
            for context in route.effective_route_contexts():
                yield from _flat([context.starlette_route or context], prefix, seen)
        elif hasattr(route, "app") and hasattr(route, "routes") and not hasattr(route, "endpoint"):
            if id(route) not in seen:  # an application may be mounted on itself
                seen.add(id(route))
                yield from _flat(route.routes or (), prefix + getattr(route, "path", ""), seen)
        else:
            yield prefix, route


def _route(route: Any, prefix: str) -> Route | None:
    endpoint = _function(getattr(route, "endpoint", None))
    # What FastAPI adds by itself is none of the application's.
    if endpoint is None or getattr(endpoint, "__module__", "").startswith(
        ("fastapi.", "starlette.")
    ):
        return None
    methods = sorted(getattr(route, "methods", None) or ())
    dependant = getattr(route, "dependant", None)
    dependency, asynchronous = _session_dependency(dependant)
    used = set(_used(endpoint, dependant))
    return Route(
        name=f"{methods[0] if methods else 'WS'} {prefix}{getattr(route, 'path', '')}",
        on_the_loop=frozenset(kind for kind, on_the_loop in used if on_the_loop),
        in_threads=frozenset(kind for kind, on_the_loop in used if not on_the_loop),
        session_dependency=dependency,
        dependency_is_asynchronous=asynchronous,
        threads_again=dependency is not None
        and not _runs_on_the_loop(endpoint)
        and (
            # FastAPI validates what a plain endpoint returns in a thread,
            (getattr(route, "response_field", None) is not None and (False, False) in used)
            # and runs a plain dependency in another one than the endpoint.
            or (False, False) in _used_by_dependencies(dependant)
        ),
        streams=bool(methods) and _streams(route, endpoint),
        releases=bool(_RELEASES & words_of(endpoint)),
    )


def is_asynchronous(candidate: Any) -> bool | None:
    """Whether a session, an engine, their class or their factory is; None if it is none."""
    kind = candidate if isinstance(candidate, type) else type(candidate)
    # Its type, and not isinstance(): what a module holds may be a proxy that answers for another.
    if kind is not candidate and issubclass(kind, scoped_session | sessionmaker):
        made = getattr(getattr(candidate, "session_factory", candidate), "class_", None)
        return is_asynchronous(made) if isinstance(made, type) else None
    if issubclass(kind, Session | Engine | Connection):
        return False
    # Importing it takes greenlet, which a synchronous application may not have.
    asynchronous = any(
        base.__module__.startswith("sqlalchemy.ext.asyncio.") for base in kind.__mro__
    )
    return True if asynchronous else None


def _function(endpoint: Any) -> Callable[..., Any] | None:
    """The function behind decorators and partials; None of a class."""
    while isinstance(endpoint, functools.partial):
        endpoint = endpoint.func
    if not callable(endpoint) or isinstance(endpoint, type):
        return None
    endpoint = inspect.unwrap(endpoint)
    if inspect.isroutine(endpoint):
        return endpoint
    call: Callable[..., Any] = type(endpoint).__call__
    return call


def _runs_on_the_loop(endpoint: Callable[..., Any]) -> bool:
    return inspect.iscoroutinefunction(endpoint) or inspect.isasyncgenfunction(endpoint)


def _used(function: Callable[..., Any], dependant: Any) -> Iterator[tuple[bool, bool]]:
    """The kinds of sessions that it and its dependencies use, and whether in the event loop."""
    on_the_loop = _runs_on_the_loop(function)
    if on_the_loop and _TO_THREADS & words_of(function):
        return  # it may well use them there
    for kind in _sessions(function):
        yield kind, on_the_loop
    for provider, dependency in _providers(dependant):
        if _generates(provider):  # what it makes is used by whom it is for
            for kind in _sessions(provider):
                yield kind, on_the_loop
        else:
            yield from _used(provider, dependency)


def _used_by_dependencies(dependant: Any) -> Iterator[tuple[bool, bool]]:
    for provider, dependency in _providers(dependant):
        if not _generates(provider):
            yield from _used(provider, dependency)


def _providers(dependant: Any) -> Iterator[tuple[Callable[..., Any], Any]]:
    """The functions that something depends on."""
    for dependency in getattr(dependant, "dependencies", None) or ():
        provider = _function(dependency.call)
        if provider is not None:
            yield provider, dependency


def _generates(provider: Callable[..., Any]) -> bool:
    return inspect.isgeneratorfunction(provider) or inspect.isasyncgenfunction(provider)


def _sessions(function: Callable[..., Any]) -> Iterator[bool]:
    """The kinds of sessions and engines that it is given, or names itself."""
    for annotation in annotations_of(function).values():
        for member in members_of(annotation):
            kind = is_asynchronous(member) if isinstance(member, type) else None
            if kind is not None:
                yield kind
    for named in globals_named(function):
        kind = None if isinstance(named, type) else is_asynchronous(named)
        if kind is not None:
            yield kind


def _session_dependency(dependant: Any) -> tuple[str | None, bool]:
    """The first generator of a session that ends with the request, and whether that is async."""
    parameters = annotations_of(_function(getattr(dependant, "call", None)))
    for provider, dependency in _providers(dependant):
        given = parameters.get(getattr(dependency, "name", None) or "")
        if _generates(provider) and getattr(dependency, "scope", None) != "function":
            kinds = set(_sessions(provider))
            kinds |= {
                kind
                for member in members_of(given)
                if isinstance(member, type) and (kind := is_asynchronous(member)) is not None
            }
            if kinds:
                return getattr(provider, "__name__", "a dependency"), True in kinds
        name, asynchronous = _session_dependency(dependency)
        if name is not None:
            return name, asynchronous
    return None, False


def _streams(route: Any, endpoint: Callable[..., Any]) -> bool:
    if getattr(route, "is_sse_stream", False) or getattr(route, "is_json_stream", False):
        return True
    response_class = getattr(route, "response_class", None)
    candidates = [
        getattr(response_class, "value", response_class),
        *members_of(annotations_of(endpoint).get("return")),
        *globals_named(endpoint),
    ]
    return any(isinstance(each, type) and _is_stream(each) for each in candidates)


def _is_stream(kind: type) -> bool:
    return any(base.__name__ in _STREAMS for base in kind.__mro__)
