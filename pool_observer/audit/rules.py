"""All rules of the audit, by the codes of what they find."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from pool_observer.audit.application import (
    expire_on_commit,
    streaming_session,
    sync_engine,
    threads,
)
from pool_observer.audit.capacity import account_limit, capacity, two_pools, unbounded_overflow
from pool_observer.audit.database import idle_in_transaction, prepared_statements
from pool_observer.audit.facts import Facts
from pool_observer.audit.finding import Finding, Severity, Verdict
from pool_observer.audit.lifetime import pre_ping, recycle
from pool_observer.audit.sizing import (
    no_pool,
    overflow,
    pool_class,
    pool_size,
    pool_timeout,
    timeout_beyond_request,
)
from pool_observer.wording import one_line

Rule = Callable[[Facts], Verdict | None]

RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "capacity": capacity,
        "account-limit": account_limit,
        "unbounded-overflow": unbounded_overflow,
        "pool-class": pool_class,
        "no-pool": no_pool,
        "prepared-statements": prepared_statements,
        "recycle": recycle,
        "pre-ping": pre_ping,
        "sync-engine": sync_engine,
        "threads": threads,
        "streaming-session": streaming_session,
        "expire-on-commit": expire_on_commit,
        "pool-timeout-beyond-request": timeout_beyond_request,
        "pool-timeout": pool_timeout,
        "pool-size": pool_size,
        "overflow": overflow,
        "two-pools": two_pools,
        "idle-in-transaction-timeout": idle_in_transaction,
    }
)
"""In the order in which findings of equal severity are told."""

_ORDER = tuple(Severity)


def judge(facts: Facts) -> tuple[Finding, ...]:
    """What all rules find, the most severe first."""
    found = [
        _finding(code, verdict, facts)
        for code, rule in RULES.items()
        if (verdict := rule(facts)) is not None
    ]
    return most_severe_first(found)


def most_severe_first(findings: list[Finding]) -> tuple[Finding, ...]:
    """In a stable order: by severity, and otherwise as they came."""
    return tuple(sorted(findings, key=lambda finding: _ORDER.index(finding.severity)))


def _finding(code: str, verdict: Verdict, facts: Facts) -> Finding:
    return Finding(
        code=code,
        severity=verdict.severity,
        title=one_line(verdict.title),
        why=verdict.why,
        mend=verdict.mend,
        pool=facts.pool,
    )
