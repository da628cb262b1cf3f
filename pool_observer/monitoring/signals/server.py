"""What the database server says, where it is asked (`server_probe`)."""

from __future__ import annotations

from pool_observer.monitoring.scope import HOLDER, INSTANCE, SERVICE, By, Scope, duration, one_of
from pool_observer.monitoring.signal import NEVER, Limit, Signal, Unit

RESTING = one_of("state", ("idle_in_transaction", "aborted"))


def _sessions(scope: Scope, by: By) -> str:
    """All processes ask the same server, each at another moment: the one that saw most is right."""
    each = scope.sum((*by, INSTANCE), "pool_observer.server.sessions")
    return f"max by ({scope.labels(by)}) ({each})"


def _most(scope: Scope, by: By) -> str:
    if scope.settings.max_connections is not None:
        return _constant(scope.settings.max_connections, scope, by)
    return scope.most(by, "pool_observer.server.max_connections")


def _constant(figure: float, scope: Scope, by: By) -> str:
    """What no server was asked for, of each pool that there is."""
    return f"({figure:g} + 0 * {scope.sum(by, 'db.client.connection.max')})"


def _used_share(scope: Scope, by: By) -> str:
    told = scope.settings.max_connections
    # A plain figure will do: pools without a limit have sessions as well.
    most = _most(scope, by) if told is None else f"{told}"
    return f"{_sessions(scope, by)}\n/\n{most}"


def _to_be_had(scope: Scope, by: By) -> str:
    """What is left of the server's connections for pools, as the audit counts it."""
    free = 1 - scope.settings.thresholds.server_reserve_ratio
    if scope.settings.max_connections is not None:
        return _constant(free * scope.settings.max_connections, scope, by)
    reserved = scope.most(by, "pool_observer.server.reserved_connections")
    return f"clamp_min({free:g} * {_most(scope, by)} - {reserved}, 1)"


def _budget(scope: Scope, by: By) -> str:
    """What all processes may open together, against what there is.

    A pooler in between has a budget of its own.
    """
    pools = scope.sum(by, "db.client.connection.max")
    # While the server does not answer, nobody knows; there was one a moment ago.
    pooler = scope.series("pool_observer.server.pooler")
    since = duration(scope.settings.thresholds.absent_since)
    behind = f"max by ({scope.labels(by)}) (max_over_time({pooler}[{since}]))"
    return f"{pools}\n/\n{_to_be_had(scope, by)}\nunless\n{behind} == 1"


def _resting_sessions(scope: Scope, by: By) -> str:
    return scope.sum(by, "pool_observer.server.holder_sessions", RESTING)


def _oldest_at_rest(scope: Scope, by: By) -> str:
    """While all of a holder's sessions rest: else the oldest may be one that works."""
    oldest = scope.most(by, "pool_observer.server.holder_transaction")
    works = scope.sum(by, "pool_observer.server.holder_sessions", 'state="active"')
    return f"{oldest}\nand\n{_resting_sessions(scope, by)} > 0\nunless\n{works} > 0"


SERVER = {
    "server_up": Signal(
        "Does the database server answer the probe?",
        "It is down, unreachable or full; the log of the service has its refusal, once.",
        lambda scope, by: scope.least(by, "pool_observer.server.up"),
        SERVICE,
        Unit.YES_OR_NO,
        good=True,
    ),
    "probe_failures": Signal(
        "How often does the server not answer the probe?",
        "The log of the service says why, once.",
        lambda scope, by: scope.rate(by, "pool_observer.server.probe_failures"),
        SERVICE,
        Unit.PER_SECOND,
    ),
    "pooler": Signal(
        "Is there a pooler such as PgBouncer in between?",
        "No harm; but holds cannot be joined with the server's sessions.",
        lambda scope, by: scope.most(by, "pool_observer.server.pooler"),
        SERVICE,
        Unit.YES_OR_NO,
    ),
    "sessions": Signal(
        "What do the server's sessions do? Ours are of the role and database of the pool.",
        "`idle_in_transaction`: see who, beside. `idle`: pools that keep more than they need.",
        lambda scope, by: _sessions(scope, (*by, "state")),
        SERVICE,
    ),
    "sessions_by_owner": Signal(
        "Whose sessions fill the server: ours, or others'?",
        "Others': their pools, a forgotten migration, people. Ours: see the connection budget.",
        lambda scope, by: _sessions(scope, (*by, "owner")),
        SERVICE,
    ),
    "server_most": Signal(
        "How many sessions does the server take?",
        "More of them cost it memory; PgBouncer in transaction mode costs less.",
        _most,
        SERVICE,
    ),
    "to_be_had": Signal(
        "How many of the server's connections may pools have, beside what is kept for superusers, "
        "deployments, migrations and people?",
        "Fewer connections for each process, or PgBouncer in between.",
        _to_be_had,
        SERVICE,
    ),
    "server_used": Signal(
        "What share of the server's connections is in use, by whomever? When there are none left, "
        "it refuses: too many clients.",
        "Find whose they are (Database side), end what nobody needs, lower the pools.",
        _used_share,
        SERVICE,
        Unit.RATIO,
        (Limit("server_used_ratio"),),
    ),
    "budget": Signal(
        "If all pools of this service were full, would the server have that many connections? "
        "Above 100 % it refuses some, on the day of the most traffic.",
        "Smaller pools, fewer workers or replicas, or PgBouncer: `pool-observer check` has the "
        "arithmetic.",
        _budget,
        SERVICE,
        Unit.RATIO,
        (Limit("server_budget_ratio", "warning"),),
    ),
    "longest_transaction": Signal(
        "How long has the oldest transaction been open, ours and others'?",
        "It keeps locks, and keeps vacuum from its work.",
        lambda scope, by: scope.most((*by, "owner"), "pool_observer.server.longest_transaction"),
        SERVICE,
        Unit.SECONDS,
    ),
    "holder_sessions": Signal(
        "What do each holder's sessions do, by the server's account?",
        "Whoever is `active` for long has a slow statement, or waits for a lock.",
        lambda scope, by: scope.sum((*by, "state"), "pool_observer.server.holder_sessions"),
        HOLDER,
    ),
    "resting_sessions": Signal(
        "Whose sessions are idle in transaction, by the server's account?",
        "Commit before the await; `explain()` names the line.",
        _resting_sessions,
        HOLDER,
    ),
    "holder_transaction": Signal(
        "How long has each holder's oldest transaction been open?",
        "Commit before the await; a lock lasts as long as its transaction.",
        lambda scope, by: scope.most(by, "pool_observer.server.holder_transaction"),
        HOLDER,
        Unit.SECONDS,
    ),
    "oldest_at_rest": Signal(
        "How long have holders' transactions been open that do nothing now, by the server's "
        "account?",
        "Commit before the await, and begin another transaction after it.",
        _oldest_at_rest,
        HOLDER,
        Unit.SECONDS,
        (Limit("idle_in_transaction", "warning"),),
    ),
    "blocks": Signal(
        "Whose locks do others wait for, and how many do?",
        "Commit before the await; the live page names the one who has the lock.",
        lambda scope, by: scope.sum(by, "pool_observer.server.holder_blocks"),
        HOLDER,
        limits=NEVER,
    ),
    "blocked": Signal(
        "Who waits for locks?",
        "These are the victims; whose locks they wait for stands beside.",
        lambda scope, by: scope.sum(by, "pool_observer.server.holder_blocked"),
        HOLDER,
    ),
}
