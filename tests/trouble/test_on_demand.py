"""An explanation of now, and what is logged at the end."""

from __future__ import annotations

import logging

import pytest
from sqlalchemy import Engine, text

from pool_observer import (
    Activity,
    PoolObserver,
    forensics,
    holding,
)
from tests.support import FakeClock, named, observer_of


def test_an_explanation_of_now(engine: Engine, observer: PoolObserver, clock: FakeClock) -> None:
    with holding("POST /chat"), engine.connect():
        clock.advance(1)
        explanation = observer.explain()
    assert (explanation.used, explanation.max, explanation.waiting) == (1, 2, 0)
    (held,) = explanation.holds
    assert (held.hold.holder, held.hold.activity) == ("POST /chat", Activity.IDLE)
    assert held.hold.activity_for_seconds == 1
    assert held.standing is not None
    assert held.standing.at is not None
    assert held.standing.at.function == "test_an_explanation_of_now"
    assert str(explanation).startswith('pool "orders": 1 of 2 connections held')


def test_an_activity_is_told_since_it_began(
    engine: Engine, observer: PoolObserver, clock: FakeClock
) -> None:
    with engine.connect() as connection:
        clock.advance(1)
        connection.execute(text("SELECT 1"))
        clock.advance(2)
        (held,) = observer.explain().holds
    assert (held.hold.seconds, held.hold.activity_for_seconds) == (3, 2)


def test_what_was_out_before_counts(engine: Engine) -> None:
    with engine.connect(), observer_of(engine) as observer:
        explanation = observer.explain()
        assert (explanation.used, explanation.unseen, explanation.holds) == (1, 1, ())


def test_of_very_many_who_wait_the_first_are_told(
    observer: PoolObserver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forensics, "MOST_EXPLAINED", 2)
    for name in ("a", "b", "c"):
        observer._ledger.wait_begins(name, named(name))
    explanation = observer.explain()
    assert explanation.waiting == 3
    assert [wait.holder for wait in explanation.waits] == ["a", "b"]


def test_after_the_end_nobody_holds_anything(engine: Engine, observer: PoolObserver) -> None:
    with engine.connect():
        observer.close()
        assert observer.explain().holds == ()


def test_what_was_found_is_logged_before_the_end(
    engine: Engine, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    with observer_of(engine, clock=clock) as observer, engine.connect():
        clock.advance(31)
        observer.snapshot()
        assert caplog.records == []
    assert "has held a connection for 31.0 s" in caplog.text


def test_a_filter_that_raises_is_counted(
    engine: Engine, observer: PoolObserver, clock: FakeClock
) -> None:
    def refuse(record: logging.LogRecord) -> bool:
        raise RuntimeError("refused")

    logger = logging.getLogger("pool_observer.incidents")
    logger.addFilter(refuse)
    try:
        with engine.connect():
            clock.advance(31)
            observer.tick()
    finally:
        logger.removeFilter(refuse)
    assert observer.snapshot().totals.internal_errors == {"logging": 1}
