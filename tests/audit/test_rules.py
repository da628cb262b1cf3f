"""Each finding in both directions: there in the bad configuration, not in the mended one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import create_engine
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.pool import NullPool, QueuePool, StaticPool

from pool_observer.audit.auditing import audit
from pool_observer.audit.facts import Deployment
from pool_observer.audit.finding import Finding, Severity
from pool_observer.audit.rules import RULES
from pool_observer.server import ServerLimits
from tests.audit.cases import (
    ABOUT_ENDPOINTS,
    ASYNCPG,
    CASES,
    PSYCOPG,
    RECOMMENDED,
    TWELVE,
    Case,
    Setup,
    bare,
    server,
    setup,
)

DOCS = Path(__file__).parents[2] / "docs" / "audit.md"


def of_code(code: str, findings: tuple[Finding, ...]) -> list[Finding]:
    return [finding for finding in findings if finding.code == code]


@pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))
def test_what_is_wrong_is_found_once_and_what_is_mended_is_not(case: Case) -> None:
    (found,) = of_code(case.code, case.bad.findings())
    assert found.severity is case.severity
    assert of_code(case.code, case.mended.findings()) == []


def test_every_rule_has_cases() -> None:
    assert {case.code for case in CASES.values()} | ABOUT_ENDPOINTS == set(RULES)


@pytest.mark.parametrize("code", RULES)
def test_every_finding_is_explained_in_the_documentation(code: str) -> None:
    sections = [line for line in DOCS.read_text().splitlines() if line.startswith("### ")]
    assert sections.count(f"### {code}") == 1
    finding = Finding(code, Severity.INFO, "", "", "", "")
    assert finding.link == f"docs/audit.md#{code}"


def test_the_documentation_explains_nothing_that_is_never_found() -> None:
    sections = [line for line in DOCS.read_text().splitlines() if line.startswith("### ")]
    assert {line.removeprefix("### ") for line in sections} == set(RULES)


@pytest.mark.parametrize("url", [ASYNCPG, PSYCOPG])
@pytest.mark.parametrize(
    "deployment",
    [
        Deployment(),
        Deployment(workers=2, replicas=3, max_connections=100, request_timeout=30),
        Deployment(proxy_idle_timeout=1800, request_timeout=60, pgbouncer=False),
    ],
)
def test_nothing_is_found_in_the_recommended_configuration(
    url: str, deployment: Deployment
) -> None:
    sessions = (
        (lambda e: [async_sessionmaker(e, expire_on_commit=False)])
        if url == ASYNCPG
        else (lambda _: [])
    )
    recommended = Setup(url, RECOMMENDED, sessions, deployment)
    assert recommended.findings() == ()
    assert replace(recommended, server=server()).findings() == ()


@pytest.mark.parametrize(
    "url",
    ["sqlite://", "sqlite:///orders.db", "sqlite+aiosqlite://", "sqlite+aiosqlite:///orders.db"],
)
def test_nothing_is_found_in_an_engine_on_sqlite(url: str) -> None:
    deployment = Deployment(proxy_idle_timeout=60, request_timeout=5, **TWELVE)
    for options in ({}, {"poolclass": NullPool}, {"poolclass": StaticPool}):
        assert replace(bare(url, **options), deployment=deployment).findings() == ()


def test_a_pool_without_a_limit_harms_no_file() -> None:
    assert bare("sqlite:///orders.db", max_overflow=-1).findings() == ()
    assert bare("sqlite:///orders.db", max_overflow=-1, poolclass=QueuePool).findings() == ()


def test_an_engine_with_the_defaults_is_told_what_is_not_well() -> None:
    findings = [(each.severity.value, each.code) for each in bare().findings()]
    assert findings == [("warning", "pre-ping"), ("info", "pool-timeout"), ("info", "overflow")]


def test_the_figures_are_those_of_the_configuration() -> None:
    (finding,) = of_code(
        "capacity",
        replace(
            setup(pool_size=8, max_overflow=2),
            deployment=Deployment(
                workers=2, replicas=7, max_connections=120, reserved_connections=10
            ),
        ).findings(),
    )
    assert finding.title == "up to 140 connections, and 80 to be had"
    assert finding.why == (
        "(pool_size 8 + max_overflow 2) x 2 workers x 7 replicas = 140. The server takes 120, of "
        "which 10 are reserved; 30 more (25%) are for deployments, migrations and people: 80 "
        "remain. At full load 30 are refused: too many clients."
    )
    assert "pool_size=3, max_overflow=2" in finding.mend  # 80 / 14 is 5


def test_where_there_is_not_one_connection_for_each_process_smaller_pools_are_not_the_mend() -> (
    None
):
    findings = replace(
        setup(), deployment=Deployment(workers=50, replicas=4, max_connections=100)
    ).findings()
    (finding,) = of_code("capacity", findings)
    assert "pool_size" not in finding.mend
    assert "not one connection for each of the 200 pools" in finding.mend


def test_for_the_only_pool_there_is_no_talk_of_several() -> None:
    findings = replace(setup(), deployment=Deployment(max_connections=3)).findings()
    (finding,) = of_code("capacity", findings)
    assert finding.mend == (
        "PgBouncer in transaction mode in between: there is not one connection for this pool"
    )


def test_engines_of_two_kinds_are_not_told_to_share_a_pool() -> None:
    plain = create_engine(PSYCOPG, **RECOMMENDED)
    other = create_engine(PSYCOPG, **RECOMMENDED)
    asynchronous = create_async_engine(ASYNCPG, **RECOMMENDED)
    (finding,) = of_code("two-pools", audit([plain, asynchronous]))
    assert "cannot share a pool" in finding.mend
    (finding,) = of_code("two-pools", audit([plain, other]))
    assert finding.mend.startswith("share one engine")


@pytest.mark.parametrize(("idle", "mend"), [(1, "0.75"), (4 / 3 - 1e-9, "0.999"), (1.34, "1")])
def test_a_proxy_of_little_patience_is_not_met_with_no_pool_at_all(idle: float, mend: str) -> None:
    findings = replace(setup(), deployment=Deployment(proxy_idle_timeout=idle)).findings()
    (finding,) = of_code("recycle", findings)
    assert f"pool_recycle={mend})" in finding.mend


def test_what_you_say_goes_before_what_the_server_says() -> None:
    small = replace(setup(), server=server(ServerLimits(5, 3, idle_in_transaction_timeout=1)))
    assert of_code("capacity", small.findings())
    told = replace(small, deployment=Deployment(max_connections=100))
    assert of_code("capacity", told.findings()) == []


def test_a_server_that_did_not_answer_has_said_nothing() -> None:
    assert replace(setup(), server=server(ServerLimits(5), up=False)).findings() == ()


def test_the_most_severe_is_first() -> None:
    findings = replace(bare(), deployment=Deployment(proxy_idle_timeout=60, **TWELVE)).findings()
    severities = [list(Severity).index(finding.severity) for finding in findings]
    assert severities == sorted(severities)
    assert len(set(severities)) == len(Severity)


def test_findings_about_several_engines_name_their_pools() -> None:
    findings = replace(
        setup(pool_pre_ping=False), more_urls=(ASYNCPG.replace("db.", "other."),)
    ).findings()
    assert [(finding.code, finding.pool) for finding in findings] == [
        ("pre-ping", "db.example.org/orders"),
        ("pre-ping", "other.example.org/orders"),
    ]
