from __future__ import annotations

import math
import threading
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from pool_observer.model import Hold
from tests.conftest import Observe
from tests.postgres import Postgres
from tests.recipes.blocks import run_recipe
from tests.support import wait_until


class EnoughError(Exception):
    """Ends a listener that would listen for ever."""


def test_a_connection_that_listens_is_never_overdue(postgres: Postgres, observed: Observe) -> None:
    engine = create_engine(postgres.url("psycopg"))
    observer = observed(engine, name="orders", leak_after=0)
    handled: list[tuple[str, Hold]] = []

    def handle(payload: str) -> None:
        handled.append((payload, listening()))
        raise EnoughError

    def listening() -> Hold:
        return next(h for h in observer.snapshot().open_holds if h.holder == "order-listener")

    recipe = run_recipe("Connections that listen", engine=engine, handle=handle)

    def listen() -> None:
        with pytest.raises(EnoughError):
            recipe.listen()

    thread = threading.Thread(target=listen)
    thread.start()

    def notified() -> bool:
        with engine.begin() as connection:
            connection.execute(text("NOTIFY orders, '8412'"))
        return bool(handled)

    wait_until(notified)
    thread.join()
    engine.dispose()
    payload, hold = handled[0]
    assert payload == "8412"
    assert hold.limit_seconds == math.inf
    assert hold.limit_reason == "LISTEN orders"
    assert not hold.overdue


def test_a_migration_may_take_an_hour(tmp_path: Path, observed: Observe) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'recipe.db'}")
    observer = observed(engine, name="orders", leak_after=0)
    seen: list[Hold] = []

    def work() -> None:
        with engine.connect() as connection:
            connection.execute(text("SELECT 1"))
            seen.extend(observer.snapshot().open_holds)

    recipe: Any = run_recipe("Migrations and exports", work=work)
    with engine.connect():  # one that the thread holds already
        recipe.migrate()
    engine.dispose()
    assert sorted(hold.holder for hold in seen) == ["migration", "unattributed"]
    assert {hold.limit_seconds for hold in seen} == {3600}
    assert {hold.limit_reason for hold in seen} == {"migration"}
    assert not any(hold.overdue for hold in seen)
