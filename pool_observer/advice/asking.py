"""Asks a web address for JSON, carefully: only over HTTP, within bounds, and with plain errors."""

from __future__ import annotations

import http.client
import ipaddress
import json
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urljoin, urlsplit

from pool_observer.advice.measurement import CannotMeasureError
from pool_observer.wording import one_line

MOST_BYTES = 32 << 20
"""An answer that is longer is not read to its end."""


class NotJsonError(CannotMeasureError):
    """There is an answer, and it is something else."""


class NoAnswerError(CannotMeasureError):
    """There was none in time, whoever was asked; another worker may answer."""


@dataclass(frozen=True, slots=True)
class Asker:
    """Asks with the same headers and the same patience."""

    headers: Mapping[str, str]
    timeout: float

    def json(self, url: str) -> Any:
        """What is there. A refusal that says why in JSON counts as an answer."""
        address = checked(url)
        shown = without_credentials(address)
        headers = {"User-Agent": "pool-observer", "Accept": "application/json", **self.headers}
        try:
            request = urllib.request.Request(url, headers=headers)  # noqa: S310 (it is checked)
            body = within(self.timeout, lambda: self._body(request, address))
        except TimeoutError:
            raise self._too_late(shown) from None
        except urllib.error.URLError as error:
            if isinstance(error.reason, TimeoutError):
                raise self._too_late(shown) from None
            raise CannotMeasureError(
                f"{shown} cannot be reached: {one_line(str(error.reason))}. Is it running, and "
                "is this its address?"
            ) from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise CannotMeasureError(
                f"{shown} does not speak HTTP as expected: {one_line(repr(error))}"
            ) from None
        if len(body) > MOST_BYTES:
            raise CannotMeasureError(f"{shown} answered with more than {MOST_BYTES >> 20} MiB")
        try:
            return json.loads(body)
        except (ValueError, RecursionError):
            raise NotJsonError(f"{shown} did not answer with JSON") from None

    def _too_late(self, shown: str) -> NoAnswerError:
        return NoAnswerError(
            f"{shown} did not answer within {self.timeout:g} s; give it longer with --timeout"
        )

    def _body(self, request: urllib.request.Request, address: SplitResult) -> bytes:
        handlers: list[urllib.request.BaseHandler] = [_SameOrigin(address)]
        if is_this_machine(address):
            handlers.append(urllib.request.ProxyHandler({}))  # no proxy would find it
        try:
            with urllib.request.build_opener(*handlers).open(
                request, timeout=self.timeout
            ) as response:
                body: bytes = response.read(MOST_BYTES + 1)
        except urllib.error.HTTPError as error:
            body = _refusal(error, without_credentials(address))
        return body


def _refusal(error: urllib.error.HTTPError, shown: str) -> bytes:
    """The body of an answer that is no success, if somebody can say more about it."""
    with error:
        if error.code in (401, 403):
            raise CannotMeasureError(
                f"{shown} does not let us in ({error.code}); say who asks with "
                "--header 'Name: value', or ask from where it is allowed"
            ) from None
        if 300 <= error.code < 400:
            raise CannotMeasureError(
                f"{shown} redirects to {_elsewhere(error)}; ask that address instead"
            ) from None
        if error.headers.get_content_type() != "application/json":
            if error.code in (502, 503, 504):
                raise NoAnswerError(f"{shown} is not to be had for now ({error.code})") from None
            raise NotJsonError(f"{shown} answered {error.code}") from None
        try:
            return error.read(MOST_BYTES + 1)
        except (OSError, http.client.HTTPException):
            raise NotJsonError(f"{shown} answered {error.code}, and broke off") from None


def _elsewhere(error: urllib.error.HTTPError) -> str:
    """Where it redirects to, without what may be a secret."""
    try:
        there = urlsplit(urljoin(error.url, error.headers.get("location", "")))
        whom = there.netloc.rpartition("@")[2]
    except ValueError:
        return "somewhere else"
    if there.scheme not in ("http", "https") or not whom:
        return "somewhere else"
    return one_line(f"{there.scheme}://{whom}{there.path}")


class _SameOrigin(urllib.request.HTTPRedirectHandler):
    """Follows no redirect to anybody else: the headers may be meant for this one only."""

    def __init__(self, address: SplitResult) -> None:
        self._address = address

    def redirect_request(
        self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        try:
            there = urlsplit(newurl)
            same = (there.scheme, there.hostname, there.port) == (
                self._address.scheme,
                self._address.hostname,
                self._address.port,
            )
        except ValueError:
            same = False
        return super().redirect_request(req, fp, code, msg, headers, newurl) if same else None

    def http_error_302(self, req: Any, fp: Any, code: int, msg: str, headers: Any) -> Any:
        try:
            return super().http_error_302(req, fp, code, msg, headers)
        except ValueError:  # what it redirects to is no address; and nobody has closed this
            fp.close()
            raise

    http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302


def within(seconds: float, do: Callable[[], bytes]) -> bytes:
    """What it gives, if it does in time. The time-out of a socket begins anew with each byte."""
    given: list[bytes] = []
    raised: list[BaseException] = []

    def attempt() -> None:
        try:
            given.append(do())
        except BaseException as error:
            raised.append(error)

    # It can be left to itself: what it reads is bounded, and it keeps no program from its end.
    thread = threading.Thread(target=attempt, daemon=True)
    thread.start()
    thread.join(seconds)
    if raised:
        raise raised[0]
    if not given:
        raise TimeoutError
    return given[0]


def checked(url: str) -> SplitResult:
    """The parts of the address; raises if it is none that is asked over HTTP."""
    try:
        address = urlsplit(url)
        _ = address.port  # which is looked at only now
    except ValueError:
        address = SplitResult("", "", "", "", "")
    if address.scheme not in ("http", "https") or not address.hostname or not url.isprintable():
        raise CannotMeasureError(
            "the address must begin with http:// or https:// and name a host, such as "
            "http://localhost:8000/debug/pools"
        )
    if address.username is not None or address.password is not None:
        raise CannotMeasureError(
            "put no name and password into the address; send them with "
            "--header 'Authorization: ...'"
        )
    return address


def without_credentials(address: SplitResult) -> str:
    """The address as it may be shown: what it is asked with may be a secret."""
    return one_line(f"{address.scheme}://{address.netloc}{address.path}")


def is_this_machine(address: SplitResult) -> bool:
    """Whether it is a loopback address."""
    host = address.hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
