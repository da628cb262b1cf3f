"""Sees holds end, and connections come and go, through SQLAlchemy's own pool events.

Together, `checkin` and `detach` see every ending there is: a failed checkout, an invalidated
connection, and one that the garbage collector took from an asyncio application, which is
detached and never checked in (fact 5). Events follow the pool across `dispose()`.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

from pool_observer.hooks.acquiring import CREATE_NS
from pool_observer.hooks.greenlets import current_owner
from pool_observer.ledger import Ledger
from pool_observer.model import (
    ConnectionClosed,
    ConnectionInvalidated,
    ConnectionOpened,
    Ending,
)
from pool_observer.open_claims import Churn

Listeners = dict[str, Callable[..., None]]
"""Pool events and what listens to them."""


def ending_listeners(ledger: Ledger, unseen_returned: Callable[[], None]) -> Listeners:
    """The listeners that see holds end, where each hold has a connection record of its own."""
    hold_ends = ledger.hold_ends
    checked_in = Ending.CHECKIN
    failed = ledger.failures.note

    def checkin(dbapi_connection: Any, record: Any) -> None:
        try:
            if dbapi_connection is None and current_owner() in ledger.waits:
                # A checkout that fails gives its record back too (fact 6). It never held it;
                # another thread may, which has detached it and is about to say so.
                return
            if not hold_ends(record, checked_in):
                unseen_returned()  # it was out before we were attached (fact 10)
        except Exception:
            failed("ending a hold")

    def detach(dbapi_connection: Any, record: Any) -> None:
        def is_the_one(proxy: Any) -> bool:
            return proxy.dbapi_connection is dbapi_connection

        try:
            if not ledger.hold_detached(record, is_the_one):
                unseen_returned()
        except Exception:
            failed("ending a hold by detach")

    return {"checkin": checkin, "detach": detach}


def shared_ending_listeners(ledger: Ledger) -> Listeners:
    """The same where proxies share one record, whose check-in says nothing of the others."""
    holds = ledger.holds

    def detach(dbapi_connection: Any, record: Any) -> None:
        try:
            for key, claim in holds.copy().items():
                proxy = claim.proxy()
                if proxy is not None and proxy._connection_record is None:
                    ledger.hold_ends(key, Ending.DETACHED)
        except Exception:
            ledger.failures.note("ending a hold by detach")

    return {"detach": detach}


def end_with_proxy(proxy: Any, ledger: Ledger) -> None:
    """End the hold of a proxy that shares its record, when this proxy itself is closed.

    `_checkin` is what close() and invalidate() come down to. It is overridden on the proxy,
    with weak references only: the proxy's being garbage is the other way for it to end.
    """
    key = weakref.ref(proxy)
    original = type(proxy)._checkin

    def lost(_: object) -> None:
        try:
            ledger.hold_ends(key, Ending.LOST)
        except Exception:
            ledger.failures.note("ending a hold that was lost")

    def checkin(*args: Any, **kwargs: Any) -> None:
        try:
            original(key(), *args, **kwargs)  # resets the connection, which is part of the hold
        finally:
            try:
                ledger.hold_ends(key, Ending.CHECKIN)
            except Exception:
                ledger.failures.note("ending a hold")

    proxy._checkin = checkin
    claim = ledger.holds.get(key)
    if claim is not None:
        claim.proxy = weakref.ref(proxy, lost)


def churn_listeners(ledger: Ledger, follow_loop: Callable[[], None]) -> Listeners:
    """The listeners that see connections opened, closed and invalidated.

    A connection is opened where it will be used, and seldom: the occasion to learn of the
    event loop that runs there.
    """
    pool = ledger.pool

    def changed(event: Churn) -> None:
        try:
            ledger.connection_changed(event)
        except Exception:
            ledger.failures.note("noting a connection's change")

    def connect(dbapi_connection: Any, record: Any) -> None:
        try:
            follow_loop()
            create_ns = record.info.pop(CREATE_NS, None)
        except Exception:
            ledger.failures.note("noting a connection's creation")
            create_ns = None
        changed(ConnectionOpened(pool, create_ns))

    def close(dbapi_connection: Any, record: Any) -> None:
        changed(ConnectionClosed(pool))

    def close_detached(dbapi_connection: Any) -> None:
        changed(ConnectionClosed(pool))

    def invalidate(dbapi_connection: Any, record: Any, exception: BaseException | None) -> None:
        changed(ConnectionInvalidated(pool, soft=False))

    def soft_invalidate(
        dbapi_connection: Any, record: Any, exception: BaseException | None
    ) -> None:
        changed(ConnectionInvalidated(pool, soft=True))

    return {
        "connect": connect,
        "close": close,
        "close_detached": close_detached,
        "invalidate": invalidate,
        "soft_invalidate": soft_invalidate,
    }
