"""Rules about the size of a pool, and how long to queue for it."""

from __future__ import annotations

import math

from pool_observer.audit.capacity import share, sized_for
from pool_observer.audit.facts import Facts, PoolKind
from pool_observer.audit.finding import Severity, Verdict
from pool_observer.thresholds import Thresholds
from pool_observer.wording import in_words, plural

_LIMITS = Thresholds()

_PATIENCE = 3
"""How many times as long as the pool's queue a request should last: it has work to do, too."""


def pool_size(facts: Facts) -> Verdict | None:
    """Few or many connections kept."""
    size, low, high = facts.settings.size, _LIMITS.pool_size_low, _LIMITS.pool_size_high
    if size is None or not facts.queues or facts.deployment.serverless:
        return None
    usual = f"{low} to {high} for each worker are usual"
    if size > high:
        return Verdict(
            Severity.INFO,
            f"pool_size={size} is unusually many",
            f"{usual}. A database does its work with few at a time, about twice its CPUs; more "
            "of them take memory there, and hide that connections are held for too long here.",
            f"pool_size={high}, unless you have measured that more than {high} statements run at "
            "a time",
        )
    if size < low and not _scarce(facts, low + math.ceil(low * _LIMITS.overflow_ratio_low)):
        return Verdict(
            Severity.INFO,
            f"pool_size={size} is unusually few",
            f"{usual}. Whoever comes when {size} are in use opens a connection, which is closed "
            "again when it is returned; or waits.",
            f"{facts.create}(..., {sized_for(facts, max(facts.max or 0, 2 * low))})",
        )
    return None


def overflow(facts: Facts) -> Verdict | None:
    """Few or many connections that are opened for a burst, in proportion to those kept."""
    size, above = facts.settings.size, facts.settings.max_overflow
    if size is None or above is None or size == 0 or not facts.queues:
        return None
    low, high = _LIMITS.overflow_ratio_low, _LIMITS.overflow_ratio_high
    usual = f"{low:.0%} to {high:.0%} of pool_size are usual"
    if above > high * size:
        return Verdict(
            Severity.INFO,
            f"max_overflow={above} is much for pool_size={size}",
            f"{usual}; this is {above / size:.0%}. Of {size + above} connections at full load, "
            f"{above} are opened for one use and closed when they are returned, just when the "
            "server has most to do.",
            f"{facts.create}(..., {sized_for(facts, size + above)})",
        )
    # None at all is a pool of fixed size: somebody has meant it.
    least = math.ceil(low * size)
    if 0 < above < least and not _scarce(facts, size + least):
        return Verdict(
            Severity.INFO,
            f"max_overflow={above} is little for pool_size={size}",
            f"{usual}; this is {above / size:.0%}. A burst of more than "
            f"{plural(size + above, 'request')} queues.",
            f"max_overflow={least}, or 0 for a pool of fixed size",
        )
    return None


def pool_timeout(facts: Facts) -> Verdict | None:
    """A queue in which callers wait for longer than makes sense, or hardly at all."""
    timeout = facts.settings.timeout
    if not facts.queues or timeout_beyond_request(facts) is not None:
        return None
    low, high = _LIMITS.pool_timeout_low, _LIMITS.pool_timeout_high
    most = _LIMITS.pool_timeout_limit
    if timeout is None or timeout > high:
        waits = "without end" if timeout is None else f"for {in_words(timeout)}"
        return Verdict(
            Severity.WARNING if timeout is None or timeout > most else Severity.INFO,
            f"callers queue {waits} before they give up",
            f"{in_words(low)} to {in_words(high)} are usual, and more than {in_words(most)} never "
            "make sense. When the pool is empty for so long, it stays empty: those who wait keep "
            "their requests, threads and clients waiting as well, and nobody is told.",
            f"{facts.create}(..., pool_timeout={_recommended(facts):g})",
        )
    if facts.deployment.request_timeout is not None:
        low = min(low, _share_of(facts.deployment.request_timeout))
    if timeout < low:
        return Verdict(
            Severity.INFO,
            f"callers give up after queueing for {in_words(timeout)}",
            f"{in_words(low)} to {in_words(high)} are usual. A burst that the pool would have "
            "worked off in a moment becomes errors.",
            f"{facts.create}(..., pool_timeout={low:g})",
        )
    return None


def timeout_beyond_request(facts: Facts) -> Verdict | None:
    """Queueing on behalf of a client that has gone."""
    request, timeout = facts.deployment.request_timeout, facts.settings.timeout
    if request is None or not facts.queues or (timeout is not None and timeout < request):
        return None
    waits = "without end" if timeout is None else f"for up to {in_words(timeout)}"
    return Verdict(
        Severity.WARNING,
        f"the pool's queue outlasts the request, which ends after {in_words(request)}",
        f"A request waits {waits} for a connection. Its client has given up by then, so nobody "
        "sees the pool's error, which says what is wrong; and the client's next attempt queues "
        "behind.",
        f"{facts.create}(..., pool_timeout={_recommended(facts):g})",
    )


def pool_class(facts: Facts) -> Verdict | None:
    """Pools that are made for tests, and for one thread."""
    name = facts.settings.pool_class
    if facts.local or facts.kind not in _NOT_FOR_SERVERS:
        return None
    severity, why = _NOT_FOR_SERVERS[facts.kind]
    return Verdict(
        severity,
        f"{name} is not for a server",
        why,
        f"{facts.create}(..., {sized_for(facts, 2 * _LIMITS.pool_size_low)}) without poolclass",
    )


def no_pool(facts: Facts) -> Verdict | None:
    """NullPool, where nothing else pools."""
    deployment = facts.deployment
    if facts.local or facts.kind is not PoolKind.NONE:
        return None
    if deployment.serverless or deployment.pgbouncer or facts.pooler_seen:
        return None
    return Verdict(
        Severity.WARNING,
        "NullPool opens a connection for each use",
        "Each use pays for a connection of its own, with a log-in and, on PostgreSQL, a process; "
        "and nothing limits how many there are: a burst takes all that the server has. It is for "
        "serverless functions, and for an external pooler in transaction mode.",
        f"{facts.create}(..., {sized_for(facts, 2 * _LIMITS.pool_size_low)}) without poolclass; or "
        "say what pools instead: Deployment(pgbouncer=True), Deployment(serverless=True)",
    )


_NOT_FOR_SERVERS = {
    PoolKind.SHARED: (
        Severity.ERROR,
        "It gives one connection to all requests at once: their statements run in one "
        "transaction, one's rollback undoes the other's work, and drivers fail when two use it "
        "at the same time.",
    ),
    PoolKind.SINGLE: (
        Severity.ERROR,
        "It raises when a second connection is asked for while the first is in use, which two "
        "requests at a time do.",
    ),
    PoolKind.PER_THREAD: (
        Severity.WARNING,
        "It keeps a connection for each thread, has no queue, and closes connections of others "
        "that are in use when there are more threads than pool_size.",
    ),
}


def _recommended(facts: Facts) -> float:
    """A time-out that lets callers hear of it, in whole seconds if it can be."""
    request = facts.deployment.request_timeout
    if request is None:
        return _LIMITS.pool_timeout_high
    share_of_it = min(_LIMITS.pool_timeout_high, _share_of(request))
    return share_of_it if share_of_it < 1 else float(math.ceil(share_of_it))


def _share_of(request: float) -> float:
    """How long a request may queue, as it is written."""
    return float(f"{request / _PATIENCE:g}")


def _scarce(facts: Facts, connections: int) -> bool:
    """Whether there are known to be fewer than so many for this pool."""
    most = share(facts)
    return most is not None and most < connections
