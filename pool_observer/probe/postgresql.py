"""What PostgreSQL says of its sessions.

One transaction for all of it, with a time-out that ends with it: behind a pooler the next one on
this server connection may be the application's, and must not inherit any setting of ours. No
statement's text is asked for.
"""

from __future__ import annotations

import re
from typing import Any

from pool_observer.probe.reading import Reading, Row
from pool_observer.server import ServerLimits, SessionState

_SESSIONS = """
SELECT pid, encode(namesend(usename), 'escape'), encode(namesend(datname), 'escape'),
       application_name, state,
       extract(epoch FROM clock_timestamp() - backend_start)::float8,
       extract(epoch FROM clock_timestamp() - state_change)::float8,
       extract(epoch FROM clock_timestamp() - xact_start)::float8,
       wait_event_type, wait_event,
       CASE WHEN wait_event_type = 'Lock' THEN array_to_string(pg_blocking_pids(pid), ',') END
FROM pg_stat_activity
WHERE backend_type = 'client backend' OR backend_type IS NULL AND usesysid IS NOT NULL
"""
# A role without the right to look is not told what others' processes are, nor what they do; those
# with a user are clients, or work for one.
# Names may be in another encoding than this database's, and are no text then.
# Asking for blockers takes the lock manager's locks, so only of those who wait for a lock.

_LIMITS = """
SELECT pg_backend_pid(),
       (SELECT setting::int FROM pg_settings WHERE name = 'max_connections'),
       (SELECT sum(setting::int)::int FROM pg_settings
        WHERE name IN ('superuser_reserved_connections', 'reserved_connections')),
       (SELECT rolconnlimit FROM pg_roles WHERE rolname = session_user AND NOT rolsuper),
       (SELECT datconnlimit FROM pg_database, pg_roles
        WHERE datname = current_database() AND rolname = session_user AND NOT rolsuper),
       (SELECT setting::int FROM pg_settings WHERE name = 'idle_in_transaction_session_timeout')
"""

_STATES = {
    "active": SessionState.ACTIVE,
    "fastpath function call": SessionState.ACTIVE,
    "idle": SessionState.IDLE,
    "idle in transaction": SessionState.IDLE_IN_TRANSACTION,
    "idle in transaction (aborted)": SessionState.ABORTED,
}

_MILLISECONDS = 1000

_ESCAPED = re.compile(r"\\(?:([0-7]{3})|\\)")


def read(cursor: Any, timeout: float) -> Reading:
    """Ask everything, through a DBAPI cursor of a connection that commits by itself."""
    cursor.execute("BEGIN READ ONLY")
    # A number, and so no parameter: drivers write those differently.
    cursor.execute(f"SET LOCAL statement_timeout = {max(1, int(timeout * _MILLISECONDS))}")
    cursor.execute(_LIMITS)
    pid, most, reserved, role, database, idle_in_transaction = cursor.fetchone()
    cursor.execute(_SESSIONS)
    rows = tuple(_row(*row) for row in cursor.fetchall())
    cursor.execute("COMMIT")
    limits = ServerLimits(
        max_connections=most,
        reserved=reserved or 0,
        role=_limit(role),
        database=_limit(database),
        idle_in_transaction_timeout=(
            idle_in_transaction / _MILLISECONDS if idle_in_transaction else None
        ),
    )
    return Reading(pid, rows, limits)


def _limit(connections: int | None) -> int | None:
    """As the catalogs write limits: -1 is none."""
    return None if connections is None or connections < 0 else connections


def unescaped(escaped: str | None) -> str | None:
    """A name, of which the server has escaped what is not ASCII."""
    if escaped is None or "\\" not in escaped:
        return escaped
    plain = _ESCAPED.sub(lambda found: chr(int(found[1] or "134", 8)), escaped)
    return plain.encode("latin-1").decode(errors="replace")


def _age(seconds: float | None) -> float | None:
    """An age; the server's clock may be set back meanwhile."""
    return None if seconds is None else max(0.0, seconds)


def _row(
    pid: int,
    user: str | None,
    database: str | None,
    application: str | None,
    state: str | None,
    age_seconds: float | None,
    state_seconds: float | None,
    transaction_seconds: float | None,
    wait_type: str | None,
    wait_event: str | None,
    blocked_by: str | None,
) -> Row:
    waits = wait_type is not None and wait_type != "Client"  # for us: for nothing in the server
    return Row(
        pid=pid,
        user=unescaped(user),
        database=unescaped(database),
        application=application or None,
        state=_STATES.get(state or "", SessionState.UNKNOWN),
        state_seconds=_age(state_seconds),
        transaction_seconds=_age(transaction_seconds),
        waits_for=f"{wait_type}: {wait_event}" if waits else None,
        blocked_by=tuple(map(int, blocked_by.split(","))) if blocked_by else (),
        age_seconds=_age(age_seconds),
    )
