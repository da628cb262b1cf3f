"""On a real MariaDB: who waits for what, and for whom."""

from __future__ import annotations

from sqlalchemy import Engine, text

from tests.databases.servers import MariadbServer
from tests.probe.mysql.looking import CHANGE, SHARE, in_transaction, look, row_of, waiting


def test_who_waits_for_a_table_says_so(root: Engine, mariadb: MariadbServer) -> None:
    with (
        in_transaction(root, "SELECT * FROM account"),
        waiting(root, "ALTER TABLE account ADD COLUMN more int", mariadb) as pid,
    ):
        row = row_of(look(root), pid)
        assert row.waits_for == "table metadata lock"
        assert row.blocked_by == ()  # of whom, InnoDB does not know


def test_who_waits_for_a_lock_of_the_applications_says_so(
    root: Engine, mariadb: MariadbServer
) -> None:
    with (
        in_transaction(root, "SELECT GET_LOCK('mine', 0)"),
        waiting(root, "SELECT GET_LOCK('mine', 600)", mariadb) as pid,
    ):
        assert row_of(look(root), pid).waits_for == "User lock"


def test_who_queues_behind_another_that_waits_names_both(
    root: Engine, mariadb: MariadbServer
) -> None:
    with (
        in_transaction(root, CHANGE) as first,
        waiting(root, CHANGE, mariadb) as second,
        waiting(root, CHANGE, mariadb) as third,
    ):
        reading = look(root)
        assert row_of(reading, first).blocked_by == ()
        assert row_of(reading, second).blocked_by == (first,)
        assert set(row_of(reading, third).blocked_by) == {first, second}


def test_a_reader_that_has_a_lock_is_named_among_readers_that_have_none(
    root: Engine, mariadb: MariadbServer
) -> None:
    with (
        in_transaction(root, "SELECT * FROM account WHERE id = 2"),
        in_transaction(root, SHARE) as reader,
        waiting(root, CHANGE, mariadb) as writer,
    ):
        assert row_of(look(root), writer).blocked_by == (reader,)


def test_nobody_is_named_where_it_might_be_either(root: Engine, mariadb: MariadbServer) -> None:
    with (
        in_transaction(root, SHARE),
        in_transaction(root, SHARE.replace("= 1", "= 2")),
        waiting(root, CHANGE, mariadb) as writer,
    ):
        row = row_of(look(root), writer)
        assert row.blocked_by == ()
        assert row.waits_for == "InnoDB lock"


def test_a_prepared_transaction_without_a_session_is_named_as_such(
    root: Engine, mariadb: MariadbServer
) -> None:
    with root.connect() as connection:
        for statement in ("XA START 'it'", CHANGE, "XA END 'it'", "XA PREPARE 'it'"):
            connection.execute(text(statement))
        connection.invalidate()  # a mere return would roll back
    try:
        with waiting(root, CHANGE, mariadb) as pid:
            assert row_of(look(root), pid).blocked_by == (0,)
    finally:
        mariadb.ask("XA ROLLBACK 'it'")
