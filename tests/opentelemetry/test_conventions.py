"""Names that OpenTelemetry's semantic conventions have, the stable ones and the former."""

from __future__ import annotations

import pytest

from pool_observer import CallSite
from pool_observer.opentelemetry.conventions import OPT_IN, Conventions

SITE = CallSite("app/chat.py", 41, "chat")

STABLE = {
    "code.file.path": "app/chat.py",
    "code.line.number": 41,
    "code.function.name": "chat",
}
FORMER = {"code.filepath": "app/chat.py", "code.lineno": 41, "code.function": "chat"}


@pytest.mark.parametrize("opted", [{}, {OPT_IN: "code"}, {OPT_IN: "database/dup,http"}])
def test_a_line_has_the_stable_names(opted: dict[str, str]) -> None:
    assert Conventions(opted).code(SITE) == STABLE
    assert Conventions(opted).code(None) == {}


def test_a_line_has_both_names_if_both_are_wanted() -> None:
    assert Conventions({OPT_IN: "http, code/dup"}).code(SITE) == STABLE | FORMER


@pytest.mark.parametrize(
    ("dialect", "system"),
    [
        ("postgresql", "postgresql"),
        ("mysql", "mysql"),
        ("mariadb", "mariadb"),
        ("sqlite", "sqlite"),
        ("mssql", "microsoft.sql_server"),
        ("oracle", "oracle.db"),
    ],
)
def test_a_database_has_its_conventional_name(dialect: str, system: str) -> None:
    assert Conventions({}).database(dialect) == {"db.system.name": system}
    both = Conventions({OPT_IN: "database/dup"}).database(dialect)
    assert both == {"db.system.name": system, "db.system": dialect}


@pytest.mark.parametrize(
    ("holder", "attributes"),
    [
        ("POST /chat/{id}", {"http.request.method": "POST", "http.route": "/chat/{id}"}),
        ("GET /", {"http.request.method": "GET", "http.route": "/"}),
        ("WS /stream", {"http.route": "/stream"}),
        ("nightly-report", {}),
        ("unmatched", {}),
        ("job /tmp", {}),
    ],
)
def test_a_request_has_a_route(holder: str, attributes: dict[str, str]) -> None:
    assert Conventions({}).request(holder) == attributes
