"""What counts as using a session is what does, in functions as people write them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from fastapi import BackgroundTasks, Depends, FastAPI
from fastapi.responses import StreamingResponse
from sqlalchemy.orm import Session, scoped_session

from pool_observer.audit.endpoints import routes_of
from pool_observer.audit.facts import Route
from tests.audit import some_endpoints
from tests.audit.some_endpoints import ENGINE, SessionLocal, app_of

SYNCHRONOUS, NONE = frozenset((False,)), frozenset[bool]()
Sessions = scoped_session(SessionLocal)


def get_db() -> Iterator[Session]:
    with SessionLocal() as session:
        yield session


def route_of(endpoint: Callable[..., Any]) -> Route:
    (route,) = routes_of(app_of(endpoint))
    return route


# -- what is only named -----------------------------------------------------------------------


def job(factory: Any) -> None:
    with factory() as session:
        session.commit()


async def in_a_thread(function: Any, *arguments: Any, **options: Any) -> Any:
    return await asyncio.to_thread(function, *arguments, **options)


async def hands_it_to_a_task(tasks: BackgroundTasks) -> str:
    tasks.add_task(job, SessionLocal)
    return "queued"


async def hands_it_to_a_helper() -> Any:
    return await in_a_thread(job, SessionLocal)


async def hands_it_to_a_helper_by_name() -> Any:
    return await in_a_thread(job, factory=SessionLocal)


async def asks_the_pool() -> str:
    return ENGINE.pool.status()


async def asks_the_dialect() -> str:
    return f"{ENGINE.dialect.name} {ENGINE!r}"


async def asks_a_module() -> str:
    return f"{some_endpoints.ENGINE.url} {some_endpoints.SessionLocal}"


async def works_in_a_function_of_its_own() -> Any:
    def work() -> None:
        SessionLocal().close()

    return await in_a_thread(work)


@pytest.mark.parametrize(
    "endpoint",
    [
        hands_it_to_a_task,
        hands_it_to_a_helper,
        hands_it_to_a_helper_by_name,
        asks_the_pool,
        asks_the_dialect,
        asks_a_module,
        works_in_a_function_of_its_own,
    ],
    ids=lambda each: each.__name__,
)
def test_what_is_only_named_is_not_used(endpoint: Callable[..., Any]) -> None:
    assert route_of(endpoint).on_the_loop == NONE


# -- what is used -----------------------------------------------------------------------------


async def calls_the_factory() -> str:
    return str(SessionLocal())


async def calls_it_with_arguments() -> str:
    options: dict[str, Any] = {}
    with SessionLocal(*(), **options) as session:
        return str(session)


async def begins() -> str:
    with SessionLocal.begin() as session:
        return str(session)


async def makes_a_session() -> str:
    with Session(ENGINE) as session:
        return str(session)


async def connects() -> str:
    with ENGINE.connect() as connection:
        return str(connection)


async def executes_on_a_shared_one() -> str:
    return str(Sessions.scalars("SELECT 1"))  # type: ignore[call-overload]


async def calls_what_a_module_has() -> str:
    with some_endpoints.SessionLocal() as session, some_endpoints.ENGINE.begin() as connection:
        return str((session, connection))


@pytest.mark.parametrize(
    "endpoint",
    [
        calls_the_factory,
        calls_it_with_arguments,
        begins,
        makes_a_session,
        connects,
        executes_on_a_shared_one,
        calls_what_a_module_has,
    ],
    ids=lambda each: each.__name__,
)
def test_what_is_called_or_asked_is_used(endpoint: Callable[..., Any]) -> None:
    assert route_of(endpoint).on_the_loop == SYNCHRONOUS


@pytest.mark.parametrize("handed_on", [True, False])
def test_variables_of_an_enclosing_function_are_treated_alike(handed_on: bool) -> None:
    factory = SessionLocal

    async def hands_on() -> Any:
        return await in_a_thread(job, factory)

    async def calls() -> str:
        return str(factory())

    route = route_of(hands_on if handed_on else calls)
    assert route.on_the_loop == (NONE if handed_on else SYNCHRONOUS)


# -- classes that are depended on -------------------------------------------------------------


class Repository:
    def __init__(self, session: Session = Depends(get_db)) -> None:  # noqa: B008
        self.session = session


class Unannotated:
    def __init__(self, session=Depends(get_db), page: int = 1) -> None:  # type: ignore[no-untyped-def] # noqa: B008
        self.page = page
        self.session = session


def get_anything() -> Iterator[Any]:
    yield from ()


class Annotated:
    def __init__(self, session: Session = Depends(get_anything)) -> None:  # noqa: B008
        self.session = session


@dataclass
class Fields:
    session: Session = Depends(get_db)  # noqa: RUF009


class Outer:
    def __init__(self, inner: Repository = Depends(Repository)) -> None:  # noqa: B008
        self.inner = inner


class User:
    """It asks the database when it is made, which is in a thread, and keeps the answer."""

    def __init__(self, session: Session = Depends(get_db)) -> None:  # noqa: B008
        self.name = session.scalars("SELECT 1")  # type: ignore[call-overload]


KEEPING = pytest.mark.parametrize(
    "kind", [Repository, Unannotated, Fields, Outer], ids=lambda each: each.__name__
)


def depending_on(kind: type, *, plain: bool = False) -> Route:
    async def coroutine(given: Any = Depends(kind)) -> str:  # noqa: B008
        return str(given)

    def function(given: Any = Depends(kind)) -> str:  # noqa: B008
        return str(given)

    return route_of(function if plain else coroutine)


@KEEPING
def test_a_session_that_a_class_keeps_is_used_by_whom_it_is_for(kind: type) -> None:
    route = depending_on(kind)
    assert (route.on_the_loop, route.in_threads) == (SYNCHRONOUS, NONE)
    route = depending_on(kind, plain=True)
    assert (route.on_the_loop, route.in_threads) == (NONE, SYNCHRONOUS)
    assert route.threads_again


@KEEPING
def test_the_session_of_a_class_ends_with_the_request(kind: type) -> None:
    assert depending_on(kind).session_dependency(asynchronous=False) == "get_db"
    assert depending_on(kind).session_dependency(asynchronous=True) is None


def test_what_a_class_keeps_may_be_known_by_its_annotation_alone() -> None:
    assert depending_on(Annotated).on_the_loop == SYNCHRONOUS
    assert depending_on(Annotated).session_dependency(asynchronous=False) == "get_anything"


def test_a_session_that_a_class_uses_and_does_not_keep_is_used_in_a_thread() -> None:
    route = depending_on(User)
    assert (route.on_the_loop, route.in_threads) == (NONE, SYNCHRONOUS)


def test_a_generator_that_is_an_object_has_the_name_of_its_class() -> None:
    class Provider:
        def __call__(self) -> Iterator[Session]:
            with SessionLocal() as session:
                yield session

    app = FastAPI()

    @app.get("/")
    def stream(session: Session = Depends(Provider())) -> StreamingResponse:  # noqa: B008
        raise NotImplementedError

    (route,) = routes_of(app)
    assert route.session_dependencies == ((False, "Provider"),)
