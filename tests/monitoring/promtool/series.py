"""What a process exports over time, as promtool's unit tests are told it: a sample a minute.

Time is a story of phases. A series says what it does in each: a gauge where it stands, a counter
by how much it grows with each sample.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

Labels = dict[str, str]

POOL = "db_client_connection_pool_name"
ORDERS: Labels = {"job": "shop", "instance": "10.0.0.7:8000", POOL: "db.internal:5432/orders"}
"""The pool in the process that has trouble; it needs encoding in an address."""
BILLING = {**ORDERS, POOL: "db.internal:5432/billing"}
"""Another pool in the same process."""
FOUR = [{**ORDERS, "instance": f"10.0.0.7:800{worker}"} for worker in range(4)]
"""Four processes, of which the first has trouble."""


@dataclass(frozen=True, slots=True)
class Phase:
    """A while in which a process is `good`, just `below` the limit, `bad`, or what a test says.

    In the one sample of `restart`, counters are back at 0 and gauges are good. When it is `gone`,
    its target is stale.
    """

    name: str
    samples: int = 1


def good(samples: int) -> Phase:
    return Phase("good", samples)


def below(samples: int) -> Phase:
    return Phase("below", samples)


def bad(samples: int) -> Phase:
    return Phase("bad", samples)


RESTART = Phase("restart")
GONE = Phase("gone")


def unseen(samples: int) -> Phase:
    """Before the first scrape."""
    return Phase("unseen", samples)


Story = Sequence[Phase]


@dataclass(frozen=True, slots=True)
class Series:
    """One metric, and what it does in each phase; `good` where it does not say."""

    metric: str
    phases: dict[str, float]
    grows: bool = False
    born: float = 0.0
    labels: Labels = field(default_factory=dict)

    def told(self, process: Labels, story: Story) -> dict[str, str]:
        """The series of a process, as promtool reads it."""
        labels = ", ".join(f'{name}="{value}"' for name, value in (process | self.labels).items())
        return {
            "series": f"{self.metric}{{{labels}}}",
            "values": " ".join(self._totals(story) if self.grows else self._levels(story)),
        }

    def by(self, phase: Phase) -> float:
        return self.phases.get(phase.name, self.phases["good"])

    def _levels(self, story: Story) -> Iterable[str]:
        for phase in story:
            yield _special(phase) or f"{self.by(phase):.10g}x{phase.samples - 1}"

    def _totals(self, story: Story) -> Iterable[str]:
        total, is_new = self.born, True
        for phase in story:
            if special := _special(phase):
                yield special
                continue
            step = self.by(phase)
            if phase == RESTART:
                total = 0.0
            elif not is_new:
                total += step
            yield f"{total:.10g}+{step:.10g}x{phase.samples - 1}"
            total, is_new = total + step * (phase.samples - 1), False


def _special(phase: Phase) -> str:
    if phase == GONE:
        return "stale"
    return f"_x{phase.samples}" if phase.name == "unseen" else ""


def gauge(metric: str, *, labels: Labels | None = None, **phases: float) -> Series:
    return Series(metric, phases, labels=labels or {})


def counter(
    metric: str, *, born: float = 0.0, labels: Labels | None = None, **phases: float
) -> Series:
    return Series(metric, phases, grows=True, born=born, labels=labels or {})


def told(process: Labels, series: Iterable[Series], *story: Phase) -> list[dict[str, str]]:
    """All the series of a process."""
    return [each.told(process, story) for each in series]
