from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from pool_observer import holding
from tests.recipes.blocks import run_recipe
from tests.recipes.conftest import Code


def test_a_script_holds_under_the_names_it_gives(code: Code) -> None:
    script = run_recipe("Scripts", work=code.work, work_async=code.work_async)
    script.delete_old_orders()
    asyncio.run(script.delete_old_orders_async())
    code.work()
    assert code.holders == ["nightly-report", "cleanup", "unattributed", "cleanup-async"]


def test_a_decorated_generator_leaves_its_callers_name_alone(code: Code) -> None:
    export = run_recipe("Generators", work=code.work).export
    items = []
    for item in export():
        items.append(item)
        code.work()
    assert items == ["first", "second"]
    assert code.holders == ["export", "unattributed", "export", "unattributed"]


def test_a_generator_that_holds_by_hand_names_its_caller_too(code: Code) -> None:
    """Which is why the page says not to write one."""

    def export() -> Iterator[str]:
        with holding("export"):
            code.work()
            yield "first"

    for _ in export():
        code.work()
    assert code.holders == ["export", "export"]


def test_the_page_may_say_how_many_names_there_are(code: Code) -> None:
    for number in range(250):
        with holding(f"task:report:{number}"):
            code.work()
    assert len(set(code.holders)) == 200 + len({"other"})
    assert code.holders[-1] == "other"


@pytest.mark.parametrize("when", ["first statement", "begin"])
def test_a_session_is_named_at_its_first_statement(code: Code, when: str) -> None:
    from sqlalchemy import text
    from sqlalchemy.orm import Session

    with holding("made-here"):
        session = Session(code.engine)
        if when == "begin":
            session.begin()
    with holding("used-here"), session:
        session.execute(text("SELECT 1"))
    assert code.holders == ["used-here"]
