"""Sees connections being asked for and handed over.

No event tells when a checkout starts to wait, nor that it gave up (fact 1), so the pool's
`connect` is overridden. `recreate` is too: `dispose()` replaces the pool by what it returns.
"""

from __future__ import annotations

import asyncio
import sys
import weakref
from collections.abc import Callable, Hashable
from types import FrameType
from typing import Any

from sqlalchemy.engine import Engine
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.pool import Pool, PoolProxiedConnection

from pool_observer.call_site import SiteFinder
from pool_observer.claim import Claim
from pool_observer.holder import current_holder
from pool_observer.hooks.drivers import backend_pid
from pool_observer.hooks.greenlets import current_owner
from pool_observer.hooks.units import runner_of
from pool_observer.ledger import Ledger
from pool_observer.model import Outcome
from pool_observer.progress import MOST_CLAIMS

BACKEND_PID = "pool_observer.backend_pid"
"""Key in a connection's `info`, which SQLAlchemy empties when the connection is replaced."""

CREATE_NS = "pool_observer.create_ns"
"""The same for how long it took to open it, until the event that says so."""


def keep_no_reference(_: object) -> None:
    """Callback for weak references to proxies.

    From Python 3.15 on, a weak reference *without* a callback is still alive while SQLAlchemy
    returns the connection of a proxy that was garbage, and would tell us it is in use.
    """


def outcome_of(error: BaseException) -> Outcome:
    """What became of a wait that raised."""
    if isinstance(error, PoolTimeoutError):
        return Outcome.TIMED_OUT
    # A cancelled waiter sees no time-out (fact 3); GreenletExit and KeyboardInterrupt are
    # ways of being cancelled as well.
    if isinstance(error, asyncio.CancelledError) or not isinstance(error, Exception):
        return Outcome.CANCELLED
    return Outcome.FAILED


_ENGINE_CONNECT = Engine.connect.__code__


def caller_of_connect() -> FrameType | None:
    """Where to begin looking for who called our `connect`.

    Nearly always it was Engine.connect -> Connection.__init__ -> Engine.raw_connection; so
    these three are jumped over at once rather than looked at one by one.
    """
    try:
        frame = sys._getframe(4)
    except ValueError:  # a stack that is not that deep
        return sys._getframe(2)
    return frame.f_back if frame.f_code is _ENGINE_CONNECT else sys._getframe(2)


EmptyHanded = Callable[[BaseException, Claim], None]
"""What is done about a checkout that failed, before the application sees it."""

Grant = Callable[[Claim, Any, "weakref.ref[Pool]"], None]


def granter(ledger: Ledger, key_of: Callable[[Any], Hashable]) -> Grant:
    """How a claim becomes a hold of the proxied connection it was given."""
    hold_begins = ledger.hold_begins

    def grant(claim: Claim, proxy: Any, pool: weakref.ref[Pool]) -> None:
        record = proxy._connection_record
        info = record.info
        if BACKEND_PID in info:
            pid = info[BACKEND_PID]
        else:
            pid = info[BACKEND_PID] = backend_pid(pool(), record)
        reference = weakref.ref(proxy, keep_no_reference)
        hold_begins(claim, key_of(proxy), reference, pool, pid)

    return grant


def checkout_listener(
    ledger: Ledger, current_pool: Callable[[], Pool]
) -> Callable[[Any, Any, Any], None]:
    """Begins holds at SQLAlchemy's own event, should proxies no longer tell their record."""

    def checkout(dbapi_connection: Any, record: Any, proxy: Any) -> None:
        try:
            claim = ledger.waits.get(current_owner())
            if claim is not None:
                reference = weakref.ref(proxy, keep_no_reference)
                ledger.hold_begins(claim, record, reference, weakref.ref(current_pool()))
        except Exception:
            ledger.failures.note("beginning a hold at checkout")

    return checkout


def leave_it_to_the_checkout_event(claim: Claim, proxy: Any, pool: weakref.ref[Pool]) -> None:
    """A way to begin no hold here: `checkout_listener` has done it."""


