"""What was measured of a service's pools, wherever it was read."""

from __future__ import annotations

from dataclasses import dataclass


class CannotMeasureError(Exception):
    """Nothing can be measured there. Its text is one line that says what to do about it."""


@dataclass(frozen=True, slots=True)
class HolderLoad:
    """What one holder did on average, in all the workers that are measured together."""

    holder: str
    executing: float
    in_transaction: float
    idle: float
    """Connections on average, by activity."""
    arrivals: float
    """Connections it was given a second."""
    mean_hold: float
    """Seconds for which it kept each of them, on average."""
    blamed_seconds: float = 0.0
    """How long others queued on its account."""
    timed_out: float = 0.0
    """How often it gave up."""

    @property
    def connections(self) -> float:
        """How many it held on average."""
        return self.executing + self.in_transaction + self.idle

    @property
    def unused(self) -> float:
        """How many it held on average while no statement was running."""
        return self.in_transaction + self.idle


@dataclass(frozen=True, slots=True)
class PoolLoad:
    """A pool in one worker process, or in several that can only be seen together."""

    name: str
    source: str
    """Which worker it was, or which target of Prometheus."""
    workers: int
    window_seconds: float
    """For how long the averages were measured."""
    peak_demand: int
    """The most connections held or asked for at once, in the worst of the workers."""
    peak_seconds: float
    """For how long that was watched."""
    max: int | None
    """The most connections that a worker's pool hands out; None without a limit."""
    size: int | None
    max_overflow: int | None
    dialect: str
    driver: str
    timed_out: float
    """How many callers gave up, those included of whom it is not known which holder they were."""
    holders: tuple[HolderLoad, ...]
    waiting: float = 0.0
    """Callers in the queue when it was asked."""
    job: str = ""
    """The service, as Prometheus knows it."""
    workers_known: bool = True
    """Whether `workers` was measured; else it is taken for one."""
    pool_class: str = ""
    server_connections: int | None = None
    """The most that the database server has for those who are no superusers; None if unknown."""

    @property
    def connections(self) -> float:
        """How many were held on average."""
        return sum(each.connections for each in self.holders)


@dataclass(frozen=True, slots=True)
class Measurement:
    """What a source told."""

    source: str
    """What was asked, in words."""
    pools: tuple[PoolLoad, ...]
    remarks: tuple[str, ...] = ()
    """Sentences about what could not be asked, or is not certain."""
