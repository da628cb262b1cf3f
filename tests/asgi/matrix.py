"""An application that holds connections in every way FastAPI runs code.

What must be observed of each is in `test_matrix.py`.
"""

from __future__ import annotations

import asyncio
import importlib.metadata
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import (
    APIRouter,
    BackgroundTasks,
    Depends,
    FastAPI,
    HTTPException,
    Request,
    WebSocket,
)
from sqlalchemy import Connection, Engine, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from pool_observer import holding

SELECT = text("SELECT 1")
FASTAPI = tuple(int(part) for part in importlib.metadata.version("fastapi").split(".")[:2])


class Matrix:
    """The application and its two engines. Each route holds exactly one connection, once."""

    def __init__(self, asynchronous: AsyncEngine, synchronous: Engine) -> None:
        self.asynchronous = asynchronous
        self.synchronous = synchronous
        self.go_on = asyncio.Event()
        self.tasks: list[asyncio.Task[None]] = []
        self.over = 0
        """Requests that are over, seen from outside of all middleware."""
        self.app = FastAPI(lifespan=self.lifespan)
        self._endpoints()
        self._dependencies()
        self._after_the_handler()
        self._errors()
        self._composed()
        self.app.add_middleware(HoldingMiddleware, matrix=self)
        self.app.add_middleware(BaseHTTPMiddleware, dispatch=self.dispatch)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            await self.app(scope, receive, send)
        finally:
            self.over += 1

    # -- holding -------------------------------------------------------------------------------

    async def hold(self) -> None:
        async with self.asynchronous.connect() as connection:
            await connection.execute(SELECT)

    def hold_in_thread(self) -> None:
        with self.synchronous.connect() as connection:
            connection.execute(SELECT)

    @asynccontextmanager
    async def lifespan(self, app: FastAPI) -> AsyncIterator[None]:
        await self.hold()
        with holding("start-up"):
            await self.hold()
        yield
        await self.asynchronous.dispose()

    async def dispatch(
        self, request: Request, call_next: Callable[[Request], Awaitable[Response]]
    ) -> Response:
        if request.url.path == "/base-http/before/5":
            await self.hold()
        response = await call_next(request)
        if request.url.path == "/base-http/after/5":
            await self.hold()
        return response

    # -- endpoints -----------------------------------------------------------------------------

    def _endpoints(self) -> None:
        app = self.app

        @app.get("/async/{order}")
        async def asynchronous(order: int) -> None:
            await self.hold()

        @app.get("/sync/{order}")
        def synchronous(order: int) -> None:
            self.hold_in_thread()

        @app.get("/blocking/{order}")
        async def a_sync_engine_in_an_async_endpoint(order: int) -> None:
            self.hold_in_thread()

        @app.get("/thread-pool/{order}")
        async def thread_pool(order: int) -> None:
            await run_in_threadpool(self.hold_in_thread)

        @app.get("/to-thread/{order}")
        async def to_thread(order: int) -> None:
            await asyncio.to_thread(self.hold_in_thread)

        @app.get("/executor/{order}")
        async def executor(order: int) -> None:
            await asyncio.get_running_loop().run_in_executor(None, self.hold_in_thread)

        @app.get("/named-executor/{order}")
        async def named_executor(order: int) -> None:
            work = holding("export")(self.hold_in_thread)
            await asyncio.get_running_loop().run_in_executor(None, work)

        @app.get("/task/{order}")
        async def task(order: int) -> None:
            await asyncio.create_task(self.hold())

        @app.get("/holding/{order}")
        async def named(order: int) -> None:
            with holding("chat:retrieval"):
                await self.hold()

        @app.websocket("/ws/{order}")
        async def websocket(websocket: WebSocket, order: int) -> None:
            await websocket.accept()
            await self.hold()
            await websocket.close()

        for path in ("base-http/before", "base-http/after", "middleware"):
            app.add_api_route(f"/{path}/{{order}}", lambda order: None)

    def _dependencies(self) -> None:
        app = self.app

        async def session() -> AsyncIterator[AsyncConnection]:
            async with self.asynchronous.connect() as connection:
                yield connection

        def thread_session() -> Iterator[Connection]:
            with self.synchronous.connect() as connection:
                yield connection

        async def teardown() -> AsyncIterator[None]:
            yield
            await self.hold()

        def thread_teardown() -> Iterator[None]:
            yield
            self.hold_in_thread()

        async def plain() -> None:
            await self.hold()

        def route(path: str, dependency: Callable[..., Any], **options: Any) -> None:
            needs = Depends(dependency, **options)

            async def endpoint(order: int, given: Any = needs) -> None:
                if isinstance(given, AsyncConnection):
                    await given.execute(SELECT)
                elif given is not None:
                    await run_in_threadpool(given.execute, SELECT)

            app.add_api_route(path, endpoint)

        route("/dependency/{order}", plain)
        route("/session/{order}", session)
        route("/thread-session/{order}", thread_session)
        route("/teardown/{order}", teardown)
        route("/thread-teardown/{order}", thread_teardown)
        if FASTAPI >= (0, 121):
            route("/function-session/{order}", session, scope="function")
            route("/function-teardown/{order}", teardown, scope="function")
            route("/function-thread-session/{order}", thread_session, scope="function")

    def _after_the_handler(self) -> None:
        app = self.app

        @app.post("/background/{order}")
        async def background(order: int, tasks: BackgroundTasks) -> None:
            tasks.add_task(self.hold)

        @app.post("/thread-background/{order}")
        async def thread_background(order: int, tasks: BackgroundTasks) -> None:
            tasks.add_task(self.hold_in_thread)

        @app.get("/stream/{order}")
        async def stream(order: int) -> StreamingResponse:
            async def rows() -> AsyncIterator[str]:
                async with self.asynchronous.connect() as connection:
                    yield "first"
                    await connection.execute(SELECT)
                    yield "last"

            return StreamingResponse(rows())

        @app.get("/thread-stream/{order}")
        def thread_stream(order: int) -> StreamingResponse:
            def rows() -> Iterator[str]:
                with self.synchronous.connect() as connection:
                    yield "first"
                    connection.execute(SELECT)
                    yield "last"

            return StreamingResponse(rows())

        @app.get("/stream-of-the-handler/{order}")
        async def stream_of_the_handler(order: int) -> StreamingResponse:
            connection = await self.asynchronous.connect()

            async def rows() -> AsyncIterator[str]:
                yield "first"
                await connection.execute(SELECT)
                yield "last"
                await connection.close()

            return StreamingResponse(rows())

        @app.post("/detached/{order}")
        async def detached(order: int) -> None:
            async def outlive() -> None:
                await self.go_on.wait()
                await self.hold()

            self.go_on.clear()
            self.tasks.append(asyncio.create_task(outlive()))

        @app.post("/handed-over/{order}")
        async def handed_over(order: int) -> None:
            connection = await self.asynchronous.connect()

            async def outlive() -> None:
                await self.go_on.wait()
                await connection.close()

            self.go_on.clear()
            self.tasks.append(asyncio.create_task(outlive()))

    def _errors(self) -> None:
        app = self.app

        class OrderError(Exception):
            pass

        @app.exception_handler(OrderError)
        async def expected(request: Request, error: Exception) -> Response:
            await self.hold()
            return PlainTextResponse("expected", 400)

        @app.exception_handler(Exception)
        async def unexpected(request: Request, error: Exception) -> Response:
            await self.hold()
            return PlainTextResponse("unexpected", 500)

        @app.exception_handler(404)
        async def not_found(request: Request, error: Exception) -> Response:
            await self.hold()
            return PlainTextResponse("not found", 404)

        @app.exception_handler(405)
        def not_allowed(request: Request, error: Exception) -> Response:
            self.hold_in_thread()
            return PlainTextResponse("not allowed", 405)

        @app.get("/expected/{order}")
        async def raise_expected(order: int) -> None:
            raise OrderError

        @app.get("/unexpected/{order}")
        async def raise_unexpected(order: int) -> None:
            raise ZeroDivisionError

        @app.get("/raises-holding/{order}")
        async def raise_with_a_connection(order: int) -> None:
            async with self.asynchronous.connect() as connection:
                await connection.execute(SELECT)
                raise HTTPException(418)

    def _composed(self) -> None:
        async def leaf(order: int) -> None:
            await self.hold()

        async def plain(request: Request) -> Response:
            await self.hold()
            return JSONResponse(None)

        outer, inner = APIRouter(prefix="/v1"), APIRouter(prefix="/orders")
        inner.add_api_route("/{order}", leaf, methods=["PUT"])
        outer.include_router(inner)
        self.app.include_router(outer, prefix="/api")
        mounted = FastAPI()
        mounted.add_api_route("/{order}", leaf)
        self.app.mount("/mounted/{tenant}", mounted)
        self.app.mount("/starlette", Starlette(routes=[Route("/{order}", plain)]))


class HoldingMiddleware:
    """Pure ASGI, holds a connection for the whole of a request, if its path says so."""

    def __init__(self, app: Any, matrix: Matrix) -> None:
        self.app = app
        self.matrix = matrix

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope.get("path") not in ("/middleware/5", "/mounted/acme/nowhere/5"):
            await self.app(scope, receive, send)
            return
        async with self.matrix.asynchronous.connect():
            await self.app(scope, receive, send)
