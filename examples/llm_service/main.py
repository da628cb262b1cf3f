"""The service put together. To run it:

DATABASE_URL=postgresql+asyncpg://... uvicorn --factory llm_service.main:create_app
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from llm_service import chat, chat_naive, health, items, stream
from llm_service.database import make_engine, make_sessions
from llm_service.model import Model
from llm_service.models import Base
from llm_service.retrying import ModelBusyError
from llm_service.settings import Settings
from llm_service.usage import UsageLog
from pool_observer import observe

logger = logging.getLogger("llm_service")


def create_app(settings: Settings | None = None) -> FastAPI:
    """The application, with these settings or those of the environment."""
    settings = settings or Settings.from_environment()
    engine = make_engine(settings)
    sessions = make_sessions(engine)
    usage_log = UsageLog(sessions)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        try:
            async with engine.begin() as connection:  # in earnest, by migrations before the start
                await connection.run_sync(Base.metadata.create_all)
            yield
            await usage_log.written()
        finally:
            await engine.dispose()

    app = FastAPI(title="LLM service", lifespan=lifespan)
    app.state.settings = settings
    app.state.sessions = sessions
    app.state.usage_log = usage_log
    app.state.model = Model(settings.model_seconds, settings.model_refusals)
    for part in (chat_naive, chat, stream, items, health):
        app.include_router(part.router)
    app.add_exception_handler(PoolTimeoutError, _no_connection)
    app.add_exception_handler(ModelBusyError, _model_busy)
    app.add_exception_handler(RequestValidationError, _not_valid)

    # Who holds connections, and why: /metrics for Prometheus, /debug/pools for people on this
    # machine. Behind a proxy, say who else may see the page with debug_auth.
    observe(engine, app, name="llm", debug_path="/debug/pools")
    return app


async def _no_connection(_: Request, error: Exception) -> JSONResponse:
    """The log says who has the connections: the observer has noted it on the error."""
    logger.error("no connection", exc_info=error)
    return JSONResponse({"detail": "overloaded"}, 503, headers={"Retry-After": "1"})


async def _model_busy(_: Request, __: Exception) -> JSONResponse:
    return JSONResponse({"detail": "the model is busy"}, 429, headers={"Retry-After": "2"})


async def _not_valid(_: Request, error: Exception) -> JSONResponse:
    """What is wrong, but not with what: half a character that was sent cannot be sent back."""
    assert isinstance(error, RequestValidationError)
    told = [{name: each[name] for name in ("type", "loc", "msg")} for each in error.errors()]
    return JSONResponse({"detail": told}, 422)
