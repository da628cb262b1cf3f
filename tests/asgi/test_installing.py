"""Putting the middleware around an application, and taking it off again."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import pytest
from fastapi import FastAPI

from pool_observer import PoolObserverMiddleware, observe
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
