"""The audit of an engine that is observed: on demand, or logged once it has started."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import create_engine
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

from pool_observer import Deployment, Finding, ServerLimits, ServerState
from pool_observer.watchdog import process_watchdog
from tests.audit.some_endpoints import blocks
from tests.conftest import Observe
from tests.support import wait_until

URL = "postgresql+asyncpg://user:secret@db.example.org/orders"
MANY = Deployment(workers=4, replicas=3)
FULL = Deployment(workers=4, replicas=3, max_connections=100)


def codes(findings: tuple[Finding, ...]) -> list[str]:
    return [finding.code for finding in findings]


def test_an_observer_audits_its_engine(observed: Observe) -> None:
    observer = observed(create_async_engine(URL, pool_pre_ping=True), name="orders")
    assert "capacity" not in codes(observer.audit())
    assert "capacity" in codes(observer.audit(deployment=FULL))


def test_what_the_server_says_is_known(observed: Observe) -> None:
    observer = observed(create_async_engine(URL, pool_pre_ping=True), name="orders")
    observer.show_server(lambda: ServerState(up=True, at=1.0, limits=ServerLimits(100, 3)))
    assert "capacity" in codes(observer.audit(deployment=MANY))


def test_the_application_and_its_sessions_are_known(observed: Observe) -> None:
    app = FastAPI()
    engine = create_engine("postgresql+psycopg://db/orders", pool_pre_ping=True)
    observer = observed(engine, app=app, name="orders")
    assert "sync-engine" not in codes(observer.audit())
    app.get("/")(blocks)
    assert "sync-engine" in codes(observer.audit())


def test_sessions_are_given(observed: Observe) -> None:
    engine = create_async_engine(URL, pool_pre_ping=True)
    observer = observed(engine, name="orders")
    assert "expire-on-commit" in codes(observer.audit(sessions=[async_sessionmaker(engine)]))
    assert "expire-on-commit" not in codes(observer.audit())


def test_of_an_engine_that_is_gone_there_is_nothing_to_say(observed: Observe) -> None:
    observer = observed(create_async_engine(URL), name="orders")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(observer._attachment, "_engine", lambda: None)
        assert observer.audit() == ()


@pytest.mark.parametrize("wanted", ["yes", 4, {}, Deployment])
def test_anything_but_a_deployment_is_refused(observed: Observe, wanted: Any) -> None:
    with pytest.raises(TypeError, match=r"audit must be True, False or pool_observer.Deployment"):
        observed(create_async_engine(URL), name="orders", audit=wanted)


def test_it_is_logged_once_when_the_application_has_started(
    observed: Observe, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "pool_observer.audit")
    observed(create_async_engine(URL, pool_pre_ping=True), name="orders", audit=FULL)
    process_watchdog.tick()
    wait_until(lambda: any("capacity" in each.getMessage() for each in caplog.records))
    process_watchdog.tick()
    (record,) = [each for each in caplog.records if "capacity" in each.getMessage()]
    assert record.levelname == "ERROR"
    assert record.getMessage().startswith('pool "orders": capacity: up to 180 connections')
    assert "docs/audit.md#capacity" in record.getMessage()
    assert record.__dict__["pool_observer.finding"] == "capacity"
    assert "secret" not in caplog.text
