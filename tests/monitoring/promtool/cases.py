"""The cases of all alerts, and the files they are written to."""

from __future__ import annotations

from pool_observer.monitoring.yaml import yaml
from tests.monitoring.promtool import (
    cases_burn,
    cases_capacity,
    cases_holders,
    cases_itself,
    cases_leaks,
    cases_lost,
    cases_server,
    cases_waits,
)

CASES = {
    case.alert: case
    for topic in (
        cases_capacity,
        cases_waits,
        cases_leaks,
        cases_lost,
        cases_burn,
        cases_holders,
        cases_server,
        cases_itself,
    )
    for case in topic.CASES
}

COMMENT = "# Written by `python -m tests.monitoring.promtool`; do not edit.\n"


def files() -> dict[str, str]:
    """What stands in `alerts/tests`."""
    return {f"{name}.yaml": COMMENT + yaml(case.document()) for name, case in CASES.items()}