def observed_connect(
    pool: Pool,
    ledger: Ledger,
    sites: SiteFinder,
    grant: Grant,
    current_pool: Callable[[], Pool],
    empty_handed: EmptyHanded,
) -> Callable[[], PoolProxiedConnection]:
    """A `connect` for this pool that notes the wait and the hold.

    It refers to the pool weakly: a pool that `dispose()` has replaced must go away with its
    last user, as it does without us.
    """
    original = _unbound(pool, "connect")
    pool_reference = weakref.ref(pool)
    find_site = sites.find
    wait_begins = ledger.wait_begins
    failed = ledger.failures.note

    def connect() -> PoolProxiedConnection:
        pool = pool_reference()
        if pool is None:  # another thread disposed of it after the caller had looked it up
            return current_pool().connect()
        try:
            site = find_site(caller_of_connect())
            owner, holder = current_owner(), current_holder.get()
            runner = runner_of(owner)
            progress = None if holder is None else holder.progress
            if progress is None:
                claim = wait_begins(owner, holder, site, runner, runner)
            else:
                claim = wait_begins(owner, holder, site, progress, runner)
                claims = progress.claims
                if claims is not None and len(claims) <= MOST_CLAIMS:
                    claims.append(claim)
        except Exception:
            failed("beginning a wait")
            return original(pool)  # type: ignore[no-any-return]
        try:
            proxy = original(pool)
        except BaseException as error:
            try:
                ledger.wait_ends_empty_handed(claim, outcome_of(error))
            except Exception:
                failed("ending a wait")
            try:
                empty_handed(error, claim)
            except Exception:
                failed("explaining a checkout that failed")
            raise
        try:
            grant(claim, proxy, pool_reference)
        except Exception:
            failed("beginning a hold")
            ledger.waits.pop(claim.owner, None)
        return proxy  # type: ignore[no-any-return]

    return connect


def observed_recreate(
    pool: Pool,
    ledger: Ledger,
    arm: Callable[[Pool], None],
    current_pool: Callable[[], Pool],
) -> Callable[[], Pool]:
    """A `recreate` that observes the pool it returns as well."""
    original = _unbound(pool, "recreate")
    pool_reference = weakref.ref(pool)

    def recreate() -> Pool:
        fresh: Pool = original(pool_reference() or current_pool())
        try:
            arm(fresh)
        except Exception:
            ledger.failures.note("observing a recreated pool")
        return fresh

    return recreate


def observed_creator(original: Callable[[Any], Any], ledger: Ledger) -> Callable[[Any], Any]:
    """A creator that notes when the wait stops queueing and starts to open a connection."""
    waits = ledger.waits

    def create(record: Any) -> Any:
        began_at = None
        try:
            claim = waits.get(current_owner())
            began_at = ledger.clock()
            if claim is not None and claim.connecting_at is None:
                claim.connecting_at = began_at
        except Exception:
            ledger.failures.note("timing a connect")
        connection = original(record)
        try:
            if began_at is not None:
                record.info[CREATE_NS] = ledger.clock() - began_at
        except Exception:
            ledger.failures.note("timing a connect")
        return connection

    return create


def observed_ping(original: Callable[[Any], bool], ledger: Ledger) -> Callable[[Any], bool]:
    """A `do_ping` that notes when the wait stops queueing and starts to test a connection."""
    waits = ledger.waits

    def do_ping(dbapi_connection: Any) -> bool:
        try:
            claim = waits.get(current_owner())
            if claim is not None and claim.pinging_at is None:
                claim.pinging_at = ledger.clock()
        except Exception:
            ledger.failures.note("timing a ping")
        return original(dbapi_connection)

    return do_ping


def _unbound(pool: Pool, name: str) -> Callable[..., Any]:
    """The pool's method as a function of the pool, wherever it comes from."""
    override = pool.__dict__.get(name)
    if override is not None:  # somebody else's override; they keep their own reference
        return lambda _pool: override()
    return getattr(type(pool), name)  # type: ignore[no-any-return]
