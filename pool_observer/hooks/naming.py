"""A name for a pool, from the engine's URL and without its secrets."""

from __future__ import annotations

import os

from sqlalchemy.engine import URL

from pool_observer.names import LONGEST_NAME


def default_name(url: URL) -> str:
    """`host:port/database`, as far as the URL says; never a user, a password or an option."""
    host = url.host or _host_in_query(url)
    if host is None:
        database = os.path.basename(url.database or "")
        name = f"{url.get_backend_name()}/{database}" if database else url.get_backend_name()
    else:
        port = f":{url.port}" if url.port else ""
        name = f"{host}{port}/{url.database}" if url.database else f"{host}{port}"
    return "".join(character for character in name if character.isprintable())[:LONGEST_NAME]


def _host_in_query(url: URL) -> str | None:
    """Sockets and several hosts are given as `?host=...`. A socket's folder is nobody's name."""
    given = url.query.get("host")
    if not given:
        return None
    hosts = [given] if isinstance(given, str) else given
    return ",".join("localhost" if host.startswith("/") else host for host in hosts)
