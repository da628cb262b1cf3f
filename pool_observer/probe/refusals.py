"""Why a server did not answer, in words that cannot contain a secret."""

from __future__ import annotations

from pool_observer.wording import one_line

_SQLSTATES = {
    "53300": "it has no connection left",
    "28000": "it does not know this role, or refuses it",
    "28P01": "it refuses this password",
    "3D000": "there is no such database",
    "42501": "this role may not ask that",
    "57014": "it took too long",
    "57P01": "it is being shut down",
    "57P03": "it is starting up or shutting down",
}

_NO_CONNECTION_LEFT, _NO_SUCH_ROLE, _WRONG_PASSWORD = (
    _SQLSTATES[state] for state in ("53300", "28000", "28P01")
)

_NOBODY_LISTENS = "nobody listens there"

_PHRASES = {
    "too many connections": _NO_CONNECTION_LEFT,
    "too many clients": _NO_CONNECTION_LEFT,
    "remaining connection slots": _NO_CONNECTION_LEFT,
    "password authentication failed": _WRONG_PASSWORD,
    "no password supplied": _WRONG_PASSWORD,
    "does not exist": _NO_SUCH_ROLE,
    "connection refused": _NOBODY_LISTENS,
    "timeout expired": "it took too long",
}
"""What libpq says where it has no code, which is while it connects; if it speaks English."""


_NUMBERS = {
    1040: _NO_CONNECTION_LEFT,
    1203: _NO_CONNECTION_LEFT,
    1226: _NO_CONNECTION_LEFT,
    1044: _NO_SUCH_ROLE,
    1045: _NO_SUCH_ROLE,
    1049: _SQLSTATES["3D000"],
    1053: _SQLSTATES["57P01"],
    1142: _SQLSTATES["42501"],
    1227: _SQLSTATES["42501"],
    1969: _SQLSTATES["57014"],
    3024: _SQLSTATES["57014"],
    2002: _NOBODY_LISTENS,
    2003: _NOBODY_LISTENS,
}
"""What MySQL and MariaDB say, which their drivers have as the first argument."""


def in_a_sentence(error: BaseException) -> str:
    """The kind of error and what it means, but not its text, which drivers put addresses into."""
    meaning = next(filter(None, map(_meaning, _causes(error))), None)
    kind = one_line(type(error).__name__)
    return kind if meaning is None else f"{kind}: {meaning}"


def _meaning(error: BaseException) -> str | None:
    state = getattr(error, "sqlstate", None) or getattr(error, "pgcode", None)
    if isinstance(state, str) and state in _SQLSTATES:
        return _SQLSTATES[state]
    number = error.args[0] if error.args else None
    if isinstance(number, int) and number in _NUMBERS:
        return _NUMBERS[number]
    text = str(error).lower()
    return next((meaning for phrase, meaning in _PHRASES.items() if phrase in text), None)


def _causes(error: BaseException) -> list[BaseException]:
    """The error and what it was raised from, the drivers' own among them."""
    causes: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and cause not in causes:
        causes.append(cause)
        cause = cause.__cause__ or cause.__context__ or getattr(cause, "orig", None)
    return causes
