"""Whatever the facts are, the audit does not fail, and what it says to write is a mend."""

from __future__ import annotations

import re
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from pool_observer.audit.facts import (
    ConnectArguments,
    Deployment,
    Facts,
    Neighbour,
    PoolKind,
    Route,
    SessionMaker,
)
from pool_observer.audit.finding import Finding, Severity
from pool_observer.audit.rules import RULES, judge
from pool_observer.server import ServerLimits
from pool_observer.state import PoolSettings

counts = st.integers(1, 1000)
seconds = st.floats(0.001, 1e6)
settings = st.builds(
    PoolSettings,
    pool_class=st.sampled_from(["QueuePool", "NullPool", "Their"]),
    dialect=st.sampled_from(["postgresql", "mysql", "sqlite", ""]),
    driver=st.sampled_from(["asyncpg", "psycopg", "psycopg2", "pymysql"]),
    size=st.none() | st.integers(0, 200),
    max_overflow=st.none() | st.integers(-1, 200),
    timeout=st.none() | st.just(0) | seconds,
    recycle=st.none() | st.just(0) | seconds,
    pre_ping=st.none() | st.booleans(),
)
deployments = st.builds(
    Deployment,
    workers=counts,
    replicas=counts,
    max_connections=st.none() | counts,
    reserved_connections=st.none() | st.integers(0, 1000),
    proxy_idle_timeout=st.none() | seconds,
    request_timeout=st.none() | seconds,
    threads=st.none() | counts,
    pgbouncer=st.none() | st.booleans(),
    pgbouncer_keeps_statements=st.booleans(),
    serverless=st.booleans(),
)
kinds = st.frozensets(st.booleans())
routes = st.builds(
    Route,
    name=st.integers(0, 9).map("GET /{}".format),
    on_the_loop=kinds,
    in_threads=kinds,
    session_dependencies=st.lists(st.tuples(st.booleans(), st.just("get_session")), max_size=2).map(
        tuple
    ),
    threads_again=st.booleans(),
    streams=st.booleans(),
    releases=st.booleans(),
)
sizes = st.none() | st.integers(0, 1000)
any_facts = st.builds(
    Facts,
    pool=st.text(),
    settings=settings,
    kind=st.sampled_from(PoolKind),
    asynchronous=st.booleans(),
    local=st.booleans(),
    arguments=st.none()
    | st.builds(
        ConnectArguments,
        statement_cache_size=sizes,
        prepared_statement_cache_size=sizes,
        statements_are=st.sampled_from([None, "named", "nameless"]),
        asyncpg=st.sampled_from([None, (0, 29), (0, 31)]),
        prepares_never=st.booleans(),
        ends_idle_transactions=st.booleans(),
    ),
    neighbours=st.lists(
        st.builds(
            Neighbour,
            name=st.text(),
            max=sizes,
            same_database=st.booleans(),
            asynchronous=st.booleans(),
        ),
        max_size=2,
    ).map(tuple),
    speaks_for_all=st.booleans(),
    sessions=st.lists(
        st.builds(SessionMaker, asynchronous=st.booleans(), expires_on_commit=st.booleans()),
        max_size=2,
    ).map(tuple),
    routes=st.lists(routes, max_size=5).map(tuple),
    fastapi=st.none() | st.tuples(st.integers(0, 1), st.integers(0, 200)),
    threads=counts,
    deployment=deployments,
    server=st.none()
    | st.builds(
        ServerLimits,
        max_connections=sizes,
        reserved=st.integers(0, 1000),
        role=sizes,
        database=sizes,
        idle_in_transaction_timeout=st.none() | seconds,
    ),
    pooler_seen=st.booleans(),
)

SETTINGS = {
    "pool_size": "size",
    "max_overflow": "max_overflow",
    "pool_timeout": "timeout",
    "pool_recycle": "recycle",
    "pool_pre_ping": "pre_ping",
}
OPTION = re.compile(r"(pool_\w+|max_overflow)=(True|[\d.]+(?:e[+-]?\d+)?)")


@given(any_facts)
def test_whatever_the_facts_are_each_finding_is_whole(facts: Facts) -> None:
    findings = judge(facts)
    order = list(Severity)
    assert [order.index(each.severity) for each in findings] == sorted(
        order.index(each.severity) for each in findings
    )
    assert len({finding.code for finding in findings}) == len(findings)
    for finding in findings:
        assert finding.code in RULES
        assert finding.title
        assert finding.why
        assert finding.mend
        assert re.search(r"\b(None|nan|inf)\b", finding.title + finding.why) is None


def mended(facts: Facts, finding: Finding) -> Facts:
    """The facts once somebody has written what the finding says."""
    options = {
        SETTINGS[name]: True if value == "True" else float(value) if "." in value else int(value)
        for name, value in OPTION.findall(finding.mend)
        if name in SETTINGS
    }
    kind = facts.kind
    if "without poolclass" in finding.mend:
        kind, options = PoolKind.QUEUE, {"timeout": 30.0, "pre_ping": False, **options}
    return replace(facts, kind=kind, settings=replace(facts.settings, **options))  # type: ignore[arg-type]


@given(any_facts)
def test_what_a_finding_says_to_write_mends_it(facts: Facts) -> None:
    for finding in judge(facts):
        if OPTION.search(finding.mend) is None:
            continue
        if finding.code == "capacity" and facts.neighbours:
            continue  # all of its pools are to be mended
        after = [each.code for each in judge(mended(facts, finding))]
        assert finding.code not in after, finding


@given(any_facts)
def test_writing_all_that_is_said_leaves_nothing_to_be_written(facts: Facts) -> None:
    facts = replace(facts, neighbours=())
    for _ in range(5):
        told = [finding for finding in judge(facts) if OPTION.search(finding.mend)]
        if not told:
            return
        facts = mended(facts, told[0])
        # one after another, as somebody would who runs it again
        for finding in told[1:]:
            if finding.code in [each.code for each in judge(facts)]:
                (again,) = [each for each in judge(facts) if each.code == finding.code]
                facts = mended(facts, again)
    assert not [finding for finding in judge(facts) if OPTION.search(finding.mend)]
