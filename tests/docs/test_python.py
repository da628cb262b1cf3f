"""Every block of Python in the documentation is run, by a test here or by one that is named."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import create_engine
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, sessionmaker
from sqlalchemy.pool import StaticPool

from pool_observer.wiring import observers_in_use
from tests.examples import DOCS, PAGES, README, ROOT, Block, blocks

RUN_ELSEWHERE = {
    README: "tests/test_examples.py",
    DOCS / "prometheus.md": "tests/docs/test_prometheus_page.py",
    DOCS / "recipes.md": "tests/recipes/test_blocks.py",
}
"""Pages whose blocks to paste do something that is looked at there."""

TO_PASTE = [
    block
    for page in PAGES
    if page not in RUN_ELSEWHERE
    for block in blocks(page, "python")
    if not block.shows
]


class Base(DeclarativeBase):
    pass


class Order(Base):
    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


@pytest.fixture
def given() -> Iterator[dict[str, Any]]:
    """What an application has already when somebody pastes a block into it."""
    engine = create_async_engine("postgresql+asyncpg://app@db/orders")
    orders = create_engine(
        "sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False}
    )
    Base.metadata.create_all(orders)
    before = observers_in_use()
    ours = logging.getLogger("pool_observer")
    handlers, level, propagate = ours.handlers[:], ours.level, ours.propagate
    yield {
        "__name__": "pasted",
        "app": FastAPI(),
        "engine": engine,
        "Order": Order,
        "SessionLocal": sessionmaker(orders),
    }
    for observer in observers_in_use():
        if observer not in before:
            observer.close()
    ours.handlers[:], ours.propagate = handlers, propagate
    ours.setLevel(level)
    orders.dispose()


@pytest.mark.parametrize("block", TO_PASTE, ids=str)
def test_a_block_to_paste_runs(block: Block, given: dict[str, Any]) -> None:
    exec(compile(block.code, str(block), "exec", dont_inherit=True), given)


def test_where_blocks_are_run_elsewhere_there_is_something() -> None:
    for tests in RUN_ELSEWHERE.values():
        assert (ROOT / tests).exists()


def test_a_block_that_is_neither_pasted_nor_shown_would_be_found() -> None:
    assert {block.page.name for block in TO_PASTE} >= {"audit.md", "server-probe.md"}
    for page in PAGES:
        written = page.read_text(encoding="utf-8")
        assert written.count("```python\n") == len(blocks(page, "python"))
        assert written.count(">>> ") == sum(
            block.code.count(">>> ") for block in blocks(page, "python") if block.shows
        )


@pytest.mark.parametrize(
    "block", [block for block in TO_PASTE if block.page.name == "incidents.md"], ids=str
)
def test_the_log_is_shown_with_level_and_logger(block: Block) -> None:
    logs = 'logging.getLogger("pool_observer.incidents").info("it came back")'
    ran = subprocess.run(
        [sys.executable, "-c", f"{block.code}\n{logs}"], capture_output=True, text=True, check=True
    )
    assert ran.stderr.endswith(" INFO pool_observer.incidents: it came back\n")


# The oldest Starlette we support asks the newest anyio for names that it has replaced.
@pytest.mark.filterwarnings("ignore::DeprecationWarning:starlette.testclient")
def test_the_session_of_the_audits_page_begins_and_ends_in_the_endpoint(
    given: dict[str, Any],
) -> None:
    from fastapi.testclient import TestClient

    (block,) = [block for block in TO_PASTE if block.page.name == "audit.md"]
    exec(block.code, given)
    with given["SessionLocal"].begin() as session:
        session.add(Order(id=8, name="tea"))
    assert TestClient(given["app"]).get("/orders/8").json() == "tea"
