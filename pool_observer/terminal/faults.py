"""Why a live page could not be asked, with what mends it."""

from __future__ import annotations

import http.client
import ssl
import urllib.error
from urllib.parse import quote, urlsplit, urlunsplit

from pool_observer.advice.asking import NoAnswerError, NotJsonError, checked, without_credentials
from pool_observer.advice.measurement import CannotMeasureError

BLOCKED = "most likely its event loop is blocked, and answers nobody until that is over"
PAGE = "the address is the debug_path of observe(..., debug_path=...)"

BAD_REQUEST = 400

_SENDABLE = "/?:@!$&'()*+,;=-._~%"
"""What stands for itself in an address."""


class NobodyThereError(CannotMeasureError):
    """Nobody listens at that address: who answered there before has ended."""


class HungUpError(CannotMeasureError):
    """Somebody listens there, and has closed the connection without an answer."""


def sendable(url: str) -> str:
    """The address as it can be asked, whatever letters it was typed with; raises if it is none."""
    if _has_a_bad_port(url):
        raise CannotMeasureError(
            "the port of the address must be a number, and 65535 at most, as in "
            "http://localhost:8000/debug/pools"
        )
    parts = checked(url)
    if any(each.isspace() for each in parts.netloc):
        raise CannotMeasureError("there is a space in the host of the address; leave it out")
    path, query = (quote(each, safe=_SENDABLE) for each in (parts.path, parts.query))
    return urlunsplit((parts.scheme, parts.netloc, path, query, ""))


def _has_a_bad_port(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False  # more than that is bad
    try:
        _ = parts.port
    except ValueError:
        return True
    return False


def with_mend(error: CannotMeasureError, url: str, timeout: float) -> CannotMeasureError:
    """The same fault, as somebody who asks a live page can mend it."""
    shown, cause = without_credentials(checked(url)), _cause(error)
    if isinstance(cause, TimeoutError):
        return NoAnswerError(
            f"{shown} did not answer within {timeout:g} s: {BLOCKED}; if it is only slow, give it "
            "longer with --timeout"
        )
    if isinstance(cause, ConnectionRefusedError):
        return NobodyThereError(str(error))
    if isinstance(cause, ssl.SSLCertVerificationError):
        return CannotMeasureError(
            f"{shown} has a certificate that is not trusted here ({cause.verify_message}); name "
            "the file of whoever signed it in the environment, as SSL_CERT_FILE"
        )
    if isinstance(cause, ssl.SSLError):
        return CannotMeasureError(f"{error} If it speaks no TLS, try http://")
    if isinstance(cause, ConnectionError | http.client.HTTPException):
        return HungUpError(f"{error}; {_tls(shown)}{PAGE}")
    if isinstance(error, NotJsonError | NoAnswerError):
        refused = isinstance(cause, urllib.error.HTTPError) and cause.code == BAD_REQUEST
        return type(error)(f"{error}; {_tls(shown) if refused else ''}{PAGE}")
    return error  # it has its mend


def _tls(shown: str) -> str:
    return "if it speaks TLS, try https://, and " if shown.startswith("http:") else ""


def _cause(error: CannotMeasureError) -> object:
    """What the asker has made this one of."""
    cause = error.__context__
    if isinstance(cause, urllib.error.URLError) and not isinstance(cause, urllib.error.HTTPError):
        return cause.reason
    return cause
