"""What reads the database, as applications do: helpers that call helpers."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.orm import Session


def total(session: Session) -> int:
    return _number(session, "SELECT 1")


def _number(session: Session, statement: str) -> int:
    return int(session.execute(text(statement)).scalar_one())  # taken: reports
