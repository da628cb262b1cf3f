"""How Grafana puts the values of variables into queries, titles and links.

As its Prometheus data source does it (`datasource.ts`, `escaping.ts` and
`promlib/models/query.go` of grafana/grafana), with one difference: a variable that nobody knows
is an error here, where Grafana leaves it in the query and shows nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote


@dataclass(frozen=True, slots=True)
class All:
    """The choice "All" of a variable, which is taken as it stands and not escaped."""

    all_value: str = ".*"


ALL: Final = All()

Value = str | Sequence[str] | All
Values = Mapping[str, Value]

# $name, [[name]], [[name:format]], ${name}, ${name.path}, ${name:format}
_VARIABLE = re.compile(
    r"\$(?P<plain>\w+)"
    r"|\[\[(?P<square>\w+?)(?::(?P<square_format>\w+))?\]\]"
    r"|\$\{(?P<braced>\w+)(?:\.(?P<path>[^:^}]+))?(?::(?P<braced_format>[^}]+))?\}"
)


def variables_in(text: str) -> set[str]:
    """The names of all variables that the text refers to, Grafana's own (`__...`) included."""
    return {_name(match) for match in _VARIABLE.finditer(text)}


def formats_in(text: str) -> dict[str, str]:
    """The variables that are asked for in a format of their own: `${holder:regex}`."""
    formats = ((_name(match), _format(match)) for match in _VARIABLE.finditer(text))
    return {name: format_ for name, format_ in formats if format_}


def expand(
    expression: str,
    values: Values,
    *,
    interval: float,
    rate_interval: float,
    range_: float,
) -> str:
    """The expression that Prometheus is asked; the values are of variables that are multi or
    have All, the durations are seconds.
    """
    own = {
        **_durations("__interval", interval),
        **_durations("__rate_interval", rate_interval),
        **_durations("__range", range_),
    }
    return _expanded(expression, values, own, _escaped_for_prometheus)


def expand_text(text: str, values: Values) -> str:
    """A title, a legend, a data source: nothing is escaped there."""
    return _expanded(text, values, {}, _glob)


def rate_interval(interval: float, scrape_interval: float) -> float:
    """`$__rate_interval`: what a rate needs to see four scrapes, or all that a step covers."""
    return max(interval + scrape_interval, 4 * scrape_interval)


def regular_expression_escaped(value: str) -> str:
    """What matches the value literally, written as it must stand between PromQL's quotes."""
    return re.sub(r"[$^*{}\[\]+?.()|]", r"\\\\\g<0>", value.replace("\\", "\\\\\\\\"))


def _expanded(
    text: str, values: Values, own: Mapping[str, str], default: Callable[[str | Sequence[str]], str]
) -> str:
    def replaced(match: re.Match[str]) -> str:
        name, format_ = _name(match), _format(match)
        if name in own:
            return own[name]
        if name not in values:
            raise LookupError(f"no variable {name!r} in {text!r}")
        value = values[name]
        if isinstance(value, All):
            return _all(name, value, format_)
        return _FORMATS[format_](name, value) if format_ else default(value)

    return _VARIABLE.sub(replaced, text)


def _all(name: str, value: All, format_: str) -> str:
    if format_ == "text":
        return "All"
    if format_ == "queryparam":
        return _query_parameter(name, "$__all")
    return _strictly_quoted(value.all_value) if format_ == "percentencode" else value.all_value


def _durations(name: str, seconds: float) -> dict[str, str]:
    milliseconds = round(seconds * 1000)
    whole = milliseconds % 1000 == 0
    return {
        name: f"{milliseconds // 1000}s" if whole else f"{milliseconds}ms",
        f"{name}_ms": str(milliseconds),
        f"{name}_s": str(round(seconds)),
    }


def _escaped_for_prometheus(value: str | Sequence[str]) -> str:
    return _alternatives(value, regular_expression_escaped)


def _alternatives(value: str | Sequence[str], escaped: Callable[[str], str]) -> str:
    if isinstance(value, str):
        return escaped(value)
    choices = [escaped(choice) for choice in value]
    return choices[0] if len(choices) == 1 else f"({'|'.join(choices)})"


def _glob(value: str | Sequence[str]) -> str:
    if isinstance(value, str):
        return value
    return value[0] if len(value) == 1 else f"{{{','.join(value)}}}"


def _joined(separator: str) -> Callable[[str, str | Sequence[str]], str]:
    return lambda _name, value: value if isinstance(value, str) else separator.join(value)


def _query_parameters(name: str, value: str | Sequence[str]) -> str:
    choices = [value] if isinstance(value, str) else value
    return "&".join(_query_parameter(name, choice) for choice in choices)


def _query_parameter(name: str, value: str) -> str:
    return f"var-{name}={_strictly_quoted(value)}"


def _strictly_quoted(value: str) -> str:
    return quote(value, safe="-_.~")


# What an escape of Grafana's format `regex` is: one backslash, where PromQL's quotes need two.
_FORMATS: Mapping[str, Callable[[str, str | Sequence[str]], str]] = {
    "regex": lambda _name, value: _alternatives(
        value, lambda choice: re.sub(r"[\\^$*+?.()|\[\]{}/]", r"\\\g<0>", choice)
    ),
    "raw": _joined(","),
    "csv": _joined(","),
    "text": _joined(" + "),
    "pipe": _joined("|"),
    "glob": lambda _name, value: _glob(value),
    "json": lambda _name, value: value if isinstance(value, str) else json.dumps(list(value)),
    "percentencode": lambda _name, value: _strictly_quoted(_glob(value)),
    "queryparam": _query_parameters,
}


def _name(match: re.Match[str]) -> str:
    name: str = match["plain"] or match["square"] or match["braced"]
    return name


def _format(match: re.Match[str]) -> str:
    return match["square_format"] or match["braced_format"] or ""
