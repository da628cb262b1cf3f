"""`audit()`: what is wrong with an engine's configuration, before it hurts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from sqlalchemy.engine import Engine

from pool_observer.audit.facts import Deployment
from pool_observer.audit.finding import Finding
from pool_observer.audit.gathering import distinct, gathered, name_by_url
from pool_observer.audit.rules import judge, most_severe_first
from pool_observer.server import ServerState

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

AS_IT_COMES = Deployment()


def audit(
    engine: Engine | AsyncEngine | Sequence[Engine | AsyncEngine],
    app: object = None,
    *,
    sessions: Iterable[object] = (),
    deployment: Deployment = AS_IT_COMES,
    server: ServerState | None = None,
    name_of: Callable[[Engine], str] = name_by_url,
) -> tuple[Finding, ...]:
    """What to mend in the configuration of an engine, the most severe first.

    Nothing is connected to, and nothing is changed.

    :param engine: what `create_engine()` or `create_async_engine()` returned; a list of them, if
        the process has several, the main one first.
    :param app: the FastAPI or Starlette application that uses it.
    :param sessions: its factories, which `sessionmaker()` or `async_sessionmaker()` returned.
    :param deployment: what only you know: how many processes there are, and what is in between.
    :param server: what the (first) engine's server says of itself.
    :param name_of: what the pool of an engine is called.

    >>> from sqlalchemy import create_engine
    >>> engine = create_engine("postgresql+psycopg://db/orders", pool_size=20)
    >>> for finding in audit(engine, deployment=Deployment(workers=4, max_connections=100)):
    ...     print(finding.severity, finding.code)
    error capacity
    warning pre-ping
    info pool-timeout
    """
    engines = engine if isinstance(engine, list | tuple) else [engine]
    facts = gathered(distinct(engines), app, sessions, deployment, server, name_of=name_of)
    return most_severe_first([finding for each in facts for finding in judge(each)])
