"""Recording and alerting rules, as Prometheus and its Kubernetes operator read them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pool_observer.monitoring.alert import Alert
from pool_observer.monitoring.alerts import ALERTS
from pool_observer.monitoring.scope import Scope, duration
from pool_observer.monitoring.settings import Settings

Rule = dict[str, Any]


def rule_groups(settings: Settings) -> list[Rule]:
    """The groups of a rules file. What is recorded comes before what watches it."""
    scope = Scope(settings)
    topics = dict.fromkeys(alert.topic for alert in ALERTS)
    return [
        {
            "name": f"{settings.name}.{topic}",
            "rules": list(_rules([each for each in ALERTS if each.topic == topic], scope)),
        }
        for topic in topics
    ]


def kubernetes(settings: Settings) -> Rule:
    """The same as a `PrometheusRule`."""
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {
            "name": settings.name.lower().replace("_", "-"),
            "labels": {"app.kubernetes.io/name": "pool-observer", "role": "alert-rules"},
        },
        "spec": {"groups": rule_groups(settings)},
    }


def _rules(alerts: list[Alert], scope: Scope) -> Iterable[Rule]:
    records: dict[str, str] = {}
    for alert in alerts:
        if alert.burn is not None:
            records |= alert.burn.records(scope)
    yield from ({"record": name, "expr": expression} for name, expression in records.items())
    yield from (_alerting(alert, scope) for alert in alerts)


def _alerting(alert: Alert, scope: Scope) -> Rule:
    rule: Rule = {"alert": alert.name, "expr": alert.expression(scope)}
    if seconds := alert.seconds(scope):
        rule["for"] = duration(seconds)
    rule["labels"] = alert.labels(scope)
    rule["annotations"] = alert.annotations(scope)
    return rule
