"""The eight scenarios that every alert is tried with, from what is good and bad for it.

All begin with ten good minutes. From then on, times are counted from the beginning of the trouble.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tests.monitoring.promtool.scenario import Kind, Moment, Page, Scenario, paged, silent
from tests.monitoring.promtool.series import (
    BILLING,
    FOUR,
    GONE,
    ORDERS,
    POOL,
    RESTART,
    Series,
    bad,
    below,
    gauge,
    good,
    told,
)

GOOD = 10
"""Minutes before the trouble begins."""
ABSENT = 5
"""Minutes after which it is told that metrics are absent."""
INFO = gauge("pool_observer_info", labels={"pool_class": "QueuePool", "size": "5"}, good=1)

ABSENT_ALERT = "ConnectionPoolMetricsAbsent"
GONE_PAGE = Page(
    labels={"job": "shop", POOL: "db.internal:5432/orders", "severity": "warning"},
    summary="No metrics of pool db.internal:5432/orders of shop",
    description=(
        "For 5 min, no process has had metrics of pool db.internal:5432/orders of shop: the "
        "service is down, is not scraped, or does not call observe(). Until it has some, no other "
        "alert can tell of it."
    ),
    runbook_url="https://github.com/pool-observer/pool_observer/blob/main/alerts/runbooks.md#connectionpoolmetricsabsent",
    dashboard_url="http://localhost:3000/d/pool-observer-fleet?var-job=shop&var-pool=db.internal%3A5432%2Forders",
)


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is exported, who is paged, and how long each takes to be seen."""

    series: Sequence[Series]
    pages: Sequence[Page]
    """What is said at its last minute."""
    first: Sequence[Page] = ()
    """What is said at the first moment, if it is something else."""
    lasts: int = 10
    """Minutes of trouble."""
    fires: int = 0
    """Minutes until it fires, that of `for` included."""
    early: str = ""
    """Why there is no moment just before it fires: there is no `for`."""
    fades: int = 0
    """Minutes until it is over, after the trouble is."""
    ends: int = 0
    """The same where nothing is exported any more, if that takes longer."""
    below: str = ""
    """What it is that is just below the limit."""
    reset: Sequence[Page] = ()
    """What is said a while after a restart that has mended nothing; nothing, if gauges tell."""
    reset_after: int = 3
    reset_says: str = ""
    four: Sequence[Page] = ()
    """What is said of one process of four, if it is something else."""
    merged: Sequence[Series] = ()
    """What four workers export that are scraped as one, if it is something else."""
    merged_pages: Sequence[Page] = ()
    merged_says: str = ""

    def eight(self) -> tuple[Scenario, ...]:
        return (
            self._fires(),
            Scenario(
                Kind.BELOW,
                told(ORDERS, self.series, good(GOOD), below(self.lasts)),
                silent("10m", "15m", self._last),
                self.below,
            ),
            self._early(),
            self._recovers(),
            *self._reset(),
            Scenario(
                Kind.ONE_OF_FOUR,
                told(FOUR[0], self.series, good(GOOD), bad(self.lasts))
                + [
                    each
                    for other in FOUR[1:]
                    for each in told(other, self.series, good(GOOD + self.lasts))
                ],
                (*silent("9m"), paged(self._last, *(self.four or self.pages))),
                "four processes",
            ),
            self._merged(),
            Scenario(
                Kind.TWO_POOLS,
                told(ORDERS, self.series, good(GOOD), bad(self.lasts))
                + told(BILLING, self.series, good(GOOD + self.lasts)),
                (*silent("9m"), paged(self._last, *self.pages)),
                "only the one that is bad",
            ),
            self._stale(),
        )

    @property
    def _last(self) -> str:
        return after(self.lasts - 1)

    def _fires(self) -> Scenario:
        return Scenario(
            Kind.FIRES,
            told(ORDERS, self.series, good(GOOD), bad(self.lasts)),
            (
                *silent("2m", "9m"),
                paged(after(self.fires), *(self.first or self.pages)),
                paged(self._last, *self.pages),
            ),
        )

    def _early(self) -> Scenario:
        series = told(ORDERS, self.series, good(GOOD), bad(self.lasts))
        if self.early:
            moments: tuple[Moment, ...] = (paged(after(self.fires), *(self.first or self.pages)),)
            return Scenario(Kind.EARLY, series, moments, self.early)
        return Scenario(Kind.EARLY, series, silent(after(self.fires - 1)))

    def _recovers(self) -> Scenario:
        over = self.lasts + self.fades
        return Scenario(
            Kind.RECOVERS,
            told(ORDERS, self.series, good(GOOD), bad(self.lasts), good(self.fades + 10)),
            (paged(self._last, *self.pages), *silent(after(over), after(over + 5))),
        )

    def _reset(self) -> tuple[Scenario, ...]:
        harmless = Scenario(
            Kind.RESET,
            told(ORDERS, self.series, good(GOOD), RESTART, good(10)),
            silent("10m", "11m", "12m", "15m", "19m"),
            "a process that is well and restarts is none to be told of",
        )
        if not self.reset:
            series = told(ORDERS, self.series, good(GOOD), bad(self.lasts), RESTART, good(30))
            over = self.lasts + self.fades
            moments = (paged(self._last, *self.pages), *silent(after(over), after(over + 5)))
            says = self.reset_says or "gauges only: a restart ends it"
        else:
            series = told(
                ORDERS, self.series, good(GOOD), bad(self.lasts), RESTART, bad(self.lasts)
            )
            moments = (
                paged(self._last, *self.pages),
                paged(after(self.lasts + self.reset_after), *self.reset),
            )
            says = self.reset_says or "a restart that mends nothing hides nothing"
        return harmless, Scenario(Kind.RESET, series, moments, says)

    def _merged(self) -> Scenario:
        series = told(ORDERS, self.merged or self.series, good(GOOD), bad(self.lasts))
        pages = self.merged_pages or self.pages
        return Scenario(
            Kind.ONE_OF_FOUR,
            series,
            (*silent("9m"), paged(self._last, *pages)),
            self.merged_says or "scraped as one",
        )

    def _stale(self) -> Scenario:
        over = self.lasts + (self.ends or self.fades)
        return Scenario(
            Kind.STALE,
            told(ORDERS, [INFO, *self.series], good(GOOD), bad(self.lasts), GONE),
            (
                paged(self._last, *self.pages),
                *silent(after(over)),
                *silent(after(self.lasts + ABSENT - 1), alert=ABSENT_ALERT),
                paged(after(self.lasts + ABSENT), GONE_PAGE, alert=ABSENT_ALERT),
            ),
            "it is over, and that metrics are absent is told instead",
        )


def told_apart(series: Sequence[Series], *pages: Page) -> Scenario:
    """Four workers of one instance, where a label of their own tells which; one is in trouble."""
    one, *others = ({**ORDERS, "worker": str(worker)} for worker in range(4))
    return Scenario(
        Kind.ONE_OF_FOUR,
        told(one, series, good(GOOD), bad(10))
        + [each for other in others for each in told(other, series, good(GOOD + 10))],
        (*silent("9m"), paged(after(9), *pages)),
        "one instance with four workers, of which the worst counts",
    )


def after(minutes: int) -> str:
    """The time at which trouble has lasted for so long."""
    return f"{GOOD + minutes}m"
