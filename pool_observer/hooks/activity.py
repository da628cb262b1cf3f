"""Sees what a hold is spent on: overrides of the dialect methods that talk to the database.

Not event listeners: any listener for connection events, even one that does nothing, makes
every `Connection` of the engine slower than everything here taken together (fact 14a). And
the `commit` and `rollback` events come before the work they announce (fact 14e).

What counts as a transaction: it begins with the first statement after `do_begin`, because
that is when drivers send BEGIN; it ends with commit or rollback. In AUTOCOMMIT, which calls
`do_begin` all the same, there is none.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

from sqlalchemy.engine import Dialect

from pool_observer.claim import IDLE, IN_TRANSACTION, Claim
from pool_observer.hooks.streaming import observe_fetching
from pool_observer.ledger import Ledger
from pool_observer.model import Activity

Method = Callable[..., Any]
ClaimOf = Callable[[Any], Claim | None]


def claim_finder(ledger: Ledger, key_of: Callable[[Any], Hashable]) -> ClaimOf:
    """The open claim on a proxied connection, if there is one."""
    get = ledger.holds.get

    def claim_of(proxy: Any) -> Claim | None:
        return get(key_of(proxy))

    return claim_of


def observed_methods(dialect: Dialect, ledger: Ledger, claim_of: ClaimOf) -> dict[str, Method]:
    """Replacements for the methods of this dialect through which it works on a hold."""
    build: dict[str, Callable[[Method, Ledger, ClaimOf], Method]] = {
        "do_execute": _executes,
        "do_executemany": _executes,
        "do_execute_no_params": _executes_without_parameters,
        "do_commit": _ends_transaction,
        "do_rollback": _ends_transaction,
        "do_begin_twophase": _stays_in_transaction,
        "do_prepare_twophase": _stays_in_transaction,
        "do_commit_twophase": _ends_twophase,
        "do_rollback_twophase": _ends_twophase,
    }
    methods = {
        name: wrap(getattr(dialect, name), ledger, claim_of)
        for name, wrap in build.items()
        if hasattr(dialect, name)
    }
    detect = autocommit_detector(dialect)
    if detect is not None and hasattr(dialect, "do_begin"):
        methods["do_begin"] = _begins(dialect.do_begin, ledger, claim_of, detect)
    return methods


def autocommit_detector(dialect: Dialect) -> Callable[[Any], bool] | None:
    """How to ask a DBAPI connection whether it is in AUTOCOMMIT, without asking the server."""
    detect = getattr(type(dialect), "detect_autocommit_setting", None)
    if detect is None:  # SQLAlchemy before 2.0.43; most drivers have the attribute
        return lambda dbapi_connection: getattr(dbapi_connection, "autocommit", False) is True
    if detect is getattr(Dialect, "detect_autocommit_setting", None):
        return None  # declared by every dialect, implemented by those that can
    return dialect.detect_autocommit_setting


def _begins(
    original: Method, ledger: Ledger, claim_of: ClaimOf, detect: Callable[[Any], bool]
) -> Method:
    def do_begin(dbapi_connection: Any) -> Any:
        try:
            claim = claim_of(dbapi_connection)
            if claim is not None:
                claim.autocommit = detect(dbapi_connection.dbapi_connection)
        except Exception:
            ledger.failures.note("a beginning transaction")
        return original(dbapi_connection)

    return do_begin


def _executes(original: Method, ledger: Ledger, claim_of: ClaimOf) -> Method:
    clock = ledger.clock
    failed = ledger.failures.note

    def do_execute(cursor: Any, statement: Any, parameters: Any, context: Any = None) -> Any:
        claim = None
        try:
            if context is not None:
                claim = claim_of(context._dbapi_connection)
                if claim is not None:
                    before = claim.executing_from(clock())
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
                claim.executed(before, clock(), IDLE if claim.autocommit else IN_TRANSACTION)
            except Exception:
                failed("an ending statement")

    return do_execute


def _executes_without_parameters(original: Method, ledger: Ledger, claim_of: ClaimOf) -> Method:
    def three_arguments(cursor: Any, statement: Any, _: Any, context: Any = None) -> Any:
        return original(cursor, statement, context)

    execute = _executes(three_arguments, ledger, claim_of)

    def do_execute_no_params(cursor: Any, statement: Any, context: Any = None) -> Any:
        return execute(cursor, statement, None, context)

    return do_execute_no_params


def _ends_transaction(original: Method, ledger: Ledger, claim_of: ClaimOf) -> Method:
    clock = ledger.clock
    failed = ledger.failures.note

    def end(dbapi_connection: Any) -> Any:
        claim = None
        try:
            claim = claim_of(dbapi_connection)
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
                claim.executed(before, clock(), after)
            except Exception:
                failed("a transaction's end")

    return end


def _stays_in_transaction(original: Method, ledger: Ledger, claim_of: ClaimOf) -> Method:
    return _twophase(original, ledger, claim_of, IN_TRANSACTION)


def _ends_twophase(original: Method, ledger: Ledger, claim_of: ClaimOf) -> Method:
    return _twophase(original, ledger, claim_of, IDLE)


def _twophase(original: Method, ledger: Ledger, claim_of: ClaimOf, success: Activity) -> Method:
    """Two-phase methods are given the `Connection`, and are made of statements themselves."""
    clock = ledger.clock
    failed = ledger.failures.note

    def step(connection: Any, *args: Any, **kwargs: Any) -> Any:
        claim = None
        try:
            claim = claim_of(connection._dbapi_connection)
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
                claim.executed(before, clock(), after)
            except Exception:
                failed("a two-phase transaction")

    return step


OBSERVED = (
    "do_execute",
    "do_executemany",
    "do_execute_no_params",
    "do_begin",
    "do_commit",
    "do_rollback",
)
"""What every dialect is expected to have; without one of these the split is incomplete."""
