"""Putting the middleware around an application, and taking it off again."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import AsyncIterator
from typing import Any

import pytest
from fastapi import FastAPI, Response
from fastapi.responses import StreamingResponse
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from pool_observer import Phase, PoolObserverMiddleware, observe
from tests.asgi.orders import an_app, holders, request
from tests.conftest import Observe
from tests.support import FakeDatabase


def test_several_engines_are_observed_with_one_application(observed: Observe) -> None:
    orders, users = FakeDatabase().engine(), FakeDatabase().engine()
    app = an_app(orders, users)
    before = dict(app.__dict__)
    first = observed(orders, app=app, name="orders")
    second = observed(users, app=app, name="users")
    assert request(app) == 200
    assert holders(first) == holders(second) == {"GET /orders/{order}": 1}
    stack = app.middleware_stack
    assert isinstance(stack, PoolObserverMiddleware)
    assert not isinstance(stack.app, PoolObserverMiddleware)

    first.close()
    assert request(app) == 200
    assert holders(second) == {"GET /orders/{order}": 2}
    second.close()
    assert app.__dict__ == {**before, "middleware_stack": stack.app}
    assert "middleware_stack" not in app.router.__dict__ or (
        app.router.middleware_stack == app.router.app
    )
    assert request(app) == 200


def test_an_application_that_runs_already_is_observed_from_now_on(
    database: FakeDatabase, observed: Observe
) -> None:
    engine = database.engine()
    app = an_app(engine)
    assert request(app) == 200
    built = app.middleware_stack
    observer = observed(engine, app=app)
    assert request(app) == 200
    observer.close()
    assert app.middleware_stack is built
    again = observed(engine, app=app)
    assert request(app) == 200
    assert holders(observer) == holders(again) == {"GET /orders/{order}": 1}


def test_observers_that_are_dropped_with_their_engines_leave_nothing_at_the_application() -> None:
    app = an_app()
    observers = []
    for _ in range(3):
        engine = FakeDatabase().engine()
        observers.append(weakref.ref(observe(engine, app, server_timing=True)))
        del engine
        gc.collect()
    assert [observer() for observer in observers] == [None] * 3
    engine = FakeDatabase().engine()
    with observe(engine, app) as last:
        assert len(app.__dict__["build_middleware_stack"].installation.users) == 1
        assert last.snapshot().used == 0
    assert "build_middleware_stack" not in app.__dict__


def test_a_sub_application_may_be_observed_on_its_own(
    database: FakeDatabase, observed: Observe
) -> None:
    engine = database.engine()
    sub, app = an_app(engine), FastAPI()
    app.mount("/sub", sub)
    observer = observed(engine, app=sub)
    assert request(app, "/sub/orders/5") == 200
    assert holders(observer) == {"GET /sub/orders/{order}": 1}
    second = observed(FakeDatabase().engine(), app=app, name="second")
    assert request(app, "/sub/orders/5") == 200
    assert holders(observer) == {"GET /sub/orders/{order}": 2}
    second.close()


def test_another_tool_that_wraps_the_application_later_is_left_in_place(
    database: FakeDatabase, observed: Observe
) -> None:
    engine = database.engine()
    app = an_app(engine)
    observer = observed(engine, app=app)
    build = app.build_middleware_stack

    def wrapped() -> Any:
        inside = build()

        async def theirs(scope: Any, receive: Any, send: Any) -> None:
            await inside(scope, receive, send)

        return theirs

    app.build_middleware_stack = wrapped  # type: ignore[method-assign]
    assert request(app) == 200
    observer.close()
    assert app.build_middleware_stack is wrapped
    again = observed(engine)
    assert request(app) == 200
    assert holders(again) == {"unattributed": 1}


@pytest.mark.parametrize("ours_first", [True, False])
@pytest.mark.parametrize("lifespan", [True, False])
def test_opentelemetry_instruments_the_same_application_before_and_after_us(
    database: FakeDatabase,
    observed: Observe,
    caplog: pytest.LogCaptureFixture,
    ours_first: bool,
    lifespan: bool,
) -> None:
    # It puts itself around everything as well, and refuses where something else is there.
    engine = database.engine()
    app = an_app(engine)

    @app.exception_handler(Exception)
    async def unexpected(request: Any, error: Exception) -> Response:
        engine.connect().close()
        return Response(status_code=500)

    app.add_api_route("/broken", lambda: 1 / 0)
    spans = InMemorySpanExporter()
    tracers = TracerProvider()
    tracers.add_span_processor(SimpleSpanProcessor(spans))

    def instrument() -> None:
        FastAPIInstrumentor.instrument_app(app, tracer_provider=tracers)

    if not ours_first:
        instrument()
    observer = observed(engine, app=app)
    if ours_first:
        instrument()
    if lifespan:
        asyncio.run(started(app))
    assert request(app) == 200
    with pytest.raises(ZeroDivisionError):
        request(app, "/broken")
    assert caplog.records == []
    names = [span.name for span in spans.get_finished_spans() if span.parent is None]
    assert names == ["GET /orders/{order}", "GET /broken"]
    assert holders(observer) == {"GET /orders/{order}": 1, "GET /broken": 1}
    (hold, _) = (totals for totals in observer.snapshot().totals.holders.values())
    assert hold.phase_ns[Phase.DETACHED] == 0

    FastAPIInstrumentor.uninstrument_app(app)
    assert request(app) == 200
    assert holders(observer) == {"GET /orders/{order}": 2, "GET /broken": 1}
    observer.close()
    assert "PoolObserver" not in repr(middleware_of(app))
    FastAPIInstrumentor.uninstrument_app(app)


def test_whoever_has_left_may_come_back_to_an_application_that_others_have_wrapped(
    database: FakeDatabase, observed: Observe
) -> None:
    engine = database.engine()
    app = an_app(engine)
    first = observed(engine, app=app)
    FastAPIInstrumentor.instrument_app(app, tracer_provider=TracerProvider())

    @app.get("/stream")
    async def stream() -> StreamingResponse:
        async def rows() -> AsyncIterator[str]:
            with engine.connect():
                yield "row"

        return StreamingResponse(rows())

    assert request(app) == 200
    first.close()
    assert request(app) == 200
    again = observed(engine, app=app)
    assert request(app, "/stream") == 200
    assert holders(first) == {"GET /orders/{order}": 1}
    assert holders(again) == {"GET /stream": 1}
    phases = again.snapshot().totals.holders["GET /stream"].phase_ns
    assert phases[Phase.RESPONSE] > 0
    assert phases[Phase.HANDLER] == 0
    FastAPIInstrumentor.uninstrument_app(app)


async def started(app: Any) -> None:
    """What a server does before the first request, and after the last."""
    messages = [{"type": "lifespan.shutdown"}, {"type": "lifespan.startup"}]

    async def receive() -> Any:
        return messages.pop()

    async def send(message: Any) -> None:
        assert message["type"].endswith(".complete")

    await app({"type": "lifespan", "app": app, "state": {}}, receive, send)


def middleware_of(app: Any) -> list[Any]:
    """Everything around the routes, the outermost first."""
    stack, found = app.middleware_stack, []
    while stack is not None:
        found.append(stack)
        stack = getattr(stack, "app", None)
    return found


def test_what_is_no_application_of_ours_is_refused_and_nothing_is_observed(
    database: FakeDatabase, observed: Observe
) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None: ...

    engine = database.engine()
    with pytest.raises(TypeError, match=r"not function; put PoolObserverMiddleware\(app\) around"):
        observed(engine, app=app)
    with pytest.raises(ValueError, match="server_timing needs the application"):
        observed(engine, server_timing=True)
    observed(engine)  # still free to be
