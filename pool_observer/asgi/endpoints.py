"""Paths of an application that we answer ourselves, unless the application does.

They are not put among its routes: whether a route of the application's own is meant for a path
can only be told when all of them are there, and a page that takes whatever is left must not
take these.
"""

from __future__ import annotations

import logging

from pool_observer.asgi.routes import RouteNames, routes_of
from pool_observer.asgi_types import App, Scope

logger = logging.getLogger("pool_observer")


def checked_path(path: object, option: str) -> str:
    """A path to answer on, or an error that says what it must be like."""
    if not isinstance(path, str):
        raise TypeError(f"{option} must be a path, or None for none, not {type(path).__name__}")
    stripped = path.rstrip("/")
    if not stripped.startswith("/") or not path.isprintable() or set(path) & set(" ?#{}%"):
        raise ValueError(
            f'{option} must be a plain path below the application, like "/metrics", not {path!r}'
        )
    return stripped


class Endpoint:
    """One path and what answers on it. In a scope it stands where a route would."""

    methods = frozenset(("GET", "HEAD"))

    def __init__(self, path: str, app: App) -> None:
        self.path = self.path_format = path
        self.endpoint = app
        self._has_said_so = False

    def takes(self, scope: Scope, names: RouteNames) -> bool:
        """Whether a request to this path is ours to answer: the application has not said how."""
        if not self._is_served(scope, names):
            return True
        if not self._has_said_so:
            self._has_said_so = True
            logger.info(
                "%s is answered by the application itself, so pool_observer does not. %s",
                self.path,
                getattr(self.endpoint, "instead", ""),
            )
        return False

    def _is_served(self, scope: Scope, names: RouteNames) -> bool:
        for route in routes_of(scope):
            if getattr(route, "path", None) == self.path:
                return True  # also a mount, which sends those who forget the last slash there
        return names.asked({**scope, "method": "GET"}) == f"GET {self.path}"


class Endpoints:
    """All that we answer on one application."""

    def __init__(self) -> None:
        self._at: dict[str, Endpoint] = {}
        self._names = RouteNames()
        self.endings: tuple[str, ...] = ()
        """What a path must end with to be one of ours: every request is looked at."""

    def replace(self, apps: dict[str, App]) -> None:
        """Answer on these paths, with or without a slash at the end."""
        known = self._at
        at: dict[str, Endpoint] = {}
        for path, app in apps.items():
            endpoint = known.get(path)
            if endpoint is None or endpoint.endpoint is not app:
                endpoint = Endpoint(path, app)
            at[path] = at[f"{path}/"] = endpoint
        self._at = at
        self.endings = tuple(at)

    def of(self, scope: Scope) -> Endpoint | None:
        """What of ours is to answer this request, if anything is."""
        path: str = scope["path"]
        root_path = scope.get("root_path")
        if root_path and path.startswith(root_path):
            path = path[len(root_path) :]
        endpoint = self._at.get(path)
        if endpoint is None or not endpoint.takes(scope, self._names):
            return None
        return endpoint
