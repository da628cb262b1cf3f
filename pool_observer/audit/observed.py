"""The audit of an engine that is observed, beside the others of its process."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from sqlalchemy.engine import Engine

from pool_observer.audit.facts import Deployment, Facts
from pool_observer.audit.finding import Finding
from pool_observer.audit.gathering import distinct, gathered, name_by_url, on_one_server
from pool_observer.audit.rules import judge
from pool_observer.server import ServerState


@dataclass(frozen=True, slots=True)
class Audited:
    """What an observer knows that the audit is to look at."""

    engine: Engine
    app: object
    server: ServerState | None
    others: tuple[Engine, ...]
    """The other engines of this process that are observed."""
    names: Mapping[Engine, str] = field(default_factory=dict)
    """What the pools of all of them are called."""


def audit_of(
    audited: Audited, sessions: Iterable[object], deployment: Deployment
) -> tuple[Finding, ...]:
    """What to mend in its configuration, with all that the process asks of its server."""
    return judge(_facts(audited, sessions, deployment))


@dataclass(frozen=True, slots=True)
class Said:
    """What an audit has to say."""

    findings: tuple[Finding, ...] = ()
    elsewhere: bool = False
    """Whether there is more, which was said of another engine."""


class AlreadySaid:
    """What concerns several engines of a process is said once, of the first that is audited."""

    def __init__(self) -> None:
        # Engines that were added up with another, and what was known then.
        self._counted: weakref.WeakKeyDictionary[Engine, tuple[Deployment, int | None]]
        self._counted = weakref.WeakKeyDictionary()
        # Applications that were looked at, and for which kind of engines.
        self._looked_at: list[tuple[weakref.ref[object], bool]] = []
        self._lock = threading.Lock()

    def audit_of(self, audited: Audited, deployment: Deployment) -> Said:
        """What to mend in its configuration that has not been said yet."""
        facts = _facts(audited, (), deployment)
        known = deployment, facts.max_connections
        with self._lock:
            first = replace(
                facts,
                speaks_for_all=self._counted.get(audited.engine) != known,
                routes=() if self._has_looked_at(audited.app, facts.asynchronous) else facts.routes,
            )
            for other in audited.others:
                if on_one_server(audited.engine, other):
                    self._counted[other] = known
            self._looked_at = [each for each in self._looked_at if each[0]() is not None]
            if audited.app is not None:
                self._looked_at.append((weakref.ref(audited.app), facts.asynchronous))
        findings = judge(first)
        return Said(findings, elsewhere=len(findings) < len(judge(facts)))

    def _has_looked_at(self, app: object, asynchronous: bool) -> bool:
        return any(seen() is app and kind is asynchronous for seen, kind in self._looked_at)


process_said = AlreadySaid()


def _facts(audited: Audited, sessions: Iterable[object], deployment: Deployment) -> Facts:
    engines = distinct([audited.engine, *audited.others])
    return gathered(
        engines,
        audited.app,
        sessions,
        deployment,
        audited.server,
        unbound_belong_to=audited.engine,
        name_of=lambda engine: audited.names.get(engine) or name_by_url(engine),
    )[0]
