"""What is in the database."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, Select, func, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

HISTORY = 10
"""Messages of a conversation that the model is told."""


class Base(DeclarativeBase):
    """All tables of the service."""


class Message(Base):
    """What a user, or the model, has said."""

    __tablename__ = "messages"
    __table_args__ = (Index("messages_by_user", "user_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int]
    role: Mapped[str]
    content: Mapped[str]
    said_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Usage(Base):
    """What an answer has cost."""

    __tablename__ = "usage"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int]
    tokens: Mapped[int]
    seconds: Mapped[float]


class Item(Base):
    """Something that is created, read, updated and deleted."""

    __tablename__ = "items"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


def history_of(user_id: int) -> Select[Any]:
    """The last messages of a conversation, the newest first."""
    return (
        select(Message).where(Message.user_id == user_id).order_by(Message.id.desc()).limit(HISTORY)
    )


def turn(user_id: int, question: str, answer: str) -> list[Message]:
    """A question and its answer, to be remembered."""
    return [
        Message(user_id=user_id, role="user", content=question),
        Message(user_id=user_id, role="assistant", content=answer),
    ]
