"""What a user's own code raised, in a line that has none of their secrets."""

from __future__ import annotations

import re
from typing import Any

from pool_observer.wording import one_line

_MOST_FIELDS = 3

_SECRETS = (
    # A password in a URL may have any character, of which the last @ ends it.
    (re.compile(r"(://[^/\s:@]*):.*@"), r"\1:***@"),
    (
        re.compile(
            r"((?:password|passwd|passphrase|pwd|secret|token|key)\w*['\"]?\s*[=:]\s*)"
            r"(?:'(?:[^'\\]|\\.)*'?|\"(?:[^\"\\]|\\.)*\"?|\S+)",
            re.IGNORECASE,
        ),
        r"\1***",
    ),
    # What urllib takes for the port of a URL is the beginning of a password that has a slash.
    (re.compile(r"(Port could not be cast to integer value as ).*"), r"\1***"),
)


def in_a_line(error: BaseException) -> str:
    """The kind of an error and what it says last, as far as that is nobody's secret."""
    kind = type(error).__name__
    try:
        said = _fields(error) or _last_line(error)
    except Exception:  # even what it says may fail: it is the user's
        said = ""
    return one_line(f"{kind}: {said}" if said else kind)


def _last_line(error: BaseException) -> str:
    """What a traceback ends with."""
    lines = str(error).strip().splitlines()
    return masked(lines[-1]) if lines else ""


def masked(text: str) -> str:
    """The text without what looks like a password."""
    for pattern, replacement in _SECRETS:
        text = pattern.sub(replacement, text)
    return text


def _fields(error: BaseException) -> str:
    """Which settings pydantic does not accept, and why; not what they are."""
    if type(error).__module__.partition(".")[0] not in ("pydantic", "pydantic_core"):
        return ""
    if type(error).__name__ != "ValidationError":
        return ""
    given: Any = error
    fields = [_field(each) for each in given.errors()]
    more = len(fields) - _MOST_FIELDS
    return "; ".join(fields[:_MOST_FIELDS]) + (f"; and {more} more" if more > 0 else "")


def _field(error: dict[str, Any]) -> str:
    where = ".".join(map(str, error["loc"]))
    # What a validator of their own says may quote what it was given.
    own = error["type"] in ("value_error", "assertion_error")
    said = "it was refused by its validator" if own else masked(str(error["msg"]))
    return f"{where}: {said}" if where else said
