"""Which kinds of sessions a function and its dependencies use, and where.

Sessions are known by annotations, and by the engines and factories that a function's own code
uses. What is not plain to see is taken for nothing: a wrong finding is worse than none.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy.engine import Connection, Engine
from sqlalchemy.orm import Session, scoped_session, sessionmaker

from pool_observer.audit.reading import (
    annotations_of,
    members_of,
    named_in,
    parameters_kept,
    words_of,
)

_TO_THREADS = frozenset(("run_in_executor", "run_in_threadpool", "run_sync", "to_thread"))
_ASK_THE_DATABASE = frozenset(
    (
        "begin",
        "begin_nested",
        "commit",
        "connect",
        "connection",
        "execute",
        "exec",
        "flush",
        "get",
        "get_one",
        "merge",
        "query",
        "raw_connection",
        "refresh",
        "rollback",
        "scalar",
        "scalars",
        "stream",
        "stream_scalars",
    )
)
"""What is taken from an engine, a factory or a session of everybody's in order to use it."""


@dataclass(frozen=True, slots=True)
class Provider:
    """Something that is depended on."""

    function: Callable[..., Any]
    """What is called for it; of a class, its `__init__`."""
    name: str
    is_class: bool
    dependant: Any
    """What FastAPI knows of it."""
    parameter: str
    """What it is called by whom it is for."""

    @property
    def generates(self) -> bool:
        """Whether it ends later than it returns."""
        return inspect.isgeneratorfunction(self.function) or inspect.isasyncgenfunction(
            self.function
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


def function_behind(endpoint: Any) -> Callable[..., Any] | None:
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


def runs_on_the_loop(function: Callable[..., Any]) -> bool:
    """Whether the event loop runs it; others run in threads."""
    return inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function)


def used(function: Callable[..., Any], dependant: Any) -> Iterator[tuple[bool, bool]]:
    """The kinds of sessions that it and its dependencies use, and whether in the event loop."""
    on_the_loop = runs_on_the_loop(function)
    if on_the_loop and _TO_THREADS & words_of(function):
        return  # it may well use them there
    for kind in _sessions(function):
        yield kind, on_the_loop
    for provider in _providers(dependant):
        for kind in _handed_on(provider):
            yield kind, on_the_loop
        yield from _used_by(provider)


def used_by_dependencies(dependant: Any) -> Iterator[tuple[bool, bool]]:
    """The same, of its dependencies, without what they only make for it."""
    for provider in _providers(dependant):
        yield from _used_by(provider)


def session_dependencies(dependant: Any) -> Iterator[tuple[bool, str]]:
    """The kinds of the generators of sessions that end with the request, and their names."""
    function = _constructor_or_function(getattr(dependant, "call", None))
    parameters = annotations_of(function)
    for provider in _providers(dependant):
        if provider.generates and getattr(provider.dependant, "scope", None) != "function":
            kinds = {*_sessions(provider.function), *_kinds_in(parameters.get(provider.parameter))}
            for kind in sorted(kinds):
                yield kind, provider.name
        yield from session_dependencies(provider.dependant)


def _providers(dependant: Any) -> Iterator[Provider]:
    for dependency in getattr(dependant, "dependencies", None) or ():
        call = dependency.call
        function = _constructor_or_function(call)
        if function is not None:
            yield Provider(
                function,
                name=getattr(call, "__name__", type(call).__name__),
                is_class=isinstance(call, type),
                dependant=dependency,
                parameter=getattr(dependency, "name", None) or "",
            )


def _constructor_or_function(call: Any) -> Callable[..., Any] | None:
    if isinstance(call, type):
        made: Any = call
        return made.__init__  # type: ignore[no-any-return]
    return function_behind(call)


def _handed_on(provider: Provider) -> set[bool]:
    """The kinds of sessions that it makes or keeps, and whom it is for uses."""
    if provider.generates:
        return set(_sessions(provider.function))
    if not provider.is_class:
        return set()
    kept = parameters_kept(provider.function)
    parameters = annotations_of(provider.function)
    kinds = {kind for name in kept for kind in _kinds_in(parameters.get(name))}
    for inner in _providers(provider.dependant):
        if inner.parameter in kept:
            kinds |= _handed_on(inner)
    return kinds


def _used_by(provider: Provider) -> set[tuple[bool, bool]]:
    """What a dependency uses before its function returns."""
    if provider.generates:
        return set()
    handed_on = _handed_on(provider)
    return {
        (kind, on_the_loop)
        for kind, on_the_loop in used(provider.function, provider.dependant)
        if kind not in handed_on
    }


def _sessions(function: Callable[..., Any]) -> Iterator[bool]:
    """The kinds of sessions and engines that it is given, or uses itself."""
    for annotation in annotations_of(function).values():
        yield from _kinds_in(annotation)
    for named in named_in(function):
        if named.called or named.attribute in _ASK_THE_DATABASE:
            kind = is_asynchronous(named.value)
            if kind is not None:
                yield kind


def _kinds_in(annotation: Any) -> Iterator[bool]:
    for member in members_of(annotation):
        kind = is_asynchronous(member) if isinstance(member, type) else None
        if kind is not None:
            yield kind
