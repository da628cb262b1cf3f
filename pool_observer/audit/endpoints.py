"""What can be known about an application's endpoints without calling them.

Neither FastAPI nor Starlette is imported: an application of theirs brings all that is needed.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from pool_observer.audit.facts import Route
from pool_observer.audit.reading import annotations_of, members_of, named_in, words_of
from pool_observer.audit.using import (
    function_behind,
    runs_on_the_loop,
    session_dependencies,
    used,
    used_by_dependencies,
)

logger = logging.getLogger("pool_observer.audit")

_STREAMS = ("StreamingResponse", "FileResponse", "EventSourceResponse")
_RELEASES = frozenset(("close", "commit", "rollback"))


def routes_of(app: Any) -> tuple[Route, ...]:
    """The endpoints of a FastAPI or Starlette application, and of what it includes and mounts."""
    return tuple(_each(_owned(app), lambda each: [_route(*each)]))


def number_of_routes(app: Any) -> int:
    """How many of them there are by now."""
    return sum(1 for _ in _owned(app))


def _each(of: Iterable[Any], look: Callable[[Any], Iterable[Any]]) -> Iterator[Any]:
    """What each of them comes to; the odd ones, which fail when they are looked at, to nothing."""
    for one in of:
        try:
            yield from look(one)
        except Exception as error:
            # A route may be anybody's, and is no reason to be silent about the others.
            logger.debug("a route was not understood: %s", type(error).__name__)


def _owned(app: Any) -> Iterator[tuple[str, Any, Callable[..., Any]]]:
    """The application's own routes with the prefixes of their paths, and their functions."""

    def with_function(route: tuple[str, Any]) -> Iterator[tuple[str, Any, Callable[..., Any]]]:
        function = function_behind(getattr(route[1], "endpoint", None))
        # What FastAPI adds by itself is none of the application's.
        if function is not None and not (function.__module__ or "").startswith(
            ("fastapi.", "starlette.")
        ):
            yield *route, function

    return _each(_each([app], lambda each: _flat(each.routes, "", set())), with_function)


def _flat(routes: Iterable[Any], prefix: str, seen: set[int]) -> Iterator[tuple[str, Any]]:
    def look(route: Any) -> Iterator[tuple[str, Any]]:
        if hasattr(route, "effective_route_contexts"):  # what FastAPI 0.137 includes
            for context in route.effective_route_contexts():
                yield from _flat([context.starlette_route or context], prefix, seen)
        elif hasattr(route, "app") and hasattr(route, "routes") and not hasattr(route, "endpoint"):
            if id(route) not in seen:  # an application may be mounted on itself
                seen.add(id(route))
                yield from _flat(route.routes or (), prefix + getattr(route, "path", ""), seen)
        else:
            yield prefix, route

    return _each(routes, look)


def _route(prefix: str, route: Any, endpoint: Callable[..., Any]) -> Route:
    methods = sorted(getattr(route, "methods", None) or ())
    dependant = getattr(route, "dependant", None)
    dependencies = tuple(session_dependencies(dependant))
    uses = set(used(endpoint, dependant))
    return Route(
        name=f"{methods[0] if methods else 'WS'} {prefix}{getattr(route, 'path', '')}",
        on_the_loop=frozenset(kind for kind, on_the_loop in uses if on_the_loop),
        in_threads=frozenset(kind for kind, on_the_loop in uses if not on_the_loop),
        session_dependencies=dependencies,
        threads_again=any(not asynchronous for asynchronous, _ in dependencies)
        and not runs_on_the_loop(endpoint)
        and (
            # FastAPI validates what a plain endpoint returns in a thread,
            (getattr(route, "response_field", None) is not None and (False, False) in uses)
            # and runs a plain dependency in another one than the endpoint.
            or (False, False) in used_by_dependencies(dependant)
        ),
        streams=bool(methods) and _streams(route, endpoint),
        releases=bool(_RELEASES & words_of(endpoint)),
    )


def _streams(route: Any, endpoint: Callable[..., Any]) -> bool:
    if getattr(route, "is_sse_stream", False) or getattr(route, "is_json_stream", False):
        return True
    response_class = getattr(route, "response_class", None)
    candidates = [
        getattr(response_class, "value", response_class),
        *members_of(annotations_of(endpoint).get("return")),
        *(named.value for named in named_in(endpoint)),
    ]
    return any(isinstance(each, type) and _is_stream(each) for each in candidates)


def _is_stream(kind: type) -> bool:
    return any(base.__name__ in _STREAMS for base in kind.__mro__)
