"""Who may see the live page."""

from __future__ import annotations

import inspect
import ipaddress
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from pool_observer.asgi_types import Scope
from pool_observer.failures import Failures

_PROXIED = frozenset(
    ("forwarded", "true-client-ip", "via", "x-client-ip", "x-cluster-client-ip", "x-real-ip")
)
_PROXIED_PREFIXES = ("cf-", "l5d-", "x-envoy-", "x-forwarded-")
"""What many proxies add to a request. Many others add nothing."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who asks for the page."""

    client: str | None
    """The address the request came from; None if there is none, as on a unix socket."""
    headers: Mapping[str, str]
    """By lower-case name; several of one name are joined by commas."""
    scope: Scope
    """All that the server says about the request, in the terms of ASGI."""

    @classmethod
    def of(cls, scope: Scope) -> Visitor:
        """The visitor who sent this request."""
        client = scope.get("client")
        headers: dict[str, str] = {}
        for raw_name, raw_value in scope.get("headers", ()):
            name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
            headers[name] = f"{headers[name]},{value}" if name in headers else value
        return cls(client[0] if client else None, headers, scope)


Auth = Callable[[Visitor], bool | Awaitable[bool]]
"""Says whether a visitor may see the page, with True or False. Sync or async."""


async def may_see(visitor: Visitor, auth: Auth | None, failures: Failures) -> bool:
    """Whether the page is to be shown: what `auth` says, and without one, only on this machine.

    What is neither True nor False is a failure, and a no. An exception that is a response
    (Starlette's HTTPException) is the application's to answer.
    """
    if auth is None:
        return is_on_this_machine(visitor)
    try:
        answer = auth(visitor)
        if inspect.isawaitable(answer):
            answer = await answer
        return _plain(answer)
    except Exception as error:
        if isinstance(getattr(error, "status_code", None), int) and hasattr(error, "detail"):
            raise
        failures.note("debug_auth")
        return False


def _plain(answer: object) -> bool:
    # A response (a redirect to a login, a 401), a generator, a key: all of them would be true.
    if answer is None or isinstance(answer, bool):
        return answer is True
    raise TypeError(f"debug_auth must return True or False, not {type(answer).__name__}")


def is_on_this_machine(visitor: Visitor) -> bool:
    """Whether it seems to be sent from this machine, by somebody who meant to.

    A proxy on this machine that adds no header, speaks HTTP/1.1 and says a local host cannot be
    told from somebody who sits here: nginx from 1.29.7 on and HAProxy, as they come. Behind any
    proxy, only `debug_auth` is a protection.
    """
    return (
        visitor.client is not None
        and _is_loopback(visitor.client)
        # A proxy on this machine, behind which anybody may be, if it gives itself away.
        and not any(
            name in _PROXIED or name.startswith(_PROXIED_PREFIXES) for name in visitor.headers
        )
        and visitor.scope.get("http_version") != "1.0"  # nginx before 1.29.7
        and _is_meant(visitor.headers)
        # A page of somebody else's, whose name has come to mean 127.0.0.1 (DNS rebinding).
        and _is_local_host(visitor.headers.get("host", ""))
    )


def _is_meant(headers: Mapping[str, str]) -> bool:
    # A page of somebody else's, to whose scripts the application's CORS middleware would show
    # the figures. Whoever follows a link, or types the address, means to; and what comes of
    # following a link, no other page can read.
    return "origin" not in headers and (
        headers.get("sec-fetch-site", "none") in ("none", "same-origin")
        or headers.get("sec-fetch-mode") == "navigate"
    )


def _is_local_host(host: str) -> bool:
    name, colon, port = host.rpartition(":")
    if not colon or host.endswith("]"):
        name, port = host, ""
    if port and not (port.isascii() and port.isdigit()):
        return False
    name = name.lower()
    if name.startswith("[") and name.endswith("]"):
        return ":" in name and _is_loopback(name[1:-1])
    return name == "localhost" or name.endswith(".localhost") or _is_loopback(name)


def _is_loopback(address: str) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
        return parsed.ipv4_mapped.is_loopback  # Python says so itself from 3.13 on
    return parsed.is_loopback
