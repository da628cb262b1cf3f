"""A request as a holder: which code answers it, and in which task."""

from __future__ import annotations

import asyncio
import functools
from typing import Any

from pool_observer.asgi.request import Request
from pool_observer.asgi.routes import RouteNames
from pool_observer.holder import DerivedHolder


def request_to(endpoint: Any) -> Request:
    return Request(
        {"type": "http", "method": "GET", "path": "/", "endpoint": endpoint}, RouteNames()
    )


def endpoint() -> None: ...


def test_the_code_that_answers_is_that_of_the_endpoint() -> None:
    @functools.wraps(endpoint)
    def decorated() -> None: ...

    class Page:
        def __call__(self) -> None: ...

    assert request_to(endpoint).endpoint() is endpoint.__code__
    assert request_to(decorated).endpoint() is endpoint.__code__
    assert request_to(Page()).endpoint() is None
    assert request_to(None).endpoint() is None


def test_a_part_of_a_request_is_answered_by_the_same_code() -> None:
    request = request_to(endpoint)
    assert DerivedHolder(request, None, name="part").endpoint() is endpoint.__code__
    assert DerivedHolder(None, None, name="job").endpoint() is None


def test_after_the_end_no_code_answers() -> None:
    request = request_to(endpoint)
    request.ends(1)
    assert request.endpoint() is None


def test_a_request_knows_its_task() -> None:
    async def main() -> None:
        request = request_to(endpoint)
        request.runs_here()
        task = request.progress.task
        assert task is not None
        assert task() is asyncio.current_task()

    asyncio.run(main())
    request = request_to(endpoint)
    request.runs_here()
    assert request.progress.task is None


def test_a_request_is_in_the_task_that_routes_it() -> None:
    async def main() -> None:
        request = request_to(endpoint)
        request.runs_here()

        async def route() -> None:
            request.is_routed_by({"type": "http", "path": "/"})
            task = request.progress.task
            assert task is not None
            assert task() is asyncio.current_task()

        await asyncio.create_task(route())

    asyncio.run(main())


def test_a_request_need_not_be_in_a_task() -> None:
    async def main() -> None:
        made: asyncio.Future[Request] = asyncio.get_running_loop().create_future()

        def make() -> None:
            request = request_to(endpoint)
            request.runs_here()
            made.set_result(request)

        asyncio.get_running_loop().call_soon(make)
        assert (await made).progress.task is None

    asyncio.run(main())
