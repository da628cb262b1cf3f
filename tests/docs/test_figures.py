"""Figures in the prose of the documentation are those of the code."""

from __future__ import annotations

import re

import pytest

from pool_observer import ServerProbe, Thresholds
from pool_observer.advice import advising, bouncer, meeting, queueing
from pool_observer.audit import at_start, facts
from pool_observer.contract import CONTRACT
from pool_observer.forensics import MOST_EXPLAINED
from pool_observer.incidents import CROWDS_APART_NS, MOST_AT_A_TIME, REMEMBERED
from pool_observer.model import NANOSECONDS
from pool_observer.open_claims import BACKLOG
from pool_observer.page import document, history
from pool_observer.probe import joining
from pool_observer.progress import MOST_CLAIMS
from pool_observer.summary import MOST_GROUPS
from pool_observer.telling import QUEUED_NS
from pool_observer.terminal import screen, seen
from pool_observer.wiring import HOLDER_LIMIT
from tests.docs.test_commands import options
from tests.examples import PAGES, ROOT, prose
from tests.monitoring.examples_files import own_labels

LIMITS = Thresholds()
STANDARD = [metric for metric in CONTRACT if metric.name.startswith("db.")]
DASHBOARDS = [*ROOT.glob("dashboards/*.json")]
MINUTE = 60

FIGURES = (
    # What there is
    (r"(\S+) \[alerts\]", len({alert["alertname"] for alert in own_labels()})),
    (r"(\S+) \[dashboards\]|(\S+) dashboards for Grafana", len(DASHBOARDS)),
    (r"All (\S+) of `db\.client\.connection\.\*`", len(STANDARD)),
    (r"\[(\S+) of ours\]\(metrics\.md\)", len(CONTRACT) - len(STANDARD)),
    # Defaults
    (r"`leak_after`, (\S+) seconds by default", LIMITS.leak_after),
    (
        r"(\d+) holders are told apart|`holder_limit` names \((\d+)\)|the (\d+)th(?: holder|\))",
        HOLDER_LIMIT,
    ),
    (r"Every (\S+) seconds it asks the server", ServerProbe().interval),
    (r"how long each act lasts; (\d+)", options("demo")["--seconds"].default),
    (r"the window\W+an (hour) unless|`--window`, an (hour) unless", 3600),
    # What is remembered, and said
    (r"the last (\S+) (?:overdue|things that went wrong)", REMEMBERED),
    (r"Of more than (\S+) within a second the rest", MOST_AT_A_TIME),
    (r"logged within a second, once a (\S+) at most", CROWDS_APART_NS / NANOSECONDS),
    (r"those with the longest hold first, (\S+) of them at most", MOST_GROUPS),
    (r"younger than (half a second) has no diagnosis", LIMITS.trouble_after),
    (r"of waits that queued for (\d+) ms or more", QUEUED_NS / 1e6),
    (r"beyond ([\d,]+) events", BACKLOG),
    (r"of more than ([\d,]+) checkouts has no header", MOST_CLAIMS),
    # The live page
    (r"open holds, the longest first, at most (\d+)", MOST_EXPLAINED),
    (r"open waits, the longest first, at most (\d+)", document.MOST_WAITS),
    (r"`rows`, at most (\d+)", document.MOST_HOLDERS),
    (r"the newest first, at most (\d+)", REMEMBERED),
    (r"who has the lock that it waits for, at most (\d+)", joining.MOST_BLOCKERS),
    (r"the last (five) minutes: connections held", history.SECONDS / MINUTE),
    (r"if (\d+) % of the connections are used", LIMITS.high_ratio * 100),
    (r"if less than (\d+) % of the database", 100 - LIMITS.server_used_ratio * 100),
    (r"`schema` \| (\d+);", document.SCHEMA),
    # The terminal
    (r"It asks every (second) \(`--interval`\)", options("top")["--interval"].default),
    (r"that are older than (\S+) seconds", screen.OLD_AFTER),
    (r"not met for (half a minute) is forgotten", seen.FORGOTTEN_AFTER),
    # The audit
    (r"run in AnyIO's threads: (\d+) for", facts.ANYIO_THREADS),
    (r"PostgreSQL's default of (\d+) counts", facts.POSTGRESQL_RESERVED),
    (r"(a quarter) of `max_connections` for", LIMITS.server_reserve_ratio),
    (r"At (\d+) % of the proxy's time", LIMITS.recycle_ratio * 100),
    (r"a cloud's NAT, (\d+) to \d+ s are usual", LIMITS.nat_recycle_low),
    (r"a cloud's NAT, \d+ to (\d+) s are usual", LIMITS.nat_recycle_high),
    (r"(\d+) to \d+ connections for each worker are usual", LIMITS.pool_size_low),
    (r"\d+ to (\d+) connections for each worker are usual", LIMITS.pool_size_high),
    (r"(\d+) to \d+ s are usual; 30 s", LIMITS.pool_timeout_low),
    (r"\d+ to (\d+) s are usual; 30 s", LIMITS.pool_timeout_high),
    (r"are usual; (\d+) s, which is SQLAlchemy's default", LIMITS.pool_timeout_limit),
    (r"(\d+) to \d+ % of `pool_size` are usual", LIMITS.overflow_ratio_low * 100),
    (r"\d+ to (\d+) % of `pool_size` are usual", LIMITS.overflow_ratio_high * 100),
    (r"no new ones for (\S+) seconds; after a minute", at_start.SETTLED),
    (r"no new ones for three seconds; after a (\S+) at the latest", at_start.PATIENCE),
    # Advice
    (r"executes nothing for more than (half) of the time", advising.UNUSED_SHARE),
    (r"for (\d+) ms of each hold on average", advising.UNUSED_SECONDS * 1000),
    (r"this is (a tenth) of all holding", advising.UNUSED_OF_ALL),
    (r"and (a quarter) of a connection at least", advising.UNUSED_LEAST),
    (r"Less than (\d+) seconds, or no traffic", advising.LEAST_SECONDS),
    (r"fewer than ([\d.]+) % of the callers wait for longer", queueing.WAITS_RATIO * 100),
    (r"of the callers wait for longer than (\d+) ms", queueing.LONGEST_WAIT_SECONDS * 1000),
    (r"It fits if (a fifth) or more", bouncer.OUTSIDE_SHARE),
    (r"the live page is asked some (\d+) times", meeting.LEAST_IN_VAIN),
    (r"and (\d+) times for each worker that was met", meeting.IN_VAIN_FOR_EACH),
    (r"if that is more, over (\d+) connections at once", meeting.AT_ONCE),
    (r"connections at once, for (\S+) seconds at most", meeting.MOST_SECONDS),
)

IN_WORDS = {
    "a tenth": 0.1, "a fifth": 0.2, "a quarter": 0.25, "half": 0.5, "half a second": 0.5,
    "second": 1, "three": 3, "four": 4, "five": 5, "nine": 9, "ten": 10, "half a minute": 30,
    "minute": 60, "hundred": 100, "hour": 3600,
}  # fmt: skip


def figure(said: str) -> float:
    return IN_WORDS[said.lower()] if said.lower() in IN_WORDS else float(said.replace(",", ""))


@pytest.mark.parametrize(("pattern", "is_so"), FIGURES, ids=[pattern for pattern, _ in FIGURES])
def test_a_figure_is_that_of_the_code(pattern: str, is_so: float) -> None:
    said = [
        figure(next(filter(None, found.groups())))
        for page in PAGES
        for found in re.finditer(pattern, prose(page))
    ]
    assert said
    assert said == pytest.approx([is_so] * len(said))
