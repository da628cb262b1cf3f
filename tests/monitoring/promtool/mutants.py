"""Rules that are wrong in one place, to see that tests notice."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping
from typing import Any

from pool_observer.monitoring.rules import Rule

_BAR = re.compile(r"(>=|>|==) ([\d.]+)(?= \*|\)|$|\n)( \* [\d.]+)?")
_NEVER_MIND = {
    # What it compares is 1 or not there.
    "ConnectionPoolMetricsAbsent": {">= 0", "> -1"},
    # Both windows would have to be at the limit, and above it before.
    "ConnectionPoolTimeoutBudgetBurn": {">= 14.4 * 0.001", ">= 6 * 0.001", ">= 1 * 0.001"},
}
"""Mutants of an alert that do the same."""


def only(groups: list[Rule], alert: str) -> list[Rule]:
    """The alert, and what is recorded for it."""
    return [
        {**group, "rules": [rule for rule in group["rules"] if rule.get("alert", alert) == alert]}
        for group in groups
        if any(rule.get("alert") == alert for rule in group["rules"])
    ]


def mutants(groups: list[Rule], alert: str) -> Iterator[tuple[str, list[Rule]]]:
    """What was changed, and the rules with that."""
    for number, rule in enumerate(groups[0]["rules"]):
        if rule.get("alert") == alert:
            for what, mutant in _mutated(rule):
                changed = copy.deepcopy(groups)
                changed[0]["rules"][number] = mutant
                yield f"rule {number}: {what}", changed


def _mutated(rule: Mapping[str, Any]) -> Iterator[tuple[str, Rule]]:
    for bar in _BAR.finditer(rule["expr"]):
        for other in _others(bar):
            if other not in _NEVER_MIND.get(rule["alert"], ()):
                expression = rule["expr"][: bar.start()] + other + rule["expr"][bar.end() :]
                yield f"{bar[0]} at {bar.start()} becomes {other}", {**rule, "expr": expression}
    if "for" in rule:
        yield "no for", {name: value for name, value in rule.items() if name != "for"}
        yield "twice the for", {**rule, "for": f"{2 * int(rule['for'][:-1])}{rule['for'][-1]}"}
    else:
        yield "a for", {**rule, "for": "1m"}


def _others(bar: re.Match[str]) -> Iterator[str]:
    operator, limit, budget = bar[1], float(bar[2]), bar[3] or ""
    if operator == "==":
        yield f"!= {limit:g}"
        yield f"== {limit + 1:g}"
        return
    yield {">": ">=", ">=": ">"}[operator] + f" {limit:g}{budget}"
    yield f"{operator} {limit * 10 or 1e9:g}{budget}"
    # Of a budget, only the one window that decides is near its limit.
    yield f"{operator} -1" if budget or not limit else f"{operator} {limit * 0.95:g}"
