"""Facts about FastAPI, ASGI and context variables."""

from __future__ import annotations

import asyncio
import importlib.metadata
from collections.abc import AsyncIterator
from contextvars import ContextVar
from typing import Any

import pytest
from fastapi import APIRouter, BackgroundTasks, Depends, FastAPI, Request
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.responses import Response, StreamingResponse

from pool_observer import PoolObserverMiddleware
from pool_observer.asgi.request import current_request
from tests.asgi.calling import call, scope_for

FASTAPI = tuple(int(part) for part in importlib.metadata.version("fastapi").split(".")[:2])

variable: ContextVar[str] = ContextVar("variable", default="not set")


class SetsTheVariable:
    """Pure ASGI middleware, as ours is."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        variable.set("set")
        await self.app(scope, receive, send)


def test_fact_15_the_route_alone_does_not_tell_its_prefixes() -> None:
    seen: list[Any] = []

    async def read(request: Request) -> None:
        await asyncio.sleep(0)
        route = request.scope["route"]
        current = current_request()
        assert current is not None
        seen.append((route.path_format, current.name()))

    inner, outer, app = APIRouter(prefix="/s"), APIRouter(prefix="/v1"), FastAPI()
    inner.add_api_route("/{id}", read)
    outer.include_router(inner)
    app.include_router(outer, prefix="/api")
    sub = FastAPI()
    sub.mount("/mounted", app)
    asyncio.run(call(PoolObserverMiddleware(sub), "/mounted/api/v1/s/5"))
    of_the_route = "/s/{id}" if FASTAPI >= (0, 137) else "/api/v1/s/{id}"
    assert seen == [(of_the_route, "GET /mounted/api/v1/s/{id}")]


def test_fact_15_the_scope_tells_nothing_until_it_is_routed() -> None:
    async def early(scope: Any, receive: Any, send: Any) -> None:
        assert "route" not in scope
        await app(scope, receive, send)
        assert scope["route"] is not None

    app = FastAPI()
    app.add_api_route("/", lambda: None)
    asyncio.run(call(early, "/"))


def test_fact_16_a_variable_reaches_all_that_a_request_runs() -> None:
    seen: dict[str, str] = {}

    def note(place: str) -> None:
        seen[place] = variable.get()

    async def dependency() -> AsyncIterator[None]:
        note("dependency")
        yield
        note("exit of the dependency")

    def in_thread() -> None:
        note("dependency in a thread")

    app = FastAPI()

    @app.get("/", dependencies=[Depends(dependency), Depends(in_thread)])
    async def read(tasks: BackgroundTasks) -> StreamingResponse:
        note("endpoint")

        def rows() -> Any:
            note("stream")
            yield ""

        async def background() -> None:
            note("background")

        tasks.add_task(background)
        tasks.add_task(note, "background in a thread")
        return StreamingResponse(rows(), background=tasks)

    async def dispatch(request: Request, call_next: Any) -> Response:
        note("BaseHTTPMiddleware")
        response: Response = await call_next(request)
        return response

    app.add_middleware(BaseHTTPMiddleware, dispatch=dispatch)
    app.add_middleware(SetsTheVariable)
    asyncio.run(call(app, "/"))
    assert len(seen) == 8
    assert set(seen.values()) == {"set"}


def test_fact_16_base_http_middleware_blocks_the_way_up() -> None:
    async def dispatch(request: Request, call_next: Any) -> Response:
        response: Response = await call_next(request)
        seen.append(variable.get())
        return response

    async def read() -> None:
        variable.set("set in the endpoint")

    seen: list[str] = []
    app = FastAPI()
    app.add_api_route("/", read)
    app.add_middleware(BaseHTTPMiddleware, dispatch=dispatch)
    asyncio.run(call(app, "/"))
    assert seen == ["not set"]


def test_fact_17_a_detached_task_inherits_the_context_of_a_finished_request() -> None:
    async def read() -> None:
        async def outlive() -> None:
            await over.wait()
            seen.append(variable.get())

        tasks.append(asyncio.create_task(outlive()))

    async def main() -> None:
        await call(app, "/")
        over.set()
        await tasks[0]

    seen: list[str] = []
    tasks: list[asyncio.Task[None]] = []
    over = asyncio.Event()
    app = FastAPI()
    app.add_api_route("/", read)
    app.add_middleware(SetsTheVariable)
    asyncio.run(main())
    assert seen == ["set"]


def test_fact_17a_variables_reach_to_thread_and_not_executors() -> None:
    async def main() -> tuple[str, str]:
        variable.set("set")
        loop = asyncio.get_running_loop()
        return await asyncio.to_thread(variable.get), await loop.run_in_executor(None, variable.get)

    assert asyncio.run(main()) == ("set", "not set")


@pytest.mark.skipif(FASTAPI < (0, 118), reason="before FastAPI 0.118 it ran before the response")
def test_fact_18_exit_code_runs_after_the_response_is_sent() -> None:
    async def dependency() -> AsyncIterator[None]:
        yield
        log.append("exit code")

    async def read(tasks: BackgroundTasks) -> StreamingResponse:
        async def rows() -> AsyncIterator[str]:
            yield "row"

        tasks.add_task(log.append, "background task")
        return StreamingResponse(rows(), background=tasks)

    async def main() -> None:
        async def receive() -> Any:
            await asyncio.Event().wait()

        async def send(message: Any) -> None:
            if not message.get("more_body", True):
                log.append("response sent")

        await app(scope_for("/"), receive, send)

    log: list[str] = []
    app = FastAPI()
    app.add_api_route("/", read, dependencies=[Depends(dependency)])
    asyncio.run(main())
    assert log == ["response sent", "background task", "exit code"]


def test_fact_19_paths_without_a_route_share_one_name() -> None:
    async def keep(scope: Any, receive: Any, send: Any) -> None:
        requests.append(current_request())
        await app(scope, receive, send)

    async def main() -> None:
        for number in range(100):
            await call(PoolObserverMiddleware(keep), f"/wp-admin/{number}")

    requests: list[Any] = []
    app = FastAPI()
    asyncio.run(main())
    assert {request.name() for request in requests} == {"unmatched"}
