"""What a Prometheus has stored of our metrics, by the targets that it scrapes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from pool_observer.advice.measurement import CannotMeasureError, HolderLoad, Measurement, PoolLoad
from pool_observer.advice.reading import Part
from pool_observer.advice.series import POOL, labels, series
from pool_observer.advice.watching import Target, watched_seconds
from pool_observer.wording import one_line

PEAK = "pool_observer.peak_demand"
ACTIVITY = "pool_observer.activity"
CHECKOUTS = "pool_observer.checkouts"
USE_TIME = "db.client.connection.use_time"
BLAMED = "pool_observer.blamed_wait"
TIMEOUTS = "db.client.connection.timeouts"
LIMIT = "db.client.connection.max"
INFO = "pool_observer.info"
PENDING = "db.client.connection.pending_requests"
SERVER_MOST = "pool_observer.server.max_connections"
SERVER_RESERVED = "pool_observer.server.reserved_connections"
POOLER = "pool_observer.server.pooler"

Labels = dict[str, str]
Values = dict[Target, list[tuple[Labels, float]]]
"""All series of a metric, by target, with all their labels."""


def is_prometheus(answer: Any) -> bool:
    """Whether this is what the query API of Prometheus answers."""
    return isinstance(answer, dict) and answer.get("status") in ("success", "error")


def query_url(url: str, expression: str) -> str:
    """Where to ask for the value of an expression now."""
    return f"{url.rstrip('/')}/api/v1/query?{urlencode({'query': expression})}"


@dataclass(frozen=True, slots=True)
class Questions:
    """What is asked, of which series, over which time."""

    ask: Callable[[str], Any]
    """Answers an expression."""
    window_seconds: int
    selector: str = ""

    def pools(self) -> Measurement:
        """All pools that are scraped now, with the averages of the window."""
        window, selector = self.window_seconds, self.selector
        peak = f"{series(PEAK)}{{{selector}}}"
        now = self._targets(peak, PEAK)
        if not now:
            raise CannotMeasureError(
                f"this Prometheus has no {series(PEAK)}"
                + (f" with {one_line(selector)}" if selector else "")
                + ": does it scrape a service that pool_observer observes?"
            )
        peaks = self._targets(f"max_over_time({peak}[{window}s])", PEAK)
        watched = watched_seconds(
            now, window, self._targets(f"{peak} offset {window}s", PEAK), self._ages
        )
        parts = _Parts(
            info=self._info(),
            limits=self._now(LIMIT),
            pending=self._now(PENDING),
            server_most=self._now(SERVER_MOST),
            server_reserved=self._now(SERVER_RESERVED),
            poolers=self._now(POOLER),
            timeouts=self._increase(TIMEOUTS),
            activity=self._increase(ACTIVITY),
            checkouts=self._increase(CHECKOUTS),
            used_seconds=self._increase(USE_TIME, "_sum"),
            uses=self._increase(USE_TIME, "_count"),
            blamed=self._increase(BLAMED),
        )
        pools = tuple(
            parts.pool(target, watched[target], peaks.get(target, 0.0))
            for target in sorted(now, key=sorted)
        )
        return Measurement(f"a Prometheus, over {window} s", pools)

    def _ages(self, width: int, step: int) -> dict[Target, float]:
        """How long ago the first sample was that is seen of each target."""
        times = f"timestamp({series(PEAK)}{{{self.selector}}})"
        return self._targets(f"time() - min_over_time({times}[{width}s:{step}s])", PEAK)

    def _now(self, metric: str) -> dict[Target, float]:
        return self._targets(f"{series(metric)}{{{self.selector}}}", metric)

    def _targets(self, expression: str, metric: str) -> dict[Target, float]:
        """The value of each target."""
        found = self._values(expression, metric)
        return {target: values[-1][1] for target, values in found.items()}

    def _increase(self, metric: str, suffix: str = "") -> Values:
        name = f"{series(metric)}{suffix}"
        expression = f"increase({name}{{{self.selector}}}[{self.window_seconds}s])"
        return self._values(expression, metric)

    def _info(self) -> dict[Target, Labels]:
        found = self._values(f"{series(INFO)}{{{self.selector}}}", INFO)
        return {target: values[-1][0] for target, values in found.items()}

    def _values(self, expression: str, metric: str) -> Values:
        answer = Part(self.ask(expression), "Prometheus' answer")
        if answer["status"].value != "success":
            raise CannotMeasureError(
                f"Prometheus refuses the question: {one_line(answer['error'].text())}"
            )
        apart = labels(metric) | {"__name__"}
        found: Values = defaultdict(list)
        for each in answer["data"]["result"]:
            own = {name: text.text() for name, text in each["metric"].items()}
            _, value = each["value"].pair()
            target = frozenset(pair for pair in own.items() if pair[0] not in apart)
            found[target].append((own, value.written_number()))
        return found


@dataclass(frozen=True, slots=True)
class _Parts:
    """All that was answered."""

    info: dict[Target, Labels]
    limits: dict[Target, float]
    pending: dict[Target, float]
    server_most: dict[Target, float]
    server_reserved: dict[Target, float]
    poolers: dict[Target, float]
    timeouts: Values
    activity: Values
    checkouts: Values
    used_seconds: Values
    uses: Values
    blamed: Values

    def pool(self, target: Target, seconds: float, peak: float) -> PoolLoad:
        own, info = dict(target), self.info.get(target, {})
        size, overflow = _whole(info.get("size")), _whole(info.get("overflow"))
        limit = self.limits.get(target)
        a_worker_has = size + overflow if size and overflow is not None else 0
        # The limits of several workers behind one target are added up.
        known = bool(limit and a_worker_has)
        workers = max(1, round(limit / a_worker_has)) if limit and a_worker_has else 1
        where = [f"{name}={own[name]}" for name in ("job", "instance") if name in own]
        return PoolLoad(
            name=own.get(POOL, "?"),
            source=", ".join(where) or "one target",
            workers=workers,
            window_seconds=seconds,
            peak_demand=round(peak),
            peak_seconds=seconds,
            max=None if limit is None else round(limit / workers),
            size=size,
            max_overflow=overflow,
            dialect=info.get("dialect", ""),
            driver=info.get("driver", ""),
            timed_out=_sum(self.timeouts, target),
            holders=tuple(self._holders(target, seconds)) if seconds >= 1 else (),
            job=own.get("job", ""),
            workers_known=known,
            waiting=self.pending.get(target, 0.0),
            pool_class=info.get("pool_class", ""),
            server_connections=self._server_connections(target),
        )

    def _server_connections(self, target: Target) -> int | None:
        """What the server has for us; None if it is not known, or a pooler is in between."""
        most = self.server_most.get(target)
        if most is None or self.poolers.get(target):
            return None
        return max(0, round(most - self.server_reserved.get(target, 0.0)))

    def _holders(self, target: Target, seconds: float) -> list[HolderLoad]:
        activity: dict[str, dict[str, float]] = defaultdict(dict)
        for own, value in self.activity.get(target, ()):
            activity[own.get("holder", "")][own.get("activity", "")] = value / seconds
        checkouts = _by_holder(self.checkouts, target)
        used_seconds = _by_holder(self.used_seconds, target)
        uses = _by_holder(self.uses, target)
        blamed = _by_holder(self.blamed, target)
        timeouts = _by_holder(self.timeouts, target)
        found = []
        for holder, split in activity.items():
            held, taken = sum(split.values()) * seconds, checkouts.get(holder, 0.0)
            ended = uses.get(holder, 0.0)
            mean = used_seconds.get(holder, 0.0) / ended if ended else held / max(taken, 1)
            found.append(
                HolderLoad(
                    holder=holder,
                    executing=split.get("executing", 0.0),
                    in_transaction=split.get("in_transaction", 0.0),
                    idle=split.get("idle", 0.0),
                    arrivals=taken / seconds,
                    mean_hold=mean,
                    blamed_seconds=blamed.get(holder, 0.0),
                    timed_out=timeouts.get(holder, 0.0),
                )
            )
        return [each for each in found if each.connections or each.arrivals]


def _by_holder(values: Values, target: Target) -> dict[str, float]:
    return {own.get("holder", ""): value for own, value in values.get(target, ())}


def _sum(values: Values, target: Target) -> float:
    return sum(value for _, value in values.get(target, ()))


def _whole(text: str | None) -> int | None:
    """A label of the pool's settings: empty where it does not apply, -1 without a limit."""
    try:
        number = int(text or "")
    except ValueError:
        return None
    return number if 0 <= number <= 1_000_000 else None
