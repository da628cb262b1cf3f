"""Attributes that OpenTelemetry's semantic conventions have names for.

We use the stable names. Where `OTEL_SEMCONV_STABILITY_OPT_IN` asks for both, with
`database/dup` or `code/dup`, the former ones are there too.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from pool_observer.model import CallSite

OPT_IN = "OTEL_SEMCONV_STABILITY_OPT_IN"

Attributes = dict[str, str | bool | int | float | list[str]]

_SYSTEMS = {
    "mssql": "microsoft.sql_server",
    "oracle": "oracle.db",
}
"""Databases that SQLAlchemy calls differently."""

_REQUEST = re.compile(r"([A-Z]+) (/.*)")
"""How a request is called as a holder: `POST /chat/{id}`."""


class Conventions:
    """The conventions as this process has opted for them."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        opted = {each.strip() for each in environment.get(OPT_IN, "").split(",")}
        self._former_database = "database/dup" in opted
        self._former_code = "code/dup" in opted

    def database(self, dialect: str) -> Attributes:
        """What kind of database it is."""
        found: Attributes = {"db.system.name": _SYSTEMS.get(dialect, dialect)}
        if self._former_database:
            found["db.system"] = dialect
        return found

    def code(self, site: CallSite | None) -> Attributes:
        """The line of the application."""
        if site is None:
            return {}
        found: Attributes = {
            "code.function.name": site.function,
            "code.file.path": site.file,
            "code.line.number": site.line,
        }
        if self._former_code:
            found["code.function"] = site.function
            found["code.filepath"] = site.file
            found["code.lineno"] = site.line
        return found

    def request(self, holder: str) -> Attributes:
        """The route, if the holder is a request."""
        match = _REQUEST.fullmatch(holder)
        if match is None:
            return {}
        method, route = match.groups()
        # A WebSocket has a route as well, and no method to speak of.
        return {"http.route": route} | ({} if method == "WS" else {"http.request.method": method})
