"""Two connections execute what they have executed before, each on the other's server connection."""

from __future__ import annotations

from sqlalchemy import Connection, text

OFTEN = 10
"""Times that psycopg executes a statement until it has it prepared, and more."""


def execute_often(connection: Connection, number: int) -> None:
    """Execute a statement that is this number's, and see that it has been answered."""
    for _ in range(OFTEN):
        assert connection.scalar(text(f"SELECT {number:d}")) == number


def swap_servers(first: Connection, second: Connection) -> None:
    for _ in range(2):
        execute_often(first, 1)
        execute_often(second, 2)
        # The first will be next to begin, on the server connection that came back last.
        first.commit()
        second.commit()
