"""What is wrong with how a probe was asked for is said at once, with the mend."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine

from pool_observer import ServerProbe, observe
from tests.conftest import Observe
from tests.support import FakeDatabase


@pytest.mark.parametrize("name", ["interval", "timeout"])
@pytest.mark.parametrize("value", [0, -1, float("nan"), True, "10", None])
def test_seconds_are_numbers_above_0(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=f"{name} must be a number of seconds above 0"):
        ServerProbe(**{name: value})


def test_a_url_is_a_url() -> None:
    with pytest.raises(TypeError, match=r"url must be a database URL, not int: ServerProbe\(url="):
        ServerProbe(url=7)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="url cannot be read as a database URL") as caught:
        ServerProbe(url="app:hunter2@host/orders")
    assert "hunter2" not in repr(caught.value)
    assert caught.value.__cause__ is None


def test_its_text_has_no_password() -> None:
    for url in (
        "postgresql+asyncpg://monitor:hunter2@host/orders",
        make_url("postgresql://monitor:hunter2@host/orders"),
    ):
        text = repr(ServerProbe(url))
        assert "hunter2" not in text
        assert "monitor" in text
    assert repr(ServerProbe()) == "ServerProbe(interval=10.0, timeout=5.0)"


def test_a_server_that_cannot_be_asked_is_refused(database: FakeDatabase) -> None:
    with pytest.raises(ValueError, match=r"server_probe knows .*postgresql.*, and not sqlite"):
        observe(database.engine(), name="orders", server_probe=True)


def test_a_url_of_a_server_that_cannot_be_asked_is_refused() -> None:
    engine = create_engine("postgresql+psycopg://host/orders")
    for url in ("sqlite://", "oracle+oracledb://host"):
        with pytest.raises(ValueError, match="and the engine one for postgresql; give it one"):
            observe(engine, name="orders", server_probe=ServerProbe(url))


def test_a_url_with_a_driver_that_is_not_there_is_refused() -> None:
    engine = create_engine("postgresql+psycopg://host/orders")
    with pytest.raises(ImportError, match="a URL for pg8000, and there is no pg8000"):
        observe(engine, name="orders", server_probe=ServerProbe("postgresql+pg8000://host/orders"))


async def connects(*_: object, **__: object) -> Any:
    raise NotImplementedError


def test_a_coroutine_of_the_applications_is_not_run_in_another_loop() -> None:
    url = "postgresql+asyncpg://host/orders"
    for engine in (
        create_async_engine(url, async_creator=connects),
        create_async_engine(url, connect_args={"password": connects}),
    ):
        with pytest.raises(ValueError, match="an async_creator, or another coroutine"):
            observe(engine, name="orders", server_probe=True)
        with observe(engine, name="orders", server_probe=ServerProbe(url)):
            pass


def test_functions_that_are_no_coroutines_may_help_to_connect() -> None:
    engine = create_async_engine(
        "postgresql+asyncpg://host/orders", connect_args={"password": lambda: "made anew"}
    )
    with observe(engine, name="orders", server_probe=True):
        pass


@pytest.mark.parametrize("wanted", ["yes", 10, {}, ServerProbe])
def test_anything_else_is_refused(wanted: Any) -> None:
    engine = create_engine("postgresql+psycopg://host/orders")
    with pytest.raises(TypeError, match="server_probe must be True, False or"):
        observe(engine, name="orders", server_probe=wanted)


@pytest.mark.parametrize("wanted", [False, None])
def test_without_it_nobody_is_asked(observed: Observe, wanted: Any) -> None:
    engine = create_engine("postgresql+psycopg://host/orders")
    assert observed(engine, name="orders", server_probe=wanted).snapshot().server is None
