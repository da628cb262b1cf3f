"""Every field of our dashboards, held against Grafana's schema (`roundtrip.py` says how)."""

from __future__ import annotations

from typing import Any

import pytest

from pool_observer.monitoring.dashboards import dashboards
from tests.monitoring.breaking import JOB, POOLS, SESSIONS, UTILIZATION, broken
from tests.monitoring.handmade import good
from tests.monitoring.roundtrip import SCHEMA_VERSION, UNITS, lost, wrong
from tests.monitoring.variants import VARIANTS

OVERRIDE = f"{UTILIZATION}.fieldConfig.overrides.0.properties.0"
LEGEND = f"{UTILIZATION}.options.legend"

MISSPELT = [
    ("refersh", "30s"),
    ("time.form", "now-1h"),
    ("annotations.list.0.iconColour", "red"),
    ("annotations.list.0.expression", "up"),
    ("links.0.keepTimes", True),
    (f"{JOB}.includeall", True),
    (f"{UTILIZATION}.gridPos.width", 12),
    (f"{UTILIZATION}.datasource.id", "x"),
    (f"{UTILIZATION}.targets.0.legend", "x"),
    (f"{UTILIZATION}.options.legned", {}),
    (f"{LEGEND}.placment", "bottom"),
    (f"{UTILIZATION}.fieldConfig.defaults.units", "s"),
    (f"{UTILIZATION}.fieldConfig.defaults.thresholds.steps.0.colour", "red"),
    (f"{UTILIZATION}.fieldConfig.defaults.custom.lineWidht", 2),
    (f"{UTILIZATION}.fieldConfig.defaults.custom.thresholdsStyle.mod", "line"),
    (f"{POOLS}.fieldConfig.defaults.custom.filtrable", True),
    (f"{SESSIONS}.targets.0.exprs", "up"),
    (f"{SESSIONS}.options.colourMode", "value"),
    (f"{SESSIONS}.options.reduceOptions.calc", []),
]
"""What is added here is lost on its way through the schema."""

HANDED_THROUGH = [
    (f"{OVERRIDE}.id", "custom.linStyle", "overrides.custom.linStyle"),
    (f"{OVERRIDE}.value", {"fil": "dash"}, "overrides.custom.lineStyle.fil"),
    (f"{OVERRIDE}.id", "units", "overrides.units"),
    (f"{SESSIONS}.fieldConfig.defaults.custom", {"lineWidth": 1}, "of which stat has none"),
    (f"{POOLS}.transformations.0.option", {}, "transformations.option"),
    (f"{POOLS}.links", [{"title": "x", "urls": "/d/x"}], "links.urls"),
    (f"{SESSIONS}.type", "statistic", "no plugin for panels of type statistic"),
    (
        f"{SESSIONS}.fieldConfig.overrides",
        [{"matcher": {"id": "byName", "options": "x"}, "properties": [{"id": "custom.width"}]}],
        "which such panels do not have",
    ),
]
"""What the SDK does not look at is looked at by `lost` all the same."""

OF_ANOTHER_KIND = [
    ("title", 3, "title: 3 is not str"),
    ("schemaVersion", "42", "'42' is not int"),
    ("graphTooltip", 7, "7 is not DashboardCursorSync"),
    (f"{JOB}.refresh", 5, "5 is not VariableRefresh"),
    (f"{JOB}.multi", "yes", "'yes' is not bool"),
    (f"{UTILIZATION}.gridPos.x", "0", "'0' is not int"),
    (f"{UTILIZATION}.gridPos.x", True, "True is not int"),
    (f"{LEGEND}.placement", "below", "'below' is not LegendPlacement"),
    (f"{UTILIZATION}.fieldConfig.defaults.custom.thresholdsStyle.mode", "lines", "'lines' is not"),
    (f"{UTILIZATION}.fieldConfig.defaults.thresholds.mode", "absolut", "'absolut' is not"),
    (f"{SESSIONS}.options.colorMode", "values", "'values' is not BigValueColorMode"),
    ("tags", ["a", 1], "is not list"),
]


def test_the_small_dashboard_survives() -> None:
    assert (lost(good()), wrong(good())) == ([], [])


@pytest.mark.parametrize(("path", "value"), MISSPELT)
def test_a_misspelt_field_does_not_survive(path: str, value: Any) -> None:
    (found,) = lost(broken(path, value))
    assert found.endswith(path.rpartition(".")[2])


@pytest.mark.parametrize(("path", "value", "complaint"), HANDED_THROUGH)
def test_what_the_sdk_hands_through_is_looked_at(path: str, value: Any, complaint: str) -> None:
    assert any(complaint in found for found in lost(broken(path, value)))


@pytest.mark.parametrize(("path", "value", "complaint"), OF_ANOTHER_KIND)
def test_a_value_of_another_kind_is_found(path: str, value: Any, complaint: str) -> None:
    (found,) = wrong(broken(path, value))
    assert complaint in found


def test_a_value_that_is_changed_on_the_way_is_found() -> None:
    """What the schema has one value for is that, whatever is given."""
    (found,) = lost(broken("links.0.placement", "left"))
    assert found == "links[0].placement: 'left' has become 'inControlsMenu'"


def test_what_is_null_need_not_survive() -> None:
    assert lost(broken(f"{UTILIZATION}.nothing", None)) == []


def test_the_schema_is_the_current_one() -> None:
    """Plain `pip install` takes the oldest, which is called 1769699998!10.1.0."""
    assert SCHEMA_VERSION >= 42


def test_grafanas_units_are_known() -> None:
    assert {"s", "ops", "percentunit", "percent", "short", "none", "string"} <= UNITS
    assert "seconds" not in UNITS


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_field_of_our_dashboards_survives(variant: str) -> None:
    written = dashboards(VARIANTS[variant])
    assert {name: lost(dashboard) for name, dashboard in written.items()} == {
        name: [] for name in written
    }


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_value_in_our_dashboards_is_of_its_kind(variant: str) -> None:
    written = dashboards(VARIANTS[variant])
    assert {name: wrong(dashboard) for name, dashboard in written.items()} == {
        name: [] for name in written
    }
