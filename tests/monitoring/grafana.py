"""What Grafana makes of a dashboard's JSON: its panels, its queries, and what it asks for the
choices of its variables.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.monitoring.interpolation import (
    ALL,
    All,
    Value,
    Values,
    expand,
    expand_text,
    rate_interval,
)

__all__ = ["ALL", "All", "Value", "Values", "expand", "expand_text", "rate_interval"]

Json = dict[str, Any]

_LEGEND_LABEL = re.compile(r"\{\{\s*(.+?)\s*\}\}")
_LABEL_VALUES = re.compile(r"^label_values\((?:(.+),\s*)?([a-zA-Z_][a-zA-Z0-9_]*)\)\s*$")
_QUERY_RESULT = re.compile(r"^query_result\((.+)\)\s*$")


# Panels and what they ask


def rows(dashboard: Json) -> Iterator[Json]:
    """The headings, open and collapsed."""
    return (panel for panel in dashboard.get("panels", []) if panel.get("type") == "row")


def panels(dashboard: Json) -> Iterator[Json]:
    """Every panel that shows something, those in collapsed rows included."""
    for panel in dashboard.get("panels", []):
        if panel.get("type") == "row":
            yield from panel.get("panels", [])
        else:
            yield panel


def targets(panel: Json) -> list[Json]:
    """What the panel asks; hidden targets are asked as well where something refers to them."""
    found: list[Json] = panel.get("targets", [])
    return found


def annotation_queries(dashboard: Json) -> list[Json]:
    """The annotations that ask Prometheus; Grafana's own are not queries."""
    listed = dashboard.get("annotations", {}).get("list", [])
    return [annotation for annotation in listed if annotation.get("expr")]


def variables(dashboard: Json) -> list[Json]:
    found: list[Json] = dashboard.get("templating", {}).get("list", [])
    return found


def legend_labels(target: Json) -> list[str]:
    """The labels that the legend shows, in order; of `__auto`, none that are named."""
    return _LEGEND_LABEL.findall(target.get("legendFormat") or "")


def everything(dashboard: Json) -> dict[str, Value]:
    """All variables at "All", as the dashboard opens; the data source is not among them."""
    return {
        variable["name"]: All(variable["allValue"])
        for variable in variables(dashboard)
        if variable.get("includeAll")
    }


# Where the variables' values come from


@dataclass(frozen=True, slots=True)
class Request:
    """One call of Prometheus' HTTP API."""

    path: str
    params: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class VariableQuery:
    """The query of one variable: `label_values(selector, label)` or `query_result(expression)`."""

    name: str
    query: str
    regex: str = ""

    @property
    def label(self) -> str | None:
        """The label whose values are asked for."""
        match = _LABEL_VALUES.match(self.query)
        return match[2] if match else None

    @property
    def expression(self) -> str | None:
        """The selector or the expression, as it is written; nothing where all series count."""
        match = _LABEL_VALUES.match(self.query) or _QUERY_RESULT.match(self.query)
        return match[1] if match else None

    def request(self, values: Values, *, range_: float, end: float) -> Request:
        """What Grafana asks Prometheus, with the variables before this one expanded."""
        asked = expand(
            self.query, values, interval=15, rate_interval=rate_interval(15, 15), range_=range_
        )
        if match := _LABEL_VALUES.match(asked):
            selector, label = match[1], match[2]
            params = {"start": str(end - range_), "end": str(end)}
            if selector and selector.replace(" ", "") != "{}":
                params["match[]"] = selector
            return Request(f"/api/v1/label/{label}/values", params)
        if match := _QUERY_RESULT.match(asked):
            return Request("/api/v1/query", {"query": match[1], "time": str(end)})
        raise ValueError(f"variable {self.name!r} has a query of another kind: {self.query!r}")

    def choices(self, data: Any) -> list[str]:
        """The choices that the `data` of Prometheus' answer becomes, without All."""
        if self.label is not None:
            return self._kept(data)
        return self._kept([_as_text(sample) for sample in data["result"]])

    def _kept(self, found: Sequence[str]) -> list[str]:
        if not self.regex:
            return list(found)
        pattern = re.compile(self.regex.strip("/"))
        kept = [match for text in found if (match := pattern.search(text))]
        groups = [match[1] if pattern.groups else match[0] for match in kept]
        return list(dict.fromkeys(groups))


def variable_queries(dashboard: Json) -> list[VariableQuery]:
    """The variables that are asked of Prometheus, in the order in which they depend."""
    queries = []
    for variable in variables(dashboard):
        if variable["type"] == "query":
            query = variable["query"]
            text = query if isinstance(query, str) else query["query"]
            queries.append(VariableQuery(variable["name"], text, variable.get("regex", "")))
    return queries


def _as_text(sample: Json) -> str:
    """A sample as `query_result` shows it, for the variable's regular expression to pick from."""
    labels = {name: value for name, value in sample["metric"].items() if name != "__name__"}
    inner = ",".join(f'{name}="{value}"' for name, value in labels.items())
    time, figure = sample["value"]
    return f"{sample['metric'].get('__name__', '')}{{{inner}}} {figure} {time * 1000:g}"
