"""Engines of one process are added up, and what concerns several of them is said once."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import Engine, create_engine
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

from pool_observer import Deployment, Finding, ServerState
from pool_observer.audit.observed import AlreadySaid, Audited
from pool_observer.watchdog import process_watchdog
from tests.audit.cases import RECOMMENDED
from tests.audit.some_endpoints import app_of, blocks
from tests.conftest import Observe
from tests.support import wait_until

URL = "postgresql+asyncpg://user:secret@db.example.org/orders"


def codes(findings: tuple[Finding, ...]) -> list[str]:
    return [finding.code for finding in findings]


ROOM = Deployment(max_connections=40)  # 27 for us: enough for one of these pools
SCARCE = Deployment(max_connections=20)  # 12 for us
OPTIONS: dict[str, Any] = {**RECOMMENDED, "pool_size": 10, "max_overflow": 10}


def test_what_the_process_asks_of_a_server_is_added_up(observed: Observe) -> None:
    first = observed(create_async_engine(URL, **OPTIONS), name="first")
    assert (audited := first.audited()) is not None
    assert audited.others == ()
    assert codes(first.audit(deployment=ROOM)) == []
    elsewhere = create_async_engine(URL.replace("db.", "other."), **OPTIONS)
    observed(elsewhere, name="elsewhere")
    assert codes(first.audit(deployment=ROOM)) == []
    second = observed(create_async_engine(URL.replace("/orders", "/stock"), **OPTIONS), name="2nd")
    for observer in (first, second):  # each is asked for itself
        (finding,) = observer.audit(deployment=ROOM)
        assert finding.title == "up to 40 connections, and 27 to be had"
    second.close()
    assert codes(first.audit(deployment=ROOM)) == []


def test_pools_are_called_as_they_are_observed(observed: Observe) -> None:
    first = observed(create_async_engine(URL, **OPTIONS), name="first")
    second = observed(create_async_engine(URL.replace("/orders", "/stock"), **OPTIONS), name="2nd")
    assert [finding.pool for finding in first.audit(deployment=ROOM)] == ["first"]
    assert [finding.pool for finding in second.audit(deployment=ROOM)] == ["2nd"]


def test_factories_without_an_engine_are_of_whom_is_audited(observed: Observe) -> None:
    observer = observed(create_async_engine(URL, **RECOMMENDED), name="first")
    other = create_async_engine(URL.replace("db.", "other."), **RECOMMENDED)
    observed(other, name="other")
    assert codes(observer.audit(sessions=[async_sessionmaker()])) == ["expire-on-commit"]
    assert codes(observer.audit(sessions=[async_sessionmaker(other)])) == []


def engine(url: str = "a/orders") -> Engine:
    return create_engine(f"postgresql+psycopg://{url}", **OPTIONS)


def test_what_concerns_all_is_said_once() -> None:
    first, second, stranger = engine("a/orders"), engine("a/stock"), engine("b/orders")
    said, all_of_them = AlreadySaid(), (first, second, stranger)
    beside = {each: tuple(set(all_of_them) - {each}) for each in all_of_them}
    audits = [
        said.audit_of(Audited(each, None, None, beside[each]), SCARCE) for each in all_of_them
    ]
    assert [codes(each.findings) for each in audits] == [["capacity"], [], ["capacity"]]
    assert [each.elsewhere for each in audits] == [False, True, False]


def test_what_is_known_only_of_the_second_is_said_of_it() -> None:
    first, second = engine("a/orders"), engine("a/stock")
    said = AlreadySaid()
    assert said.audit_of(Audited(first, None, None, (second,)), Deployment()).findings == ()
    audit = said.audit_of(Audited(second, None, None, (first,)), ROOM)
    assert codes(audit.findings) == ["capacity"]


def test_an_engine_that_nobody_knew_of_is_said_with_the_others() -> None:
    first, second = engine("a/orders"), engine("a/stock")
    said = AlreadySaid()
    assert said.audit_of(Audited(first, None, None, ()), ROOM).findings == ()
    audit = said.audit_of(Audited(second, None, None, (first,)), ROOM)
    assert codes(audit.findings) == ["capacity"]


def test_what_is_found_in_an_application_is_said_once_for_each_kind_of_engine() -> None:
    app, other_app = app_of(blocks), app_of(blocks)
    said = AlreadySaid()

    def audited(app: FastAPI) -> list[str]:
        return codes(said.audit_of(Audited(engine(), app, None, ()), Deployment()).findings)

    asynchronous = create_async_engine(URL, **RECOMMENDED).sync_engine
    said.audit_of(Audited(asynchronous, app, None, ()), Deployment())
    assert audited(app) == ["sync-engine"]
    assert audited(app) == []
    assert audited(other_app) == ["sync-engine"]


def test_observers_of_one_application_do_not_repeat_each_other(
    observed: Observe, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "pool_observer.audit")
    app = app_of(blocks)
    observers = [
        observed(engine(f"a/{name}"), app=app, name=name, audit=ROOM) for name in ("1st", "2nd")
    ]

    def told() -> bool:
        process_watchdog.tick()
        return len(caplog.records) >= 3

    wait_until(told)
    assert [
        message.partition(": up to")[0].partition(": 1 endpoint")[0] for message in caplog.messages
    ] == [
        'pool "1st": capacity',
        'pool "1st": sync-engine',
        'pool "2nd": nothing to mend in its configuration and 1 endpoint, other than what was said '
        "of another pool",
    ]
    assert not any(observer.closed for observer in observers)


def test_an_observer_that_is_closed_is_not_waited_for(
    observed: Observe, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "pool_observer.audit")
    first = observed(engine("a/1st"), name="1st", audit=True)
    first.show_server(lambda: ServerState(up=False))  # which it would wait for
    observed(engine("b/2nd"), name="2nd", audit=True)
    first.close()
    process_watchdog.tick()
    wait_until(lambda: bool(caplog.records))
    assert caplog.messages == ['pool "2nd": nothing to mend in its configuration']
