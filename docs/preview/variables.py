"""The variables of a dashboard: what Grafana would put in their place."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

ALL = "$__all"

_PLACE = re.compile(r"\$\{(?P<braced>\w+)(?::(?P<format>\w+))?\}|\$(?P<bare>\w+)")
_SPECIAL = re.compile(r"[\^$*+?.()|[\]{}']")


class UnknownVariableError(Exception):
    """Grafana would leave it as it stands, and the query would find nothing."""


@dataclass(frozen=True, slots=True)
class Variable:
    name: str
    kind: str
    chosen: Sequence[str]
    """What is selected; `ALL` alone for all."""

    all_value: str | None
    several: bool
    """Whether more than one can be selected, so that it is written as a regular expression."""

    @property
    def text(self) -> str:
        return "All" if list(self.chosen) == [ALL] else " + ".join(self.chosen)

    def written(self, how: str | None) -> str:
        """As it is put in a query; `how` is what stands after the colon."""
        if list(self.chosen) == [ALL] and how != "text":
            if self.all_value is None:
                raise UnknownVariableError(f"${self.name} is All, and has no allValue")
            return self.all_value
        return _FORMATS[how](self)


def _in_query(variable: Variable) -> str:
    if not variable.several:
        return variable.chosen[0].replace("\\", "\\\\").replace("'", "\\\\'")
    escaped = [
        _SPECIAL.sub(r"\\\\\g<0>", value.replace("\\", 4 * "\\")) for value in variable.chosen
    ]
    return escaped[0] if len(escaped) == 1 else f"({'|'.join(escaped)})"


_FORMATS: Mapping[str | None, Callable[[Variable], str]] = {
    None: _in_query,
    "raw": lambda variable: ",".join(variable.chosen),
    "text": lambda variable: variable.text,
    "pipe": lambda variable: "|".join(variable.chosen),
    "regex": lambda variable: "|".join(re.escape(value) for value in variable.chosen),
    "percentencode": lambda variable: quote(",".join(variable.chosen), safe=""),
}


@dataclass(frozen=True, slots=True)
class Variables:
    of_dashboard: Mapping[str, Variable]
    built_in: Mapping[str, str] = field(default_factory=dict)
    """What depends on the panel or the time, such as `__interval`."""

    def with_built_in(self, built_in: Mapping[str, str]) -> Variables:
        return Variables(self.of_dashboard, {**self.built_in, **built_in})

    def in_query(self, text: str) -> str:
        return self._replaced(text, None)

    def in_title(self, text: str) -> str:
        return self._replaced(text, "text")

    def _replaced(self, text: str, usual: str | None) -> str:
        def value(place: re.Match[str]) -> str:
            name = place["braced"] or place["bare"]
            if name in self.built_in:
                return self.built_in[name]
            if name.isdigit():  # a group of label_replace
                return place[0]
            if name not in self.of_dashboard:
                raise UnknownVariableError(f"{place[0]} is no variable of this dashboard")
            return self.of_dashboard[name].written(place["format"] or usual)

        return _PLACE.sub(value, text)


def variables_of(dashboard: Mapping[str, Any], chosen: Mapping[str, Sequence[str]]) -> Variables:
    """The variables as they are when the dashboard is opened, but for those that are chosen."""
    found = {
        each["name"]: _variable(each, chosen.get(each["name"]))
        for each in dashboard.get("templating", {}).get("list", [])
    }
    if unknown := chosen.keys() - found.keys():
        raise UnknownVariableError(f"no variable {', '.join(sorted(unknown))}")
    return Variables(found)


def _variable(each: Mapping[str, Any], chosen: Sequence[str] | None) -> Variable:
    if chosen is None:
        current = each.get("current", {}).get("value") or []
        chosen = [current] if isinstance(current, str) else current
    if not chosen and each.get("includeAll"):
        chosen = [ALL]
    if not chosen:
        chosen = [str(each.get("query", ""))] if each["type"] in ("constant", "textbox") else [""]
    return Variable(
        name=each["name"],
        kind=each["type"],
        chosen=chosen,
        all_value=each.get("allValue") or None,
        several=bool(each.get("multi") or each.get("includeAll")),
    )
