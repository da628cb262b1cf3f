"""Attaches a ledger to an engine, keeps it attached across `dispose()`, and detaches it."""

from __future__ import annotations

import logging
import threading
import weakref
from collections import deque
from collections.abc import Callable
from typing import Any

import sqlalchemy
from sqlalchemy import event
from sqlalchemy.engine import Dialect, Engine
from sqlalchemy.pool import Pool
from sqlalchemy.pool.base import _ConnectionFairy

from pool_observer.call_site import SiteFinder
from pool_observer.claim import Claim
from pool_observer.contention import Seats
from pool_observer.hooks import pools
from pool_observer.hooks.acquiring import (
    EmptyHanded,
    Grant,
    checkout_listener,
    granter,
    leave_it_to_the_checkout_event,
    observed_connect,
    observed_creator,
    observed_ping,
    observed_recreate,
)
from pool_observer.hooks.activity import REQUIRED, Method, observed_methods
from pool_observer.hooks.ending import (
    churn_listeners,
    end_with_proxy,
    ending_listeners,
    shared_ending_listeners,
)
from pool_observer.ledger import Ledger
from pool_observer.overrides import Override

logger = logging.getLogger("pool_observer")


def root_engine(engine: Engine) -> Engine:
    """The engine that owns the pool; `engine.execution_options()` engines only borrow it."""
    while (owner := getattr(engine, "_proxied", None)) is not None:
        engine = owner
    return engine


