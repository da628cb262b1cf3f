"""Sees what a hold is spent on: overrides of the dialect methods that talk to the database.

Not event listeners: any listener for connection events, even one that does nothing, makes
every `Connection` of the engine slower than everything here taken together (fact 14a). And
the `commit` and `rollback` events come before the work they announce (fact 14e).

What counts as a transaction: it begins with a statement, because that is when drivers send
BEGIN, and ends with commit or rollback. `do_begin` says nothing: it comes earlier, sends
nothing, and is called in AUTOCOMMIT too, where there is no transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

from sqlalchemy.engine import Dialect

from pool_observer.claim import IDLE, IN_TRANSACTION
from pool_observer.hooks.streaming import observe_fetching
from pool_observer.ledger import Ledger
from pool_observer.model import Activity

Method = Callable[..., Any]
KeyOf = Callable[[Any], Hashable]

REQUIRED = ("do_execute", "do_executemany", "do_execute_no_params", "do_commit", "do_rollback")
"""Methods that every dialect has. Without one of them activity cannot be told."""

_TWOPHASE = {
    "do_begin_twophase": IN_TRANSACTION,
    "do_prepare_twophase": IN_TRANSACTION,
    "do_commit_twophase": IDLE,
    "do_rollback_twophase": IDLE,
}
"""Methods of dialects that know two-phase transactions, and what follows when they succeed."""


def observed_methods(dialect: Dialect, ledger: Ledger, key_of: KeyOf) -> dict[str, Method]:
    """Replacements for the methods of this dialect through which it works on a hold."""
    in_autocommit = autocommit_detector(dialect)
    observed: dict[str, Method] = {}
    for name in ("do_execute", "do_executemany"):
        observed[name] = _executes(getattr(dialect, name), ledger, key_of, in_autocommit)
    observed["do_execute_no_params"] = _executes_without_parameters(
        dialect.do_execute_no_params, ledger, key_of, in_autocommit
    )
    for name in ("do_commit", "do_rollback"):
        commits = name == "do_commit"
        observed[name] = _ends_transaction(getattr(dialect, name), ledger, key_of, commits)
    for name, after in _TWOPHASE.items():
        if hasattr(dialect, name):
            commits = name == "do_commit_twophase"
            observed[name] = _twophase(getattr(dialect, name), ledger, key_of, after, commits)
    return observed


def autocommit_detector(dialect: Dialect) -> Callable[[Any], bool]:
    """How to ask a DBAPI connection whether it is in AUTOCOMMIT, without asking the server."""
    detect: Callable[[Any], bool] | None = getattr(dialect, "detect_autocommit_setting", None)
    declared = getattr(Dialect, "detect_autocommit_setting", None)
    if detect is None:  # SQLAlchemy before 2.0.43
        sqlite = dialect.name == "sqlite"

        def detect(dbapi_connection: Any) -> bool:
            if sqlite:
                return dbapi_connection.isolation_level is None
            return dbapi_connection.autocommit is True

    elif getattr(type(dialect), "detect_autocommit_setting", None) is declared:
        return lambda _: False  # every dialect declares it, most implement it

    def in_autocommit(dbapi_connection: Any) -> bool:
        try:
            return detect(dbapi_connection)
        except Exception:  # some drivers refuse to answer for a closed connection
            return False

    return in_autocommit


def _executes(
    original: Method, ledger: Ledger, key_of: KeyOf, in_autocommit: Callable[[Any], bool]
) -> Method:
    open_claim = ledger.holds.get
    clock = ledger.clock
    failed = ledger.failures.note

    def do_execute(cursor: Any, statement: Any, parameters: Any, context: Any = None) -> Any:
        claim = None
        try:
            if context is not None:
                proxy = context._dbapi_connection
                claim = open_claim(key_of(proxy))
                if claim is not None:
                    after = IN_TRANSACTION
                    if claim.activity[0] is IDLE and in_autocommit(proxy.dbapi_connection):
                        after = IDLE
                    now = clock()
                    before = claim.executing_from(now)
                    if claim.executed_at is None:
                        claim.executed_at = now
        except Exception:
            claim = None
            failed("a beginning statement")
        if claim is None:
            return original(cursor, statement, parameters, context)
        try:
            result = original(cursor, statement, parameters, context)
            if context._is_server_side:
                observe_fetching(context, claim, ledger)
            return result
        finally:
            try:
                claim.executed(before, clock(), after)
            except Exception:
                failed("an ending statement")

    return do_execute


def _executes_without_parameters(
    original: Method, ledger: Ledger, key_of: KeyOf, in_autocommit: Callable[[Any], bool]
) -> Method:
    def three_arguments(cursor: Any, statement: Any, _: Any, context: Any = None) -> Any:
        return original(cursor, statement, context)

    execute = _executes(three_arguments, ledger, key_of, in_autocommit)

    def do_execute_no_params(cursor: Any, statement: Any, context: Any = None) -> Any:
        return execute(cursor, statement, None, context)

    return do_execute_no_params


def _ends_transaction(original: Method, ledger: Ledger, key_of: KeyOf, commits: bool) -> Method:
    open_claim = ledger.holds.get
    clock = ledger.clock
    failed = ledger.failures.note

    def end(dbapi_connection: Any) -> Any:
        claim = None
        try:
            claim = open_claim(key_of(dbapi_connection))
            if claim is not None:
                if claim.activity[0] is IDLE:
                    claim = None  # nothing to end: the reset of a connection already at rest
                else:
                    before = claim.executing_from(clock())
        except Exception:
            claim = None
            failed("a transaction's end")
        if claim is None:
            return original(dbapi_connection)
        after: Activity = IN_TRANSACTION
        try:
            result = original(dbapi_connection)
            after = IDLE
            return result
        finally:
            try:
                now = clock()
                claim.executed(before, now, after)
                if commits and after is IDLE:
                    claim.committed_at = now
            except Exception:
                failed("a transaction's end")

    return end


def _twophase(
    original: Method, ledger: Ledger, key_of: KeyOf, success: Activity, commits: bool
) -> Method:
    """Two-phase methods are given the `Connection`, and are made of statements themselves."""
    open_claim = ledger.holds.get
    clock = ledger.clock
    failed = ledger.failures.note

    def step(connection: Any, *args: Any, **kwargs: Any) -> Any:
        claim = None
        try:
            claim = open_claim(key_of(connection._dbapi_connection))
            if claim is not None:
                before = claim.executing_from(clock())
        except Exception:
            claim = None
            failed("a two-phase transaction")
        if claim is None:
            return original(connection, *args, **kwargs)
        after: Activity = IN_TRANSACTION
        try:
            result = original(connection, *args, **kwargs)
            after = success
            return result
        finally:
            try:
                now = clock()
                claim.executed(before, now, after)
                if commits and after is IDLE:
                    claim.committed_at = now
            except Exception:
                failed("a two-phase transaction")

    return step
