"""Time-outs come in crowds, and for as long as the trouble lasts: the log is not flooded."""

from __future__ import annotations

import pytest
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from tests.forensics.overdue import Pool, a_pool
from tests.support import FakeDatabase


def time_out(pool: Pool, times: int) -> None:
    for _ in range(times):
        with pytest.raises(PoolTimeoutError) as raised:
            pool.engine.connect()
        assert len(raised.value.__notes__) == 1


def counts(caplog: pytest.LogCaptureFixture) -> list[int]:
    """How many each report in the log is about."""
    kind, count = "pool_observer.incident", "pool_observer.count"
    return [vars(each)[count] for each in caplog.records if vars(each).get(kind) == "timed_out"]


def test_one_report_a_minute_counts_all_since_the_last(
    database: FakeDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    with a_pool(database, pool_size=1) as pool, pool.engine.connect():
        for _ in range(59):
            time_out(pool, 2)
            pool.observer.tick()
            pool.clock.advance(1)
        assert counts(caplog) == [2]
        pool.clock.advance(1)
        pool.observer.tick()
        assert counts(caplog) == [2, 116]
        time_out(pool, 3)
        pool.observer.tick()
        incidents = [each for each in pool.observer.incidents() if each.kind == "timed_out"]
        assert len(incidents) == 2  # the hold has become overdue in between
        assert sum(each.count for each in incidents) == 121
    assert counts(caplog) == [2, 116, 3]  # nothing is kept back at the end
