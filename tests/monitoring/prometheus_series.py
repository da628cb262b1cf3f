"""All series that a Prometheus has which scrapes us and evaluates our rules."""

from __future__ import annotations

import re

from pool_observer.monitoring.rules import rule_groups
from pool_observer.monitoring.settings import Settings
from tests.monitoring.expressions import examined
from tests.monitoring.known_series import Known, Series, other_series, our_series, scraped

SCRAPED_WITH = re.compile(r"([a-zA-Z_][a-zA-Z0-9_]*)\s*(?:=|!=|=~|!~)\s*\"")


def target_labels(settings: Settings) -> frozenset[str]:
    """The labels that the scrape adds: of the targets, and what the user selects by."""
    selected = SCRAPED_WITH.findall(settings.selector)
    return frozenset({settings.job_label, settings.instance_label, *settings.keep, *selected})


def prometheus_series(settings: Settings) -> Known:
    """What is scraped, what our rules record, and what Prometheus says of our alerts."""
    known = dict(scraped({**our_series(), **other_series()}, target_labels(settings)))
    alerts = {"alertname", "alertstate"}
    for rule in (rule for group in rule_groups(settings) for rule in group["rules"]):
        result, _ = examined(rule["expr"], known, settings.instance_label)
        labels = result.labels | frozenset(rule.get("labels", {}))
        if "record" in rule:
            known[rule["record"]] = Series(labels, seconds=result.seconds, scale=result.scale)
        else:
            alerts |= labels
    return {**known, **dict.fromkeys(("ALERTS", "ALERTS_FOR_STATE"), Series(frozenset(alerts)))}
