"""The names of requests: `POST /chat/{id}`, from what routing leaves behind in the scope.

FastAPI and Starlette write into the scope which route they have chosen, differently in each
version. Reading that is quick, and is what happens nearly always. Where they have written
nothing (not yet, or because no route matched, or as old Starlette does for its own routes),
the application's routes are asked once more. Neither framework is imported: a scope that
they have filled brings all that is needed.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from typing import Any

from pool_observer.asgi_types import Scope
from pool_observer.model import UNATTRIBUTED, UNMATCHED

METHODS = frozenset(
    ("CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY", "TRACE")
)
OTHER_METHOD = "OTHER"
"""Stands for what is no method of HTTP and of no route: clients may send any word."""

NAMED_BY = (
    "type",
    "method",
    "path",
    "root_path",
    "app_root_path",
    "app",
    "router",
    "route",
    "endpoint",
    "fastapi",
)
"""What of a scope is needed to name it, besides the host that was asked for."""

ROUTE, ENDPOINT = NAMED_BY.index("route"), NAMED_BY.index("endpoint")

BELOW = "/{path}"
"""How the format of a mount ends, whatever it mounts."""

MOST_MOUNTS = 1000


Essence = tuple[Any, ...]
"""What of a scope is needed to name it. The rest may hold anything: open sessions, secrets."""


def essence_of(scope: Scope) -> Essence:
    """What to keep of the scope of a request that is over. This is on every request's path."""
    essence = tuple(map(scope.get, NAMED_BY))
    if _is_chosen(essence[ROUTE], essence[ENDPOINT]):
        return essence
    hosts = [header for header in scope.get("headers", ()) if header[0] == b"host"]
    return (*essence, hosts)


def scope_from(essence: Essence) -> Scope:
    """A scope as good as the original for naming it."""
    known = zip((*NAMED_BY, "headers"), essence, strict=False)
    return {key: value for key, value in known if value is not None}


class RouteNames:
    """Names requests of one application."""

    def __init__(self) -> None:
        # Where the path of a mount has parameters, there is one entry for each of their values.
        self._mounts: dict[str, str] = {}

    def routed(self, scope: Scope) -> str | None:
        """The name by the route that was chosen, or None if there is none to be relied on."""
        route: Any = scope.get("route")
        if not _is_chosen(route, scope.get("endpoint")):
            return None
        # FastAPI 0.137 and newer keep the prefixes of included routers apart from the route.
        fastapi = scope.get("fastapi")
        if fastapi is not None:
            context = fastapi.get("effective_route_context")
            if context is not None and context.original_route is route:
                route = context
        template: str = route.path_format
        if "app_root_path" in scope:
            mount = self._mount(scope)
            if mount is None:
                return None
            template = mount + template
        return _name(scope, template, getattr(route, "methods", None))

    def asked(self, scope: Scope) -> str:
        """The name by the route that would be chosen for this request."""
        routes = _root_routes(scope)
        if routes is None:
            return UNATTRIBUTED
        template, methods = _chosen(routes, _as_it_came(scope)) or (_frontend(scope), ())
        if template is None:
            return UNMATCHED
        return _name(scope, template, methods)

    def _mount(self, scope: Scope) -> str | None:
        """The templates of the mounts that this scope is below of."""
        came_with = scope["app_root_path"]
        path = scope.get("root_path", "")
        if not path.startswith(came_with):
            return ""  # an application that insists on a root path of its own
        path = path[len(came_with) :]
        template = self._mounts.get(path)
        if template is None:
            template = _mount_template(_root_routes(scope) or (), path)
            if template is not None:
                if len(self._mounts) >= MOST_MOUNTS:
                    self._mounts.clear()
                self._mounts[path] = template
        return template


def _is_chosen(route: Any, endpoint: Any) -> bool:
    """Whether a route in the scope is where routing has ended.

    One further up may have been left there. The endpoint is always replaced.
    """
    return route is not None and getattr(route, "endpoint", None) is endpoint


def _root_routes(scope: Scope) -> Iterable[Any] | None:
    """The routes of the outermost application: the first router leaves itself in the scope."""
    root = scope.get("router") or scope.get("app")
    routes: Iterable[Any] | None = getattr(root, "routes", None)
    return routes


def routes_of(scope: Scope) -> Iterator[Any]:
    """The outermost application's own routes."""
    return _flat(_root_routes(scope) or ())


def _flat(routes: Iterable[Any]) -> Iterator[Any]:
    """The routes, with those of FastAPI's included routers in their place."""
    for route in routes:
        included = getattr(route, "effective_route_contexts", None)
        if included is None:
            yield route
        else:
            for context in included():
                yield context.starlette_route or context


def _name(scope: Scope, template: str, methods: Container[str] | None) -> str:
    if scope["type"] == "websocket":
        return f"WS {template}"
    method = scope["method"]
    if method not in METHODS and method not in (methods or ()):
        method = OTHER_METHOD
    return f"{method} {template}"


def _is_mount(route: Any) -> bool:
    return hasattr(route, "app") and not hasattr(route, "endpoint")


def _mount_template(routes: Iterable[Any], path: str) -> str | None:
    """The templates of the mounts that together have matched the whole of `path`."""
    if not path:
        return ""
    for route in _flat(routes):
        if not _is_mount(route):
            continue
        if hasattr(route, "host_regex"):
            template = _mount_template(route.routes, path)
        else:
            match = route.path_regex.match(f"{path}/")
            if match is None:
                continue
            template = _mount_template(route.routes, f"/{match['path']}"[:-1])
            if template is not None:
                template = route.path_format.removesuffix(BELOW) + template
        if template is not None:
            return template
    return None


Chosen = tuple[str, Container[str] | None]
"""The template of a route, and its methods."""


def _chosen(routes: Iterable[Any], scope: Scope) -> Chosen | None:
    """What these routes would make of the request, as Starlette's router goes about it."""
    partial = None
    for route in _flat(routes):
        match, child_scope = route.matches(scope)
        if match.name == "NONE":
            continue
        chosen = _chosen_below(route, {**scope, **child_scope})
        if match.name == "FULL":
            return chosen
        partial = partial or chosen
    return partial


def _chosen_below(route: Any, scope: Scope) -> Chosen | None:
    if not _is_mount(route):
        return route.path_format, getattr(route, "methods", None)
    prefix = getattr(route, "path_format", BELOW).removesuffix(BELOW)
    routes = route.routes
    if not routes:  # static files, or an application that keeps its routes to itself
        return prefix + BELOW, None
    below = _chosen(routes, scope)
    return None if below is None else (prefix + below[0], below[1])


def _as_it_came(scope: Scope) -> Scope:
    """The scope as it was before any route was chosen."""
    root_path = scope.get("app_root_path", scope.get("root_path", ""))
    came = {key: scope[key] for key in ("type", "method", "path", "headers") if key in scope}
    return {**came, "root_path": root_path}


def _frontend(scope: Scope) -> str | None:
    """The template of a folder that FastAPI serves to whatever no route matches."""
    path = (scope.get("fastapi") or {}).get("frontend_path")
    if not isinstance(path, str):
        return None
    folder: str = scope["path"].removesuffix(path).rstrip("/")
    return folder + BELOW
