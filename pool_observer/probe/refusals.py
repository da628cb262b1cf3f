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

_PHRASES = {
    "too many connections": _NO_CONNECTION_LEFT,
    "too many clients": _NO_CONNECTION_LEFT,
    "remaining connection slots": _NO_CONNECTION_LEFT,
    "password authentication failed": _WRONG_PASSWORD,
    "no password supplied": _WRONG_PASSWORD,
    "does not exist": _NO_SUCH_ROLE,
    "connection refused": "nobody listens there",
    "timeout expired": "it took too long",
}
"""What libpq says where it has no code, which is while it connects; if it speaks English."""


def in_a_sentence(error: BaseException) -> str:
    """The kind of error and what it means, but not its text, which drivers put addresses into."""
    for cause in _causes(error):
        state = getattr(cause, "sqlstate", None) or getattr(cause, "pgcode", None)
        if isinstance(state, str) and state in _SQLSTATES:
            return f"{one_line(type(cause).__name__)}: {_SQLSTATES[state]}"
    text = str(error).lower()
    for phrase, meaning in _PHRASES.items():
        if phrase in text:
            return f"{one_line(type(error).__name__)}: {meaning}"
    return one_line(type(error).__name__)


def _causes(error: BaseException) -> list[BaseException]:
    """The error and what it was raised from, the drivers' own among them."""
    causes: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and cause not in causes:
        causes.append(cause)
        cause = cause.__cause__ or cause.__context__ or getattr(cause, "orig", None)
    return causes
