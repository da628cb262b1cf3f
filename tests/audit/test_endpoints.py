"""What is found in real applications, and in which it is not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import anyio.to_thread
import fastapi
import pytest
from fastapi import Depends, FastAPI
from fastapi.responses import StreamingResponse
from sqlalchemy import create_engine
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.pool import QueuePool

from pool_observer.audit.auditing import audit
from pool_observer.audit.facts import Deployment, Facts
from pool_observer.audit.finding import Finding, Severity
from pool_observer.audit.gathering import distinct, gathered
from pool_observer.audit.rules import judge
from pool_observer.diagnosing import EXITS_AFTER_RESPONSE, FUNCTION_SCOPE
from tests.audit import some_endpoints as endpoints
from tests.audit.cases import RECOMMENDED
from tests.audit.some_endpoints import ASYNC_ENGINE, ENGINE, app_of

VERSION = tuple(int(part) for part in fastapi.__version__.split(".")[:2])
ON_THE_LOOP = (
    endpoints.blocks,
    endpoints.blocks_by_annotation,
    endpoints.blocks_by_itself,
    endpoints.blocks_on_the_engine,
    endpoints.blocks_by_a_dependency,
)
STREAMING = (
    endpoints.streams,
    endpoints.streams_by_annotation,
    endpoints.streams_for_a_user,
    endpoints.sends_a_file,
)
NOT_STREAMING_A_SESSION = (
    endpoints.commits_first,
    endpoints.streams_settings,
    endpoints.streams_without,
    endpoints.answers,
)


def found(code: str, engine: Any, app: object, **deployment: Any) -> list[Finding]:
    findings = audit(engine, app, deployment=Deployment(**deployment))
    return [finding for finding in findings if finding.code == code]


def facts_of(engine: Any, app: object) -> Facts:
    (facts,) = gathered(distinct([engine]), app, (), Deployment(), None)
    return facts


@pytest.mark.parametrize("endpoint", ON_THE_LOOP, ids=lambda each: each.__name__)
def test_a_coroutine_on_a_synchronous_session_is_found(endpoint: Callable[..., Any]) -> None:
    (finding,) = found("sync-engine", ENGINE, app_of(endpoint))
    assert finding.severity is Severity.WARNING
    assert finding.why.startswith(f"GET /{endpoint.__name__}: ")


@pytest.mark.parametrize(
    "endpoint",
    [
        endpoints.plain,
        endpoints.plain_by_itself,
        endpoints.plain_for_a_user,
        endpoints.goes_to_a_thread,
        endpoints.answers,
        endpoints.streams_without,
    ],
    ids=lambda each: each.__name__,
)
def test_plain_functions_and_asynchronous_sessions_are_not(endpoint: Callable[..., Any]) -> None:
    assert found("sync-engine", ENGINE, app_of(endpoint)) == []


def test_a_coroutine_that_uses_no_database_may_stand_beside_plain_endpoints() -> None:
    async def health() -> str:
        return "ok"

    assert found("sync-engine", ENGINE, app_of(health, endpoints.plain)) == []


def test_an_asynchronous_engine_blocks_nobody() -> None:
    assert found("sync-engine", ASYNC_ENGINE, app_of(*ON_THE_LOOP)) == []


def test_a_websocket_on_a_synchronous_session_is_found() -> None:
    app = FastAPI()
    app.add_api_websocket_route("/events", endpoints.listens)
    (finding,) = found("sync-engine", ENGINE, app)
    assert "WS /events" in finding.why


def test_an_engine_in_an_enclosing_function_is_seen() -> None:
    engine = create_engine("postgresql+psycopg://db/orders")

    async def endpoint() -> str:
        return str(engine.connect())

    assert found("sync-engine", engine, app_of(endpoint))


def test_up_to_three_endpoints_are_named() -> None:
    (finding,) = found("sync-engine", ENGINE, app_of(*ON_THE_LOOP[:3]))
    assert finding.why.startswith("GET /blocks, GET /blocks_by_annotation, GET /blocks_by_itself: ")


def test_with_more_than_three_endpoints_the_rest_is_a_number() -> None:
    (finding,) = found("sync-engine", ENGINE, app_of(*ON_THE_LOOP))
    assert finding.title.startswith("5 endpoints in the event loop")
    assert finding.why.startswith(
        "GET /blocks, GET /blocks_by_annotation, GET /blocks_by_itself and 2 more: "
    )


@pytest.mark.parametrize(
    "endpoint",
    [endpoints.plain, endpoints.plain_for_a_user],
    ids=lambda each: each.__name__,
)
def test_sessions_that_wait_for_a_thread_are_found(endpoint: Callable[..., Any]) -> None:
    (finding,) = found("threads", ENGINE, app_of(endpoint))
    assert finding.severity is Severity.WARNING
    assert finding.title == "55 requests at a time can bring everything to a standstill"
    assert finding.mend.startswith("in the endpoint, `with SessionLocal() as session:`")
    # It counts connections that are open and idle too, and would refuse requests for nothing.
    assert "limit-concurrency" not in finding.mend


def test_a_larger_pool_does_not_mend_that() -> None:
    large = create_engine("postgresql+psycopg://db/orders", pool_size=20, max_overflow=20)
    (finding,) = found("threads", large, app_of(endpoints.plain))
    assert finding.title.startswith("80 requests")


@pytest.mark.parametrize(
    "endpoint",
    [
        endpoints.plain_by_itself,
        endpoints.plain_and_unvalidated,
        endpoints.waits_for_a_plain_dependency,
    ],
    ids=lambda each: each.__name__,
)
def test_more_threads_than_connections_are_found(endpoint: Callable[..., Any]) -> None:
    (finding,) = found("threads", ENGINE, app_of(endpoint))
    assert finding.severity is Severity.INFO
    assert finding.title == "40 threads ask for 15 connections"
    assert "25 can wait" in finding.why
    assert "total_tokens = 15" in finding.mend
    assert found("threads", ENGINE, app_of(endpoint), threads=15) == []
    assert found("threads", ENGINE, app_of(endpoint), threads=16) != []
    large = create_engine("postgresql+psycopg://db/orders", pool_size=20, max_overflow=20)
    assert found("threads", large, app_of(endpoint)) == []


def test_threads_that_use_no_database_are_not_counted() -> None:
    assert found("threads", ENGINE, app_of(endpoints.plain_without)) == []
    assert found("threads", ASYNC_ENGINE, app_of(endpoints.plain)) == []


def test_in_an_event_loop_the_limit_of_threads_is_read() -> None:
    async def with_limit(limit: float) -> list[Finding]:
        anyio.to_thread.current_default_thread_limiter().total_tokens = limit
        return found("threads", ENGINE, app_of(endpoints.plain_by_itself))

    assert asyncio.run(with_limit(15)) == []
    (finding,) = asyncio.run(with_limit(20))
    assert finding.title == "20 threads ask for 15 connections"
    (finding,) = asyncio.run(with_limit(float("inf")))
    assert finding.title == "40 threads ask for 15 connections"


@pytest.mark.parametrize("endpoint", STREAMING, ids=lambda each: each.__name__)
def test_a_stream_that_keeps_its_session_is_found(endpoint: Callable[..., Any]) -> None:
    (finding,) = found("streaming-session", ASYNC_ENGINE, app_of(endpoint))
    assert f"GET /{endpoint.__name__} of FastAPI {VERSION[0]}.{VERSION[1]}" in finding.why
    if VERSION >= EXITS_AFTER_RESPONSE:
        assert finding.severity is Severity.WARNING
        assert finding.title == "1 stream keeping the session of get_session() until sent"
    else:
        assert finding.severity is Severity.INFO
        assert "after the session of get_session() has ended" in finding.title


@pytest.mark.parametrize("endpoint", NOT_STREAMING_A_SESSION, ids=lambda each: each.__name__)
def test_others_are_not(endpoint: Callable[..., Any]) -> None:
    assert found("streaming-session", ASYNC_ENGINE, app_of(endpoint)) == []


@pytest.mark.skipif(VERSION < FUNCTION_SCOPE, reason="dependencies have no scope yet")
def test_a_session_that_ends_with_the_function_is_not() -> None:
    async def scoped(
        session: AsyncSession = Depends(endpoints.get_session, scope="function"),  # noqa: B008
    ) -> StreamingResponse:
        raise NotImplementedError

    assert found("streaming-session", ASYNC_ENGINE, app_of(scoped)) == []


@pytest.mark.skipif(VERSION < FUNCTION_SCOPE, reason="generators are no endpoints yet")
def test_an_endpoint_that_is_a_generator_streams() -> None:
    async def generates(
        session: AsyncSession = Depends(endpoints.get_session),  # noqa: B008
    ) -> Any:
        yield "chunk"

    app = FastAPI()
    app.get("/generates")(generates)
    assert found("streaming-session", ASYNC_ENGINE, app)


@pytest.mark.parametrize(
    ("version", "severity", "mend"),
    [
        ((0, 105), Severity.WARNING, "in the endpoint, `async with SessionLocal() as session:`"),
        ((0, 106), Severity.INFO, "in the stream, a session of its own: `async with"),
        ((0, 117), Severity.INFO, "in the stream, a session of its own: `async with"),
        ((0, 118), Severity.WARNING, "in the endpoint, `async with SessionLocal() as session:`"),
        ((0, 120), Severity.WARNING, "in the endpoint, `async with SessionLocal() as session:`"),
        ((0, 121), Severity.WARNING, 'Depends(get_session, scope="function"); or in the end'),
        ((1, 0), Severity.WARNING, 'Depends(get_session, scope="function"); or in the end'),
    ],
)
def test_each_fastapi_is_told_its_own_truth(
    version: tuple[int, ...], severity: Severity, mend: str
) -> None:
    facts = replace(facts_of(ASYNC_ENGINE, app_of(endpoints.streams)), fastapi=version)
    (finding,) = [each for each in judge(facts) if each.code == "streaming-session"]
    assert finding.severity is severity
    assert finding.mend.startswith(mend)


def test_without_fastapi_nothing_is_said_about_its_dependencies() -> None:
    facts = replace(facts_of(ASYNC_ENGINE, app_of(endpoints.streams)), fastapi=None)
    assert "streaming-session" not in [finding.code for finding in judge(facts)]


def test_what_is_found_in_the_application_is_said_once_of_several_engines() -> None:
    engines = [create_engine(f"postgresql+psycopg://{host}/orders", **RECOMMENDED) for host in "ab"]
    findings = audit(engines, app_of(endpoints.blocks, endpoints.plain))
    assert [finding.code for finding in findings] == ["sync-engine", "threads"]


def test_a_stream_is_the_matter_of_the_engine_of_its_session() -> None:
    app = app_of(endpoints.streams)
    assert found("streaming-session", ASYNC_ENGINE, app)
    assert found("streaming-session", ENGINE, app) == []
    (finding,) = found("streaming-session", ENGINE, app_of(endpoints.streams_blocking))
    assert "get_unannotated()" in finding.title
    assert "`async with" not in finding.mend
    assert found("streaming-session", ASYNC_ENGINE, app_of(endpoints.streams_blocking)) == []


def test_an_asynchronous_session_waits_for_no_thread() -> None:
    def plain(session: endpoints.Given, user: str = Depends(endpoints.find_user_by_itself)) -> str:
        return user

    (finding,) = found("threads", ENGINE, app_of(plain))
    assert finding.severity is Severity.INFO


def test_on_sqlite_endpoints_are_judged_and_threads_are_not() -> None:
    engine = create_engine("sqlite:///orders.db", poolclass=QueuePool)
    findings = audit(engine, app_of(endpoints.blocks, endpoints.plain))
    assert [finding.code for finding in findings] == ["sync-engine"]
