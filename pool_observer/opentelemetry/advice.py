"""Says, once, that OpenTelemetry's own instrumentation of SQLAlchemy is idle, and what works.

It declares which versions of SQLAlchemy it is for, and on others its `instrument()` does
nothing. Whoever installed it waits for spans of queries that never come.
"""

from __future__ import annotations

import logging
import sys
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from typing import TYPE_CHECKING

import sqlalchemy

if TYPE_CHECKING:
    from packaging.requirements import Requirement

logger = logging.getLogger(__name__)  # of its own, for those who know it and want no more of it

OFFICIAL = "opentelemetry-instrumentation-sqlalchemy"


@cache
def say_what_works() -> None:
    """Say it, if it is so."""
    wanted = _wanted_by_the_official_one()
    if wanted is None or wanted.specifier.contains(sqlalchemy.__version__, prereleases=True):
        return
    if _is_at_work():
        return
    logger.warning(
        "%s wants %s and does nothing on SQLAlchemy %s: there are no spans of queries. Spans of "
        "waits and holds, and all metrics of the pool, are pool_observer's and there. For spans "
        "of queries, use your driver's instrumentation (opentelemetry-instrumentation-asyncpg, "
        "-psycopg, ...), or try SQLAlchemyInstrumentor().instrument(skip_dep_check=True).",
        OFFICIAL,
        wanted,
        sqlalchemy.__version__,
    )


def _wanted_by_the_official_one() -> Requirement | None:
    """Which SQLAlchemy it declares to be for; None where it is not installed, or does not say."""
    try:
        requires = distribution(OFFICIAL).requires or ()
    except PackageNotFoundError:
        return None
    from packaging.requirements import Requirement  # it needs that itself

    for requirement in map(Requirement, requires):
        if requirement.name.lower() == "sqlalchemy":
            requirement.marker = None
            return requirement
    return None


def _is_at_work() -> bool:
    """Whether somebody has made it work all the same."""
    module = sys.modules.get("opentelemetry.instrumentation.sqlalchemy")
    return module is not None and bool(
        module.SQLAlchemyInstrumentor().is_instrumented_by_opentelemetry
    )
