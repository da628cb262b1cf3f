"""What routes are given."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Path, Request
from pydantic import AfterValidator, BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncSession

from llm_service import database, model, settings, usage

LARGEST_ID = 2**31 - 1
"""Of PostgreSQL's `integer`: a larger one would be an error of the database, and a 500."""


def _storable(text: str) -> str:
    if "\0" in text:
        raise ValueError("must have no NUL, which PostgreSQL does not store")
    return text


Id = Annotated[int, Path(ge=1, le=LARGEST_ID)]
Text = Annotated[str, AfterValidator(_storable)]


class Question(BaseModel):
    """What a user asks."""

    message: Text = Field(min_length=1, max_length=4000)


class Answer(BaseModel):
    """What the model says."""

    message: str


async def _sessions(request: Request) -> database.Sessions:
    sessions: database.Sessions = request.app.state.sessions
    return sessions


async def _session(request: Request) -> AsyncIterator[AsyncSession]:
    """One for the whole request, as many services have it. See `chat_naive.py` for the price."""
    async with request.app.state.sessions() as session:
        yield session


async def _model(request: Request) -> model.Model:
    asked: model.Model = request.app.state.model
    return asked


async def _usage_log(request: Request) -> usage.UsageLog:
    log: usage.UsageLog = request.app.state.usage_log
    return log


async def _settings(request: Request) -> settings.Settings:
    given: settings.Settings = request.app.state.settings
    return given


Sessions = Annotated[database.Sessions, Depends(_sessions)]
Session = Annotated[AsyncSession, Depends(_session)]
Model = Annotated[model.Model, Depends(_model)]
UsageLog = Annotated[usage.UsageLog, Depends(_usage_log)]
Settings = Annotated[settings.Settings, Depends(_settings)]
