"""What differs from one user's monitoring to another's."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, fields

from pool_observer.buckets import WAIT_BOUNDS
from pool_observer.contract import CONTRACT
from pool_observer.prometheus_names import label_names
from pool_observer.thresholds import Thresholds

PROJECT_URL = "https://github.com/pool-observer/pool_observer"
"""Where this repository is published; `pyproject.toml` says the same."""

_ELSEWHERE = {
    "span_after", "trouble_after", "pool_size_low", "pool_size_high", "overflow_ratio_low",
    "overflow_ratio_high", "pool_timeout_limit", "recycle_ratio", "nat_recycle_high",
}  # fmt: skip
"""What spans, the audit and advice go by; no rule, panel or runbook does."""

WATCHED = tuple(each.name for each in fields(Thresholds) if each.name not in _ELSEWHERE)
"""The thresholds that make a difference here."""

_OWN_LABELS = {
    "le", "severity", "alertname", "alertstate", "window",
    *(name for metric in CONTRACT for name in label_names(metric)),
}  # fmt: skip
"""Labels that metrics and alerts have already, for something else."""
_OWN_VARIABLES = ("job", "instance", "pool", "holder", "datasource")

_LONGEST = 1e9
"""Seconds: some thirty years, which Prometheus can still count."""

_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*\Z")
_MATCHER = r'\s*[a-zA-Z_][a-zA-Z0-9_]*\s*(?:=|!=|=~|!~)\s*"(?:[^"\\\n]|\\[abfnrtv\\"])*"\s*'
_MATCHERS = re.compile(rf"(?:{_MATCHER},)*{_MATCHER},?\s*\Z")
_URL = re.compile(r"https?://[^\s\"'{}<>?#]+\Z")
_NAME = re.compile(r"[a-zA-Z](?:[a-zA-Z0-9_]*[a-zA-Z0-9])?\Z")
_UID = re.compile(r"[a-zA-Z0-9_-]*\Z")


@dataclass(frozen=True, slots=True)
class Settings:
    """How dashboards and rules are to be written. The defaults are the files in the repository."""

    thresholds: Thresholds = field(default_factory=Thresholds)
    selector: str = ""
    """Label matchers that every query has, such as `namespace="shop"`."""
    job_label: str = "job"
    instance_label: str = "instance"
    """What the labels of a service and of one of its processes are called."""
    keep: tuple[str, ...] = ()
    """Labels that tell apart services of the same name, such as `cluster` and `namespace`."""
    name: str = "pool_observer"
    """What groups of rules and recorded series are called after: sets of rules with different
    selectors need different ones."""
    datasource: str = ""
    """The uid of the Prometheus that the dashboards begin with; empty for Grafana's default."""
    grafana_url: str = "http://localhost:3000"
    """Where the alerts' links find the dashboards."""
    runbook_url: str = f"{PROJECT_URL}/blob/main/alerts/runbooks.md"
    """Where they find the runbooks."""
    max_connections: int | None = None
    """What the database server takes, where no probe asks it."""

    def __post_init__(self) -> None:
        for label in (self.job_label, self.instance_label, *self.keep):
            if not _LABEL.match(label):
                raise ValueError(f"{label!r} is no name of a label in Prometheus")
            if label in _OWN_LABELS or label.startswith("__"):
                raise ValueError(f"the label {label!r} means something else in metrics and alerts")
        if len({self.job_label, self.instance_label, *self.keep}) < len(self.keep) + 2:
            raise ValueError("labels must differ from each other: job, instance and those to keep")
        if len(self.variables) < len(self.keep) + 2:
            raise ValueError("two of the labels to keep would have one variable in dashboards")
        if self.selector and ("`" in self.selector or not _MATCHERS.match(self.selector)):
            raise ValueError(
                f"the selector must be label matchers, such as 'namespace=\"shop\"', "
                f"not {self.selector!r}; a backslash in it is written twice"
            )
        _check_patterns(self.selector)
        for url in (self.grafana_url, self.runbook_url):
            if not _URL.match(url):
                raise ValueError(
                    f"{url!r} is not an address such as https://grafana.example.com (no ? and #)"
                )
        if not _NAME.match(self.name):
            raise ValueError(
                f"{self.name!r} is no name for rules: letters, digits and _ only, a letter first "
                "and no _ last"
            )
        if not _UID.match(self.datasource):
            raise ValueError(f"{self.datasource!r} is no uid of a data source")
        if self.max_connections is not None and self.max_connections < 1:
            raise ValueError("max_connections must be 1 or more, as the server says it")
        _check(self.thresholds)

    @property
    def variables(self) -> dict[str, str]:
        """What dashboards call the labels that readers choose by, the pool's aside."""
        kept = {
            f"{label}_label" if label in _OWN_VARIABLES else label: label for label in self.keep
        }
        return {**kept, "job": self.job_label, "instance": self.instance_label}


def _check_patterns(selector: str) -> None:
    for pattern in re.findall(r'[=!]~\s*"((?:[^"\\]|\\.)*)"', selector):
        try:
            re.compile(pattern.replace("\\\\", "\\"))
        except re.error as error:
            raise ValueError(f"{pattern!r} in the selector is no pattern: {error}") from None


def _check(thresholds: Thresholds) -> None:
    if thresholds.queue_wait not in WAIT_BOUNDS:
        bounds = ", ".join(f"{bound:g}" for bound in WAIT_BOUNDS)
        raise ValueError(
            f"queue_wait is counted exactly at a bound of the histogram only: one of {bounds}"
        )
    if not 0 < thresholds.slow_wait_quantile < 1:
        raise ValueError("slow_wait_quantile must be between 0 and 1, such as 0.95")
    if not thresholds.server_reserve_ratio < 1:
        raise ValueError("server_reserve_ratio must be below 1, or nothing is left for pools")
    windows = [getattr(thresholds, f"{kind}_burn_window") for kind in ("fast", "slow", "steady")]
    if not windows[0] < windows[1] < windows[2]:
        raise ValueError("fast_burn_window must be below slow_burn_window, and that below steady")
    for each in fields(thresholds):
        if not getattr(thresholds, each.name) < _LONGEST:
            raise ValueError(f"{each.name} must be less than {_LONGEST:g}")
        spans = ("_window", "_recent", "absent_since", "recent")
        if each.name.endswith(spans) and getattr(thresholds, each.name) < 0.001:
            raise ValueError(f"{each.name} must be longer than nothing")
