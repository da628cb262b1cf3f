from __future__ import annotations

import tomllib
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from pool_observer.buckets import WAIT_BOUNDS
from pool_observer.monitoring.files import dashboard_files, rule_files
from pool_observer.monitoring.settings import WATCHED, Settings
from pool_observer.thresholds import Thresholds


def _all_files(settings: Settings) -> str:
    return "".join((*rule_files(settings).values(), *dashboard_files(settings).values()))


_DEFAULT = _all_files(Settings())


def _another(name: str) -> Settings:
    """With another value of that threshold."""
    value = getattr(Thresholds(), name)
    other = WAIT_BOUNDS[0] if name == "queue_wait" else value * 0.9 or 60.0
    changed: dict[str, Any] = {name: other}
    return Settings(replace(Thresholds(), **changed))


@pytest.mark.parametrize("field", fields(Thresholds), ids=lambda field: str(field.name))
def test_a_threshold_makes_a_difference_if_and_only_if_it_can_be_set(field: Any) -> None:
    if field.name in WATCHED:
        assert _all_files(_another(field.name)) != _DEFAULT
    else:
        assert _all_files(_another(field.name)) == _DEFAULT


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"job_label": "my-job"}, "no name of a label"),
        ({"keep": ("job",)}, "differ from each other"),
        ({"selector": "namespace=shop"}, "label matchers"),
        ({"selector": 'a="b"} or vector(1)'}, "label matchers"),
        ({"selector": 'a="`b"'}, "label matchers"),
        ({"grafana_url": "grafana.example.com"}, "is not an address"),
        ({"runbook_url": 'https://wiki/"x'}, "is not an address"),
        ({"max_connections": 0}, "1 or more"),
        ({"thresholds": Thresholds(queue_wait=3)}, "at a bound of the histogram"),
        ({"thresholds": Thresholds(slow_wait_quantile=95)}, "between 0 and 1"),
        ({"thresholds": Thresholds(leak_window=0)}, "leak_window must be longer"),
        ({"thresholds": Thresholds(rate_window=0)}, "rate_window must be longer"),
    ],
)
def test_settings_that_no_prometheus_would_understand_are_refused(
    given: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        Settings(**given)


def test_runbooks_are_where_the_project_says_they_are() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]

    assert Settings().runbook_url == project["urls"]["Runbooks"]