class Attachment:
    """One engine's hooks into one ledger. Holds neither the engine nor its pools alive.

    The other way round, the engine holds the hooks, and through them `on_behalf_of`: nobody
    has to keep what `observe()` returned.
    """

    def __init__(
        self,
        engine: Engine,
        ledger: Ledger,
        sites: SiteFinder,
        follow_loop: Callable[[], None],
        empty_handed: EmptyHanded,
        on_behalf_of: object,
    ) -> None:
        engine = root_engine(engine)
        pool = engine.pool
        self._engine = weakref.ref(engine)
        self._first_pool = weakref.ref(pool)
        self._ledger = ledger
        self._sites = sites
        self._empty_handed = empty_handed
        self._on_behalf_of = on_behalf_of
        self._detached = False
        # Guards the overrides, which two threads may want to make or undo at a time. Nothing
        # that happens on a checkout takes it.
        self._lock = threading.RLock()
        self._shared = pools.shares_its_connection(pool)
        self._key_of = pools.key_function(pool)
        self._overrides: weakref.WeakKeyDictionary[Any, list[Override]] = (
            weakref.WeakKeyDictionary()
        )
        self._count_unseen(pool)
        self._listeners = churn_listeners(ledger, follow_loop)
        if self._shared:
            self._listeners |= shared_ending_listeners(ledger)
        else:
            self._listeners |= ending_listeners(ledger, self._unseen_returned)
        self._missing = _missing_attachment_points(pool, engine.dialect)
        self._records_known = hasattr(_ConnectionFairy, "_connection_record")
        if not self._records_known:
            self._listeners["checkout"] = checkout_listener(ledger, self._certain_pool)
        self._grant = self._how_holds_begin()
        self._attach(engine)

    def _attach(self, engine: Engine) -> None:
        if self._missing:
            logger.warning(
                "pool_observer cannot see everything on SQLAlchemy %s, which lacks %s. "
                "What depends on it is missing from the figures; the rest is right.",
                sqlalchemy.__version__,
                ", ".join(self._missing),
            )
        for name, listener in self._listeners.items():
            event.listen(engine, name, listener)
        self._arm(engine.pool)
        self.follow_dialects()

    # -- pools and dialects ------------------------------------------------------------------

    def current_engine(self) -> Engine | None:
        """The engine; None when it is gone."""
        return self._engine()

    def current_pool(self) -> Pool | None:
        """The engine's pool now, or the one it had; None when all of it is gone."""
        engine = self._engine()
        return self._first_pool() if engine is None else engine.pool

    def follow_dialects(self) -> None:
        """Observe dialects that work on our pool and are not observed yet.

        `create_engine(..., pool=engine.pool)` makes a second engine, with a dialect of its
        own, on the same pool (fact 11). No event tells; so this is called now and then.
        """
        engine = self._engine()
        if engine is None or not self._records_known:
            return
        for dialect in (engine.dialect, engine.pool._dialect):
            if dialect not in self._overrides and isinstance(dialect, Dialect):
                with self._lock:
                    self._arm_dialect(dialect)

    def _arm(self, pool: Pool) -> None:
        """Override what must be overridden on a pool, the first one or a recreated one."""
        ledger = self._ledger
        methods: dict[str, Method] = {
            "connect": observed_connect(
                pool, ledger, self._sites, self._grant, self._certain_pool, self._empty_handed
            ),
            "recreate": observed_recreate(pool, ledger, self._arm, self._certain_pool),
        }
        create = pool.__dict__.get("_invoke_creator")
        if create is not None:
            methods["_invoke_creator"] = observed_creator(create, ledger)
        with self._lock:
            self._override(pool, methods)

    def _arm_dialect(self, dialect: Dialect) -> None:
        methods: dict[str, Method] = {}
        if all(hasattr(dialect, name) for name in REQUIRED):
            methods = observed_methods(dialect, self._ledger, self._key_of)
        if hasattr(dialect, "do_ping"):
            methods["do_ping"] = observed_ping(dialect.do_ping, self._ledger)
        self._override(dialect, methods)

    def _override(self, target: Any, methods: dict[str, Method]) -> None:
        """Override methods of a pool or dialect, once, and unless we have left already."""
        if target not in self._overrides and not self._detached:
            self._overrides[target] = [
                Override(target, name, method) for name, method in methods.items()
            ]

    def _certain_pool(self) -> Pool:
        pool = self.current_pool()
        if pool is None:
            raise RuntimeError("the engine of this pool is gone")
        return pool

    def _how_holds_begin(self) -> Grant:
        """How a claim becomes a hold on this engine's pool."""
        if not self._records_known:
            return leave_it_to_the_checkout_event
        grant = granter(self._ledger, self._key_of)
        if not self._shared:
            return grant

        def grant_shared(claim: Claim, proxy: Any, pool: weakref.ref[Pool]) -> None:
            grant(claim, proxy, pool)
            end_with_proxy(proxy, self._ledger)

        return grant_shared

    # -- what the pool says ------------------------------------------------------------------

    def _count_unseen(self, pool: Pool) -> None:
        """Take note of the connections that are out already, and that we shall see return."""
        self._unseen_pool = weakref.ref(pool)
        self._unseen_at_first = max(0, pools.checked_out(pool) or 0)
        self._returned: deque[None] = deque(maxlen=self._unseen_at_first)

    def _unseen_returned(self) -> None:
        self._returned.append(None)

    def unseen(self) -> int:
        """Connections of the current pool that were out before we were attached, and still are."""
        if self._unseen_pool() is not self.current_pool():
            return 0
        return self._unseen_at_first - len(self._returned)

    def seats(self) -> Seats:
        """The connections of the current pool."""
        pool = self.current_pool()
        if pool is None:
            return Seats(None, None, self.unseen())
        return Seats(weakref.ref(pool), pools.max_connections(pool), self.unseen())

    def idle(self) -> int:
        """Open connections resting in the current pool."""
        pool = self.current_pool()
        if pool is None or (self._shared and self._ledger.holds):
            return 0  # a shared connection rests when its last holder is done, not its first
        return pools.idle_connections(pool)

    # -- the end -----------------------------------------------------------------------------

    def detach(self) -> None:
        """Leave nothing behind on the engine, its pools and its dialects."""
        engine = self._engine()
        if engine is not None:
            for name, listener in self._listeners.items():
                if event.contains(engine, name, listener):
                    event.remove(engine, name, listener)
        with self._lock:
            self._detached = True
            for overrides in list(self._overrides.values()):
                for override in reversed(overrides):
                    override.undo()
            self._overrides.clear()

    def reset_after_fork(self) -> None:
        """Connections that were out in the parent are out in the child's pool, unseen."""
        pool = self.current_pool()
        if pool is not None:
            self._count_unseen(pool)


def _missing_attachment_points(pool: Pool, dialect: Dialect) -> list[str]:
    """What this SQLAlchemy, or this pool, does not have and we need."""
    missing = [f"Pool.{name}" for name in ("connect", "recreate") if not hasattr(pool, name)]
    if "_invoke_creator" not in pool.__dict__:
        missing.append("Pool._invoke_creator")
    if not hasattr(_ConnectionFairy, "_connection_record"):
        missing.append("_ConnectionFairy._connection_record")
    missing += [f"Dialect.{name}" for name in REQUIRED if not hasattr(dialect, name)]
    return missing
