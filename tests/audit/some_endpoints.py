"""Endpoints of every kind that the audit tells apart. They are looked at, and never called."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, WebSocket
from fastapi.responses import FileResponse, StreamingResponse
from sqlalchemy import create_engine
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import Session, sessionmaker

ASYNC_ENGINE = create_async_engine("postgresql+asyncpg://db/orders")
ENGINE = create_engine("postgresql+psycopg://db/orders")
AsyncSessionLocal = async_sessionmaker(ASYNC_ENGINE, expire_on_commit=False)
SessionLocal = sessionmaker(ENGINE)


async def get_session() -> AsyncIterator[AsyncSession]:
    async with AsyncSessionLocal() as session:
        yield session


def get_unannotated():  # type: ignore[no-untyped-def]
    session = SessionLocal()
    try:
        yield session
    finally:
        session.close()


def get_settings() -> Iterator[dict[str, str]]:
    yield {}


async def get_user(session: Annotated[AsyncSession, Depends(get_session)]) -> str:
    return f"user of {session}"


def stream() -> Iterator[str]:
    yield "chunk"


Given = Annotated[AsyncSession, Depends(get_session)]


async def streams(session: Given) -> Any:
    return StreamingResponse(stream())


async def streams_by_annotation(session: Given) -> StreamingResponse:
    raise NotImplementedError


async def streams_for_a_user(user: Annotated[str, Depends(get_user)]) -> Any:
    return StreamingResponse(stream())


def streams_blocking(session: Annotated[Session, Depends(get_unannotated)]) -> Any:
    return StreamingResponse(stream())


async def sends_a_file(session: Given) -> Any:
    return FileResponse("export.csv")


async def commits_first(session: Given) -> Any:
    await session.commit()
    return StreamingResponse(stream())


async def streams_settings(settings: Annotated[dict[str, str], Depends(get_settings)]) -> Any:
    return StreamingResponse(stream())


async def streams_without() -> Any:
    async with AsyncSessionLocal() as session:
        await session.connection()
    return StreamingResponse(stream())


async def answers(session: Given) -> str:
    return "answer"


def plain(session: Annotated[Session, Depends(get_unannotated)]) -> str:
    return "answer"


def plain_and_unvalidated(session=Depends(get_unannotated)):  # type: ignore[no-untyped-def] # noqa: B008
    return "answer"


def plain_by_itself() -> str:
    with SessionLocal() as session:
        return str(session)


def plain_without() -> str:
    return "answer"


def find_user(session: Annotated[Session, Depends(get_unannotated)]) -> str:
    return f"user of {session}"


def find_user_by_itself() -> str:
    with SessionLocal() as session:
        return f"user of {session}"


async def find_user_blocking(session: Annotated[Session, Depends(get_unannotated)]) -> str:
    return f"user of {session}"


def plain_for_a_user(user: Annotated[str, Depends(find_user)]) -> str:
    return user


async def waits_for_a_plain_dependency(user: Annotated[str, Depends(find_user)]) -> str:
    return user


def blocks_by_a_dependency(user: Annotated[str, Depends(find_user_blocking)]) -> str:
    return user


async def goes_to_a_thread(session: Annotated[Session, Depends(get_unannotated)]) -> str:
    return await asyncio.to_thread(find_user, session)


async def blocks(session: Any = Depends(get_unannotated)) -> str:  # noqa: B008
    return "answer"


async def blocks_by_annotation(session: Annotated[Session, Depends(get_unannotated)]) -> str:
    return "answer"


async def blocks_by_itself() -> str:
    with SessionLocal() as session:
        return str(session)


async def blocks_on_the_engine() -> str:
    with ENGINE.connect() as connection:
        return str(connection)


async def listens(websocket: WebSocket) -> None:
    with SessionLocal() as session:
        await websocket.send_text(str(session))


def app_of(*endpoints: Any, path: str = "/{}") -> FastAPI:
    """An application of these endpoints."""
    app = FastAPI()
    for endpoint in endpoints:
        app.add_api_route(path.format(endpoint.__name__), endpoint)
    return app


def included(endpoint: Any) -> FastAPI:
    """It is two routers deep."""
    inner, outer = APIRouter(prefix="/inner"), APIRouter(prefix="/outer")
    inner.add_api_route("/there", endpoint, response_model=None)
    outer.include_router(inner)
    app = FastAPI()
    app.include_router(outer, prefix="/api")
    return app


def mounted(endpoint: Any) -> FastAPI:
    """It is in an application of its own."""
    app, sub = FastAPI(), FastAPI()
    sub.add_api_route("/there", endpoint, response_model=None)
    app.mount("/sub", sub)
    return app
