"""What stands in a PromQL expression."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import promql_parser as promql


def nodes(expression: str) -> list[Any]:
    """Everything in an expression, from the outside in; nothing of what is no PromQL."""
    found: list[Any] = []
    with suppress(ValueError):
        promql.walk(promql.parse(expression), pre_visit=found.append)
    return found


def selectors(expression: str) -> list[promql.VectorSelector]:
    """Every selector, those with a range included."""
    return [node for node in nodes(expression) if isinstance(node, promql.VectorSelector)]


def is_selector(expression: str) -> bool:
    """Whether it is nothing but series as they are, which then have their names in the answer."""
    return [type(node) for node in nodes(expression)] == [promql.VectorSelector]
