"""What a live page has answered, as values."""

from __future__ import annotations

from dataclasses import dataclass

from pool_observer.advice.measurement import CannotMeasureError
from pool_observer.server import ServerState
from pool_observer.summary import Explanation
from pool_observer.thresholds import Thresholds
from pool_observer.wording import one_line


@dataclass(frozen=True, slots=True)
class PoolNow:
    """A pool at this moment."""

    explanation: Explanation
    idle: int
    """Connections that are open and nobody holds."""
    loop_lag: float | None
    """Seconds by which the event loop is late; None where none is watched."""
    timed_out: int
    failed: int
    """Those who gave up waiting, and checkouts that failed, in the last minute."""
    server: ServerState | None
    """The database server; None while it is not asked."""

    @property
    def name(self) -> str:
        return self.explanation.pool

    @property
    def in_trouble(self) -> bool:
        """Whether somebody waits, would have to, is not served, or was not a moment ago."""
        explanation = self.explanation
        full = explanation.max is not None and explanation.used >= explanation.max
        stuck = explanation.waiting or explanation.blocked_loops
        return bool(full or stuck or self.timed_out or self.failed)

    @property
    def is_tight(self) -> bool:
        """Whether it has no headroom for a burst."""
        most, used = self.explanation.max, self.explanation.used
        return most is not None and used >= Thresholds().high_ratio * most


@dataclass(frozen=True, slots=True)
class Answer:
    """What one worker process has said of its pools."""

    process: str
    """Tells it from all others, even from those of the same pid."""
    pid: int
    at: float
    """Unix time, by its clock."""
    pools: tuple[PoolNow, ...]

    def of(self, name: str | None) -> tuple[PoolNow, ...]:
        """Its pools of that name, or all."""
        return tuple(pool for pool in self.pools if name is None or pool.name == name)

    def demand(self, name: str | None) -> tuple[PoolNow, ...]:
        """The same; raises if there is none."""
        pools = self.of(name)
        if pools:
            return pools
        if name is None or not self.pools:
            raise CannotMeasureError(
                "no pool is observed there; have the service call observe(engine)"
            )
        names = ", ".join(pool.name for pool in self.pools)
        raise CannotMeasureError(one_line(f"there is no pool {name!r}; there is {names}"))
