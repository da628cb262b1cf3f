"""Why a server did not answer, in words of ours only."""

from __future__ import annotations

from typing import Any

import pytest

from pool_observer.probe.refusals import in_a_sentence

SECRET = "postgresql://app:hunter2@db.example.org/orders"


class PostgresError(Exception):
    sqlstate = "53300"


class Psycopg2Error(Exception):
    pgcode = "28P01"


def caused(error: Exception, by: BaseException) -> Exception:
    error.__cause__ = by
    return error


def wrapped(error: Exception, orig: BaseException) -> Exception:
    error.orig = orig  # type: ignore[attr-defined]
    return error


def circular() -> Exception:
    one, other = ValueError(SECRET), ValueError(SECRET)
    one.__cause__, other.__cause__ = other, one
    return one


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (PostgresError(SECRET), "PostgresError: it has no connection left"),
        (Psycopg2Error(SECRET), "Psycopg2Error: it refuses this password"),
        (OSError(111, SECRET), "ConnectionRefusedError"),
        (ValueError(1040, SECRET), "ValueError: it has no connection left"),
        (ValueError(2003, SECRET), "ValueError: nobody listens there"),
        (ValueError(f"FATAL: too many clients {SECRET}"), "ValueError: it has no connection left"),
        (TimeoutError(), "TimeoutError"),
        (caused(RuntimeError(SECRET), PostgresError()), "RuntimeError: it has no connection left"),
        (wrapped(RuntimeError(SECRET), Psycopg2Error()), "RuntimeError: it refuses this password"),
        (circular(), "ValueError"),
        (ValueError(SECRET), "ValueError"),
    ],
)
def test_what_is_said(error: Any, text: str) -> None:
    assert in_a_sentence(error) == text
