"""The files under `examples/monitoring`, and what they refer to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples" / "monitoring"
PROMETHEUS = EXAMPLES / "prometheus" / "prometheus.yml"
ALERTMANAGER = EXAMPLES / "alertmanager" / "alertmanager.yml"
COLLECTOR = EXAMPLES / "opentelemetry" / "collector.yaml"
COMPOSE = EXAMPLES / "compose.yaml"
DASHBOARD_PROVIDERS = EXAMPLES / "grafana" / "provisioning" / "dashboards" / "pool_observer.yaml"
DATASOURCES = EXAMPLES / "grafana" / "provisioning" / "datasources" / "prometheus.yaml"
SERVICE = EXAMPLES / "service"
KUBERNETES = EXAMPLES / "kubernetes"

DASHBOARDS = ROOT / "dashboards"
RULES = ROOT / "alerts" / "pool_observer.rules.yaml"
INHIBITION = ROOT / "alerts" / "alertmanager.inhibition.yaml"


def loaded(path: Path) -> Any:
    """What a file with one document says."""
    return yaml.safe_load(path.read_text())


def own_labels() -> list[dict[str, str]]:
    """The name, the severity and so on of each of our alerts, as its rule gives them."""
    return [
        {"alertname": rule["alert"], **rule["labels"]}
        for group in loaded(RULES)["groups"]
        for rule in group["rules"]
        if "alert" in rule
    ]
