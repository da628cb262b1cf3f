"""The engine and its sessions."""

from __future__ import annotations

from typing import Any

from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)

from llm_service.settings import Settings

Sessions = async_sessionmaker[AsyncSession]


def make_engine(settings: Settings) -> AsyncEngine:
    """One for the whole process; whoever makes it disposes of it."""
    return create_async_engine(
        settings.database_url,
        pool_size=settings.pool_size,
        max_overflow=settings.max_overflow,
        pool_timeout=settings.pool_timeout,
        pool_recycle=settings.pool_recycle,
        pool_pre_ping=settings.pool_pre_ping,
        hide_parameters=True,  # what users have said is not for the log
        connect_args=_connect_args(settings),
    )


def make_sessions(engine: AsyncEngine) -> Sessions:
    """What is read stays readable after the commit: to load it again would need a connection."""
    return async_sessionmaker(engine, expire_on_commit=False)


def _connect_args(settings: Settings) -> dict[str, Any]:
    arguments: dict[str, Any] = {
        "timeout": 5,
        "server_settings": {"application_name": "llm_service"},
    }
    if settings.through_pgbouncer:
        # The next transaction may have another connection to the server, which knows none of
        # the statements that were prepared on this one.
        arguments |= {"statement_cache_size": 0, "prepared_statement_name_func": lambda: ""}
    return arguments
