from __future__ import annotations

import pytest
from sqlalchemy.engine import URL, make_url

from pool_observer.hooks.naming import default_name
from pool_observer.names import LONGEST_NAME


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("postgresql://user:secret@db.internal:5432/orders", "db.internal:5432/orders"),
        ("postgresql+asyncpg://user:secret@db/orders?ssl=require", "db/orders"),
        ("postgresql://user:secret@db", "db"),
        ("postgresql://user:secret@/orders?host=/var/run/postgresql", "localhost/orders"),
        ("postgresql://user:secret@/orders?host=a:1&host=b:2", "a:1,b:2/orders"),
        ("postgresql+psycopg://", "postgresql"),
        ("mysql+aiomysql://u:secret@[::1]:3306/shop", "::1:3306/shop"),
        ("sqlite://", "sqlite"),
        ("sqlite:///:memory:", "sqlite/:memory:"),
        ("sqlite:////home/somebody/app.db", "sqlite/app.db"),
        ("mssql+pyodbc:///?odbc_connect=SERVER%3Ddb%3BPWD%3Dsecret", "mssql"),
    ],
)
def test_the_default_name_says_where_and_never_who(url: str, name: str) -> None:
    assert default_name(make_url(url)) == name
    assert "secret" not in default_name(make_url(url))


def test_a_default_name_is_on_one_line() -> None:
    url = URL.create("postgresql", host="db", database="odd\nname")
    assert default_name(url) == "db/oddname"


def test_a_default_name_is_bounded() -> None:
    assert len(default_name(make_url(f"postgresql://db/{'x' * 1000}"))) == LONGEST_NAME
