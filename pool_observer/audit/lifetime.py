"""Rules about connections that have died while they rested in the pool."""

from __future__ import annotations

from pool_observer.audit.facts import Facts
from pool_observer.audit.finding import Severity, Verdict
from pool_observer.thresholds import Thresholds
from pool_observer.wording import in_words

_LIMITS = Thresholds()


def recycle(facts: Facts) -> Verdict | None:
    """Connections kept for longer than a proxy bears with them."""
    idle, age = facts.deployment.proxy_idle_timeout, facts.settings.recycle
    if idle is None or not _rests(facts):
        return None
    most = idle * _LIMITS.recycle_ratio
    if age is not None and age <= most:
        return None
    dies = age is None or age >= idle
    unnoticed = dies and not facts.settings.pre_ping
    kept = "whatever their age" if age is None else f"for up to {in_words(age)}"
    why = f"The pool keeps connections {kept}; the proxy drops them when idle for {in_words(idle)}."
    if unnoticed:
        why += " The first statement after a quiet time fails, or hangs until TCP gives up."
    elif dies:
        why += " Each has to be found dead and opened again, while a request waits."
    else:
        why += f" At most {_LIMITS.recycle_ratio:.0%} of that, {in_words(most)}, leaves a margin."
    title = "connections are not recycled" if age is None else f"pool_recycle={age:g} is too long"
    return Verdict(
        Severity.ERROR if unnoticed else Severity.WARNING,
        f"{title} behind a proxy that drops idle ones",
        why,
        f"{facts.create}(..., pool_recycle={_rounded_down(most)})",
    )


def pre_ping(facts: Facts) -> Verdict | None:
    """Connections handed out without looking whether they are alive."""
    if facts.settings.pre_ping is not False or not _rests(facts):
        return None
    why = (
        "After the server restarts, fails over or drops idle connections, every connection in the "
        "pool is dead, and each fails a request before it is replaced. "
    )
    if facts.settings.driver == "asyncpg":
        why += "The test takes three round trips on asyncpg, which runs it in a transaction."
    else:
        why += "The test takes about one round trip."
    return Verdict(
        Severity.WARNING,
        "connections are not tested before they are used",
        why,
        f"{facts.create}(..., pool_pre_ping=True)",
    )


def _rounded_down(seconds: float) -> float:
    """Whole seconds, or thousandths where there is not one."""
    return int(seconds) or int(seconds * 1000) / 1000


def _rests(facts: Facts) -> bool:
    """Whether connections to a server rest in the pool: QueuePool's do, with a limit or not."""
    return facts.settings.size is not None and not facts.local
