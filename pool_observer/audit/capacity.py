"""Rules about how many connections all processes together may ask of the server."""

from __future__ import annotations

import math

from pool_observer.audit.facts import Facts, PoolKind
from pool_observer.audit.finding import Severity, Verdict
from pool_observer.thresholds import Thresholds
from pool_observer.wording import plural

_LIMITS = Thresholds()


def capacity(facts: Facts) -> Verdict | None:
    """All workers and replicas at full load, against what the server takes."""
    limit, demand = facts.max_connections, demanded(facts)
    if limit is None or demand is None or not facts.speaks_for_all:
        return None
    usable, budget = limit - facts.reserved, budgeted(facts)
    if budget is None or demand <= budget:
        return None
    above = demand > usable
    why = (
        f"{_product(facts)} = {demand}. The server takes {limit}, of which {facts.reserved} are "
        f"reserved; {math.ceil(_LIMITS.server_reserve_ratio * limit)} more "
        f"({_LIMITS.server_reserve_ratio:.0%}) are for deployments, migrations and people: "
        f"{max(budget, 0)} remain. "
    )
    if above:
        why += f"At full load {demand - max(usable, 0)} are refused: too many clients."
    else:
        why += "While a deployment runs old and new processes side by side, some are refused."
    return Verdict(
        Severity.ERROR if above else Severity.WARNING,
        f"up to {plural(demand, 'connection')}, and {max(budget, 0)} to be had",
        why,
        _smaller(facts),
    )


def account_limit(facts: Facts) -> Verdict | None:
    """The same, against what the role and the database may have."""
    demand = demanded(facts)
    behind_pooler = facts.deployment.pgbouncer or facts.pooler_seen
    if facts.server is None or demand is None or behind_pooler or not facts.speaks_for_all:
        return None
    limits = {"role": facts.server.role, "database": facts.server.database}
    known = {what: limit for what, limit in limits.items() if limit is not None}
    if not known:
        return None
    what = min(known, key=lambda each: known[each])
    if demand <= known[what]:
        return None
    kind = "ROLE" if what == "role" else "DATABASE"
    return Verdict(
        Severity.ERROR,
        f"up to {plural(demand, 'connection')}, and the {what} may have {known[what]}",
        f"{_product(facts)} = {demand}. The server allows this {what} {known[what]}; "
        f"{demand - known[what]} are refused at full load, however many others are free.",
        f"ALTER {kind} ... CONNECTION LIMIT {demand}, or smaller pools",
    )


def unbounded_overflow(facts: Facts) -> Verdict | None:
    """A pool that never has anybody wait."""
    overflow = facts.settings.max_overflow
    if facts.local or facts.kind is not PoolKind.QUEUE or overflow is None or overflow >= 0:
        return None
    size = facts.settings.size or 0
    given = "pool_size=0" if size == 0 else f"max_overflow={overflow}"
    mended = sized_for(facts, max(2 * size, 2 * _LIMITS.pool_size_low))
    return Verdict(
        Severity.ERROR,
        "the pool has no limit",
        f"With {given} every request that finds no connection opens another. A slow query or a "
        f"burst then takes all that the server has, from everybody: "
        "the other processes of this application too.",
        f"{facts.create}(..., {mended})",
    )


def two_pools(facts: Facts) -> Verdict | None:
    """Several engines to one database, each with a pool of its own."""
    same = [each for each in facts.neighbours if each.same_database]
    if not same or not facts.speaks_for_all or facts.local:
        return None
    number = len(same) + 1
    sizes = [each.max for each in same]
    total = "without a limit together"
    if facts.max is not None and None not in sizes:
        together = facts.max + sum(size for size in sizes if size is not None)
        total = f"{plural(together, 'connection')} together"
    mend = (
        "share one engine; where only options differ, engine.execution_options(...) shares the pool"
    )
    if all(each.asynchronous is not facts.asynchronous for each in same):
        mend = (
            "an asynchronous and a synchronous engine cannot share a pool: let one of them do all "
            "the work; or, where both are needed, small pools"
        )
    return Verdict(
        Severity.INFO,
        f"{number} engines to the same database, {total}",
        "Each has a pool of its own: connections that rest in one cannot be used by the other, "
        "and a request that uses both holds two.",
        mend,
    )


def demanded(facts: Facts) -> int | None:
    """What all processes may ask of the server together; None without a limit."""
    if facts.local or facts.max is None:
        return None
    per_process = facts.max
    for neighbour in facts.neighbours:
        if neighbour.max is None:
            return None
        per_process += neighbour.max
    return per_process * facts.processes


def budgeted(facts: Facts) -> int | None:
    """What all processes may ask of the server without using up its reserve, if that is known."""
    limit = facts.max_connections
    if limit is None:
        return None
    return limit - facts.reserved - math.ceil(_LIMITS.server_reserve_ratio * limit)


def share(facts: Facts) -> int | None:
    """What of that is for one pool; None if that is not known."""
    budget = budgeted(facts)
    if budget is None:
        return None
    return max(budget, 0) // (facts.processes * (len(facts.neighbours) + 1))


def sized_for(facts: Facts, connections: int) -> str:
    """The options of a pool of so many connections, or of as many as there are for it."""
    most = share(facts)
    if most is not None and most >= 1:
        connections = min(connections, most)
    high = int(_LIMITS.pool_size_high * (1 + _LIMITS.overflow_ratio_high))
    connections = min(connections, high)
    overflow = connections // 2
    return f"pool_size={connections - overflow}, max_overflow={overflow}"


def _product(facts: Facts) -> str:
    settings = facts.settings
    size = f"(pool_size {settings.size} + max_overflow {settings.max_overflow})"
    if facts.neighbours:
        others = sum(neighbour.max or 0 for neighbour in facts.neighbours)
        pools = plural(len(facts.neighbours), "other pool")
        size = f"({facts.max} + {others} of {pools})"
    return (
        f"{size} x {plural(facts.deployment.workers, 'worker')} x "
        f"{plural(facts.deployment.replicas, 'replica')}"
    )


def _smaller(facts: Facts) -> str:
    pooler = "PgBouncer in transaction mode" if _is_postgresql(facts) else "a pooler"
    most = share(facts)
    if not most:
        pools = facts.processes * (len(facts.neighbours) + 1)
        of_all = "this pool" if pools == 1 else f"each of the {pools} pools"
        fewer = "" if facts.processes == 1 else "fewer workers or replicas, or "
        return f"{fewer}{pooler} in between: there is not one connection for {of_all}"
    each = "each with " if facts.neighbours else ""
    return (
        f"{each}{facts.create}(..., {sized_for(facts, most)}), which is {most} of a process; or "
        f"fewer workers; or {pooler} in between"
    )


def _is_postgresql(facts: Facts) -> bool:
    return facts.settings.dialect == "postgresql"
