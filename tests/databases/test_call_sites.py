"""The call site of a hold is the line of the application that made it ask for a connection."""

from __future__ import annotations

import threading
from pathlib import Path

from sqlalchemy import select, text
from sqlalchemy.orm import Session, sessionmaker

from tests.databases import session_helper
from tests.databases.call_sites import assert_held_from, next_line
from tests.databases.case import Case
from tests.databases.drivers import EVERY, SYNC
from tests.databases.on import on
from tests.databases.tables import Author, Book, tables


@on(*EVERY)
def test_engine_connect(case: Case) -> None:
    line = next_line()
    with case.engine.connect():
        assert_held_from(case, line, "test_engine_connect")


@on(*EVERY)
def test_engine_begin(case: Case) -> None:
    line = next_line()
    with case.engine.begin():
        assert_held_from(case, line, "test_engine_begin")


@on(*EVERY)
def test_raw_connection(case: Case) -> None:
    line = next_line()
    connection = case.engine.raw_connection()
    assert_held_from(case, line, "test_raw_connection")
    connection.close()


@on(*EVERY)
def test_the_path_is_one_that_an_import_would_find(case: Case) -> None:
    with case.engine.connect():
        site = case.hold.call_site
        assert site is not None
        assert site.file == "tests/databases/test_call_sites.py"


@on(*EVERY)
def test_a_session_that_executes(case: Case) -> None:
    with Session(case.engine) as session:
        line = next_line()
        session.execute(text("SELECT 1"))
        assert_held_from(case, line, "test_a_session_that_executes")
        session.execute(text("SELECT 2"))
        assert_held_from(case, line, "test_a_session_that_executes")
        session.commit()
        line = next_line()
        session.scalar(text("SELECT 3"))
        assert_held_from(case, line, "test_a_session_that_executes")


@on(*EVERY)
def test_a_session_that_flushes(case: Case) -> None:
    with tables(case), Session(case.engine) as session:
        session.add(Author(name="Ursula"))
        line = next_line()
        session.flush()
        assert_held_from(case, line, "test_a_session_that_flushes")


@on(*EVERY)
def test_a_session_that_asks_for_its_connection(case: Case) -> None:
    sessions = sessionmaker(case.engine)
    with sessions.begin() as session:
        assert case.state().used == 0
        line = next_line()
        session.connection()
        assert_held_from(case, line, "test_a_session_that_asks_for_its_connection")


@on(*EVERY)
def test_a_lazy_load(case: Case) -> None:
    """The line that touches an attribute, of which nobody thinks that it takes a connection."""
    with tables(case), Session(case.engine) as session:
        session.add(Author(name="Ursula", books=[Book(title="The Dispossessed")]))
        session.commit()
        author = session.scalars(select(Author)).one()
        session.commit()
        line = next_line()
        name = author.name  # expired by the commit
        assert_held_from(case, line, "test_a_lazy_load")
        session.rollback()
        titles = []
        line = next_line()
        for book in author.books:
            titles.append(book.title)
        assert_held_from(case, line, "test_a_lazy_load")
        assert (name, titles) == ("Ursula", ["The Dispossessed"])


@on(*EVERY)
def test_a_query_iterated_in_a_comprehension(case: Case) -> None:
    with tables(case), Session(case.engine) as session:
        line = next_line()
        assert [author.name for author in session.scalars(select(Author))] == []
        assert_held_from(case, line, "test_a_query_iterated_in_a_comprehension")


@on(*EVERY)
def test_a_statement_over_several_lines_is_found_where_it_calls(case: Case) -> None:
    with Session(case.engine) as session:
        first = next_line()
        session.execute(
            text("SELECT 1"),
        )
        last = next_line() - 2
        site = case.hold.call_site
        assert site is not None
        assert first <= site.line <= last


@on(*SYNC)
def test_a_thread(case: Case) -> None:
    lines = []

    def work() -> None:
        lines.append(next_line())
        with case.engine.connect():
            assert_held_from(case, lines[0], "work")

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    [hold] = case.holds
    assert hold.call_site is not None
    assert hold.call_site.line == lines[0]


@on(*EVERY)
def test_a_helper_is_the_call_site_unless_it_is_skipped(case: Case) -> None:
    with session_helper.connection_of(case.engine):
        site = case.hold.call_site
        assert site is not None
        assert Path(site.file).name == "session_helper.py"
        assert site.function == "connection_of"


@on(*EVERY, observing={"skip_callers": ["tests.databases.session_helper"]})
def test_the_caller_of_a_skipped_helper_is_the_call_site(case: Case) -> None:
    line = next_line()
    with session_helper.connection_of(case.engine):
        assert_held_from(case, line, "test_the_caller_of_a_skipped_helper_is_the_call_site")
