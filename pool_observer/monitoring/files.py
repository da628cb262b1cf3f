"""The files that users import, mount and read: each by its name, with its whole text."""

from __future__ import annotations

import json

from pool_observer.monitoring.dashboards import dashboards
from pool_observer.monitoring.inhibition import inhibition
from pool_observer.monitoring.rules import kubernetes, rule_groups
from pool_observer.monitoring.runbooks import runbooks
from pool_observer.monitoring.settings import Settings
from pool_observer.monitoring.yaml import yaml


def rule_files(settings: Settings) -> dict[str, str]:
    """Rules for Prometheus and for its Kubernetes operator, what Alertmanager needs, runbooks."""
    written = {
        "pool_observer.rules.yaml": {"groups": rule_groups(settings)},
        "pool_observer.prometheusrule.yaml": kubernetes(settings),
        "alertmanager.inhibition.yaml": inhibition(settings),
    }
    comment = "# Written by `pool-observer rules`; do not edit.\n"
    return {
        **{name: comment + yaml(document) for name, document in written.items()},
        "runbooks.md": runbooks(settings),
    }


def dashboard_files(settings: Settings) -> dict[str, str]:
    """Dashboards for Grafana, to be imported by hand or provisioned."""
    return {
        name: json.dumps(dashboard, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
        for name, dashboard in dashboards(settings).items()
    }
