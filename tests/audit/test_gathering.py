"""Facts come from any engine, and where they cannot be known nothing is made up."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import create_engine, event
from sqlalchemy.ext.asyncio import (
    AsyncSession,
    async_scoped_session,
    async_sessionmaker,
    create_async_engine,
)
from sqlalchemy.orm import scoped_session, sessionmaker
from sqlalchemy.pool import Pool, QueuePool

from pool_observer.audit.auditing import audit
from pool_observer.audit.facts import Deployment, Facts, PoolKind, SessionMaker
from pool_observer.audit.gathering import distinct, gathered
from tests.audit.cases import ASYNCPG, PSYCOPG
from tests.conftest import Observe


def facts_of(*engines: Any, sessions: Any = ()) -> Facts:
    return gathered(distinct(engines), None, sessions, Deployment(), None)[0]


def codes(engine: Any, **deployment: Any) -> list[str]:
    return [finding.code for finding in audit(engine, deployment=Deployment(**deployment))]


@pytest.mark.parametrize("size", [0, "0"])
def test_what_the_driver_is_told_is_read_from_the_url_and_the_arguments(size: object) -> None:
    engine = create_async_engine(
        f"{ASYNCPG}?prepared_statement_cache_size=7", connect_args={"statement_cache_size": size}
    )
    arguments = facts_of(engine).arguments
    assert arguments is not None
    assert (arguments.statement_cache_size, arguments.prepared_statement_cache_size) == (0, 7)


@pytest.mark.parametrize(
    ("name", "are"),
    [(None, None), (lambda: "", "nameless"), (lambda: "a", "named"), (lambda: 1 / 0, "named")],
)
def test_what_statements_are_called_is_found_out(name: Any, are: object) -> None:
    given = {} if name is None else {"prepared_statement_name_func": name}
    arguments = facts_of(create_async_engine(ASYNCPG, connect_args=given)).arguments
    assert arguments is not None
    assert arguments.statements_are == are
    assert arguments.asyncpg is not None


def test_behind_a_creator_nothing_is_known_and_nothing_is_said_of_it() -> None:
    engine = create_engine(PSYCOPG, creator=lambda: None)
    assert facts_of(engine).arguments is None
    assert "prepared-statements" not in codes(engine, pgbouncer=True)


def test_behind_an_asynchronous_creator_nothing_is_known() -> None:
    async def connect() -> None:
        raise NotImplementedError

    engine = create_async_engine(ASYNCPG, async_creator=connect)
    assert facts_of(engine).arguments is None


def test_a_listener_that_changes_the_arguments_has_the_last_word() -> None:
    engine = create_engine(PSYCOPG)
    assert "prepared-statements" in codes(engine, pgbouncer=True)

    @event.listens_for(engine, "do_connect")
    def connect(dialect: Any, record: Any, arguments: Any, options: Any) -> None:
        options["prepare_threshold"] = None

    assert facts_of(engine).arguments is None
    assert "prepared-statements" not in codes(engine, pgbouncer=True)


def test_a_time_out_in_the_options_of_libpq_is_seen() -> None:
    engine = create_engine(
        PSYCOPG, connect_args={"options": "-c idle_in_transaction_session_timeout=60s"}
    )
    arguments = facts_of(engine).arguments
    assert arguments is not None
    assert arguments.ends_idle_transactions


def test_a_pool_of_somebodys_own_is_left_alone() -> None:
    class Their(Pool):
        def _do_get(self) -> Any:
            raise NotImplementedError

        def _do_return_conn(self, record: Any) -> None:
            raise NotImplementedError

        def recreate(self) -> Pool:
            return self

    engine = create_engine(PSYCOPG, pool=Their(lambda: None))  # type: ignore[arg-type]
    assert facts_of(engine).kind is PoolKind.UNKNOWN
    assert codes(engine, workers=99, max_connections=1, proxy_idle_timeout=1) == []


def test_a_pool_derived_from_one_of_sqlalchemys_is_that_kind() -> None:
    class Their(QueuePool):
        pass

    engine = create_engine(PSYCOPG, poolclass=Their)
    assert facts_of(engine).kind is PoolKind.QUEUE
    assert "capacity" in codes(engine, max_connections=10)


def test_engines_that_share_a_pool_are_one() -> None:
    engine = create_engine(PSYCOPG)
    shared = engine.execution_options(isolation_level="AUTOCOMMIT")
    assert distinct([engine, shared]) == [engine]
    assert "two-pools" not in [finding.code for finding in audit([engine, shared])]


def test_the_pool_that_dispose_has_made_is_the_one_to_judge() -> None:
    engine = create_engine(PSYCOPG, pool_size=21)
    engine.dispose()
    assert "pool-size" in codes(engine)


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda e: async_sessionmaker(e), SessionMaker(True, True)),
        (lambda e: async_sessionmaker(e, expire_on_commit=False), SessionMaker(True, False)),
        (lambda e: sessionmaker(e.sync_engine), SessionMaker(False, True)),
        (lambda e: scoped_session(sessionmaker(e.sync_engine)), SessionMaker(False, True)),
        (
            lambda e: async_scoped_session(async_sessionmaker(e), scopefunc=lambda: 1),
            SessionMaker(True, True),
        ),
        (lambda e: sessionmaker(bind=e, class_=AsyncSession), SessionMaker(True, True)),
    ],
)
def test_factories_of_every_kind_are_understood(make: Any, expected: SessionMaker) -> None:
    engine = create_async_engine(ASYNCPG)
    assert facts_of(engine, sessions=[make(engine)]).sessions == (expected,)


def test_a_factory_on_another_engine_is_that_ones_matter() -> None:
    engine, other = create_async_engine(ASYNCPG), create_async_engine(ASYNCPG)
    assert facts_of(engine, sessions=[async_sessionmaker(other)]).sessions == ()
    assert facts_of(engine, other, sessions=[async_sessionmaker()]).sessions == ()
    assert facts_of(engine, sessions=[async_sessionmaker()]).sessions != ()


@pytest.mark.parametrize("engine", [None, "postgresql+asyncpg://user:secret@db", object()])
def test_what_is_no_engine_is_refused(engine: Any) -> None:
    with pytest.raises(TypeError, match=r"audit\(\) takes what create_engine\(\)") as error:
        audit(engine)
    assert "secret" not in str(error.value)


@pytest.mark.parametrize("factory", [object(), AsyncSession, None])
def test_what_is_no_factory_is_refused(factory: object) -> None:
    with pytest.raises(TypeError, match="sessionmaker"):
        audit(create_engine(PSYCOPG), sessions=[factory])


def test_no_finding_shows_credentials() -> None:
    engine = create_engine(PSYCOPG, pool_size=0, connect_args={"password": "secret"})
    findings = audit(engine, deployment=Deployment(pgbouncer=True, proxy_idle_timeout=1))
    assert len(findings) > 2
    assert "secret" not in repr(findings)
    assert "user" not in findings[0].pool


@pytest.mark.parametrize(
    ("facts", "kind"),
    [
        ({"workers": 0}, ValueError),
        ({"replicas": -1}, ValueError),
        ({"workers": 1.5}, TypeError),
        ({"workers": True}, TypeError),
        ({"workers": None}, TypeError),
        ({"max_connections": 0}, ValueError),
        ({"reserved_connections": -1}, ValueError),
        ({"proxy_idle_timeout": float("nan")}, ValueError),
        ({"request_timeout": float("inf")}, ValueError),
        ({"request_timeout": "30"}, TypeError),
        ({"pgbouncer": 1}, TypeError),
        ({"serverless": None}, TypeError),
        ({"threads": 0}, ValueError),
    ],
)
def test_a_deployment_that_cannot_be_is_refused(facts: Any, kind: type[Exception]) -> None:
    with pytest.raises(kind, match=f"^{next(iter(facts))} must be"):
        Deployment(**facts)


def test_nothing_may_be_reserved() -> None:
    assert Deployment(reserved_connections=0).reserved_connections == 0


def test_an_engine_that_is_observed_says_the_same(observed: Observe) -> None:
    engine = create_engine(PSYCOPG, connect_args={"prepare_threshold": None})
    before = facts_of(engine)
    observed(engine, registry=None)
    assert facts_of(engine) == before
    engine.dispose()
    assert facts_of(engine) == before
