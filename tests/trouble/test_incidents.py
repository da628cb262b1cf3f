"""What else goes wrong with a pool, and where nobody can tell more."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import Engine, create_engine
from sqlalchemy.pool import QueuePool

from pool_observer import (
    IncidentKind,
    PoolObserver,
)
from pool_observer.call_site import resolve
from tests.support import FakeClock, FakeDatabase, observer_of


def test_a_database_that_cannot_be_reached_is_an_incident(clock: FakeClock) -> None:
    class FailingDatabase(FakeDatabase):
        def connect(self, *_: object, **__: object) -> None:  # type: ignore[override]
            raise self.Error("password=secret")

    failing = create_engine("sqlite://", module=FailingDatabase(), poolclass=QueuePool)
    with observer_of(failing, clock=clock) as observer:
        for _ in range(2):
            with pytest.raises(Exception, match="secret"):
                failing.connect()
        (incident,) = observer.incidents()
    assert (incident.kind, incident.count) == (IncidentKind.FAILED, 2)
    assert incident.text == "no connection could be opened for unattributed: Error"


def test_a_loop_that_was_blocked_is_an_incident_when_it_runs_again(
    engine: Engine, observer: PoolObserver, clock: FakeClock
) -> None:
    async def main() -> None:
        observer.follow_running_loop()
        observer.tick()
        clock.advance(3)
        observer.tick()
        assert observer.incidents() == []  # it still is
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        observer.tick()
        observer.tick()

    asyncio.run(main())
    (incident,) = observer.incidents()
    assert (incident.kind, incident.seconds) == (IncidentKind.LOOP_BLOCKED, 3)
    assert incident.call_site is not None
    assert incident.call_site.function.endswith("main")


def test_where_the_directory_is_gone_lines_are_told_all_the_same(
    engine: Engine, observer: PoolObserver, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone() -> str:
        raise FileNotFoundError

    monkeypatch.setattr("os.getcwd", gone)
    resolve.cache_clear()
    with engine.connect():
        (hold,) = observer.snapshot().open_holds
    resolve.cache_clear()
    assert hold.call_site is not None
    assert hold.call_site.function.startswith("test_where_the_directory_is_gone")
