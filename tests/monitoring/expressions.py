"""What a PromQL expression comes to: the labels, the unit, and what is wrong with it.

Nothing is evaluated. Every selector is looked up in what is known to exist, and labels and units
are followed through functions, aggregations and matches; what cannot be followed is a complaint.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Any

import promql_parser as promql

from pool_observer.metric import POOL_LABEL
from pool_observer.prometheus_names import prometheus_label
from tests.monitoring.known_series import Known, Series
from tests.monitoring.nodes import selectors
from tests.monitoring.units import EITHER, Result, combined

RATES = {"rate", "irate", "increase"}
"""Take counters, and nothing else does."""
_EXISTENCE = {"absent", "absent_over_time", "present_over_time", "count_over_time", "timestamp"}
"""Look at whether there is a series, not at its figure."""
_OVER_TIME = {f"{how}_over_time" for how in ("avg", "last", "max", "min", "quantile", "sum")}
_KEEP = _OVER_TIME | {
    *("abs", "ceil", "clamp", "clamp_max", "clamp_min", "delta", "floor", "idelta"),
    *("predict_linear", "round", "sort", "sort_desc"),
}
_LITERALLY = (promql.MatchOp.Equal, promql.MatchOp.NotEqual)
_COUNTING = {"changes", "count_over_time", "present_over_time", "resets", "sgn"}


@dataclass(slots=True)
class Examination:
    """One expression, gone through once."""

    known: Known
    instance_label: str = "instance"
    complaints: list[str] = field(default_factory=list)

    @property
    def whose(self) -> set[str]:
        """Labels that say whose a figure is. Others may share out what one has seen."""
        return {self.instance_label, prometheus_label(POOL_LABEL)}

    def complain(self, text: str) -> None:
        self.complaints.append(text)

    # Selectors

    def selector(self, node: promql.VectorSelector, *, within: str) -> Result:
        found = self.look_up(node)
        if found is None:
            return Result(pinned=_pinned(node))
        if found.counter and not within:
            self.complain(f"{node.name} is a counter, which says nothing without rate or increase")
        if not found.counter and within in RATES:
            self.complain(f"{within} of {node.name}, which is no counter")
        if found.counter and within and within not in RATES | _EXISTENCE | {"changes", "resets"}:
            self.complain(f"{within} of {node.name}, which is a counter")
        return Result(
            labels=found.labels,
            pinned=_pinned(node),
            follow=found.follow,
            seconds=found.seconds,
            buckets=found.buckets,
            scale=found.scale,
            one_worst=found.one_worst,
            adds_up=found.adds_up,
        )

    def look_up(self, node: promql.VectorSelector) -> Series | None:
        if node.matchers.or_matchers:
            self.complain("'or' between matchers, which Prometheus does not know")
        found = self.known.get(node.name or "")
        if found is None:
            self.complain(f"nobody exports {node.name or 'a series without a name'}")
            return None
        for matcher in node.matchers.matchers:
            if matcher.name not in found.labels:
                self.complain(f"{node.name} has no label {matcher.name}")
            if matcher.op in _LITERALLY and re.search(r"[|*]", matcher.value):
                self.complain(f"{matcher} is taken literally, not as a pattern")
        return found

    # Everything else

    def of(self, node: Any, *, within: str = "") -> Result:
        match node:
            case promql.NumberLiteral():
                return Result(scalar=True, number=node.val)
            case promql.StringLiteral():
                return Result(scalar=True)
            case promql.ParenExpr():
                return self.of(node.expr, within=within)
            case promql.UnaryExpr():
                return replace(self.of(node.expr, within=within), number=None)
            case promql.VectorSelector():
                return self.selector(node, within=within)
            case promql.MatrixSelector():
                return self.selector(node.vector_selector, within=within)
            case promql.SubqueryExpr():
                if within in RATES:
                    self.complain(f"{within} of a subquery, where counters' resets are lost")
                return self.of(node.expr)
            case promql.AggregateExpr():
                return self.aggregation(node)
            case promql.BinaryExpr():
                return self.operation(node, within=within)
            case promql.Call():
                return self.call(node, within=within)
        raise TypeError(f"an expression of a kind that is new: {node!r}")

    def aggregation(self, node: promql.AggregateExpr) -> Result:
        how = str(node.op)
        inner = self.of(node.expr, within="absent" if how in {"count", "group"} else "")
        labels = inner.labels
        if how not in {"topk", "bottomk"}:
            labels = self.kept(inner, node.modifier, how)
        if how in {"sum", "avg"} and inner.one_worst and self.whose & (inner.labels - labels):
            self.complain(f"{how} of figures of which only the worst means something")
        if how in {"max", "min", "avg"} and inner.adds_up:
            self.complain(f"{how} of figures that add up")
        together = Result(
            labels=labels,
            pinned=inner.pinned,
            follow=inner.follow,
            seconds=inner.seconds,
            buckets=inner.buckets,
            scale=inner.scale,
            one_worst=inner.one_worst and self.instance_label in labels,
            adds_up=inner.adds_up and self.instance_label in labels,
        )
        if isinstance(node.param, promql.StringLiteral):  # of count_values
            together = replace(together, labels=labels | {node.param.val})
        if how in {"count", "group", "count_values"}:
            return Result(labels=together.labels, seconds=0)
        return together

    def kept(self, inner: Result, modifier: Any, how: str) -> frozenset[str]:
        if modifier is None:
            return frozenset()
        named = frozenset(modifier.labels)
        for label in sorted(named - inner.labels):
            self.complain(f"{how} by or without {label}, which is not there")
        by = modifier.type == promql.AggModifierType.By
        return inner.labels & named if by else inner.labels - named

    def operation(self, node: promql.BinaryExpr, *, within: str) -> Result:
        how = str(node.op)
        exists = how in {"and", "unless"}
        looked_at = "absent" if within in _EXISTENCE else ""
        left = self.of(node.lhs, within="absent" if _is_birth(node) else looked_at)
        right = self.of(node.rhs, within="absent" if exists else looked_at)
        if left.scalar or right.scalar:
            return self.combined(node, left, right, left.labels | right.labels)
        labels = self.matched(node, how, left, right)
        if exists:
            return left
        return self.combined(node, left, right, labels)

    def combined(
        self, node: promql.BinaryExpr, left: Result, right: Result, labels: frozenset[str]
    ) -> Result:
        to_bool = node.modifier is not None and node.modifier.return_bool
        result, complaints = combined(str(node.op), left, right, labels, to_bool=to_bool)
        self.complaints.extend(complaints)
        return result

    def matched(
        self, node: promql.BinaryExpr, how: str, left: Result, right: Result
    ) -> frozenset[str]:
        """The labels of a match; complains where some would find no partner, or several."""
        modifier = node.modifier
        matching = None if modifier is None else modifier.matching
        if matching is None:
            on = left.labels | right.labels
        elif matching.type == promql.LabelModifierType.Include:
            on = frozenset(matching.labels)
        else:
            on = (left.labels | right.labels) - frozenset(matching.labels)
        for side, name in ((left, "left"), (right, "right")):
            if how == "or" and matching is None:
                continue
            for label in sorted(on - side.labels):
                self.complain(f"{how} matches {label}, which the {name} side does not have")
        if how in {"and", "or", "unless"}:
            return left.labels & right.labels if how == "or" else left.labels
        return self.partners(modifier, on, left, right)

    def partners(
        self, modifier: Any, on: frozenset[str], left: Result, right: Result
    ) -> frozenset[str]:
        card = promql.VectorMatchCardinality.OneToOne if modifier is None else modifier.card
        extra = frozenset(modifier.group_labels or ()) if modifier else frozenset[str]()
        one = right
        if card == promql.VectorMatchCardinality.ManyToOne:
            self.brought(extra, right)
            labels = left.labels | extra
        elif card == promql.VectorMatchCardinality.OneToMany:
            self.brought(extra, left)
            labels, one = right.labels | extra, left
        else:
            self.no_double(left, on)
            labels = on
        self.no_double(one, on)
        return labels

    def brought(self, extra: frozenset[str], side: Result) -> None:
        for label in sorted(extra - side.labels):
            self.complain(f"group_left or group_right brings {label}, which is not there")

    def no_double(self, side: Result, on: frozenset[str]) -> None:
        for label in sorted(side.labels - side.pinned - side.follow - on):
            self.complain(f"several series differ in {label} only, which is not matched")

    def call(self, node: promql.Call, *, within: str) -> Result:
        name = node.func.name
        inside = within if within in _EXISTENCE and name not in RATES else _inside(name)
        arguments = [self.of(argument, within=inside) for argument in node.args]
        vectors = [found for found in arguments if not found.scalar]
        first = vectors[0] if vectors else Result()
        if name in RATES:
            change = {"increase": 0}.get(name, -1)
            seconds = None if first.seconds is None else first.seconds + change
            scale = EITHER if first.seconds == 1 and change else first.scale
            return replace(first, seconds=seconds, scale=scale)
        if name in _KEEP:
            return first
        if name in _COUNTING:
            return Result(labels=first.labels, pinned=first.pinned, seconds=0)
        match name:
            case "time" | "timestamp":
                return replace(first, seconds=1, scalar=name == "time")
            case "deriv":
                return replace(first, seconds=(first.seconds or 0) - 1)
            case "vector":
                return Result(seconds=arguments[0].seconds)
            case "scalar":
                return replace(first, labels=frozenset(), scalar=True)
            case "absent" | "absent_over_time":
                # Of anything but a selector it is not known what is absent.
                of_series = isinstance(node.args[0], (promql.VectorSelector, promql.MatrixSelector))
                return Result(labels=first.pinned if of_series else frozenset(), seconds=0)
            case "histogram_quantile":
                return self.quantile(first)
            case "label_replace":
                return self.relabelled(node, first)
        self.complain(f"nothing is known here of {name}()")
        return first

    def quantile(self, inner: Result) -> Result:
        if "le" not in inner.labels:
            self.complain("histogram_quantile needs the label le")
        if inner.seconds != -1 and inner.buckets is not None:
            self.complain("histogram_quantile needs rates of buckets")
        return Result(labels=inner.labels - {"le"}, pinned=inner.pinned, seconds=inner.buckets)

    def relabelled(self, node: promql.Call, inner: Result) -> Result:
        target, source = node.args[1].val, node.args[3].val
        if source and source not in inner.labels:
            self.complain(f"label_replace reads {source}, which is not there")
        return replace(inner, labels=inner.labels | {target})


def examined(
    expression: str, known: Known, instance_label: str = "instance"
) -> tuple[Result, list[str]]:
    """What an expression gives in which no variable is left, and the complaints about it."""
    try:
        parsed = promql.parse(expression)
    except ValueError as error:
        return Result(), [f"not PromQL: {error}"]
    examination = Examination(known, instance_label)
    return examination.of(parsed), examination.complaints


def _pinned(node: promql.VectorSelector) -> frozenset[str]:
    return frozenset(
        matcher.name
        for matcher in node.matchers.matchers
        if matcher.op == promql.MatchOp.Equal and matcher.value
    )


def _inside(name: str) -> str:
    """How a counter is looked at that stands right within the function."""
    takes_it = RATES | _OVER_TIME | _EXISTENCE | {"changes", "delta", "deriv", "resets"}
    return name if name in takes_it else ""


def _is_birth(node: promql.BinaryExpr) -> bool:
    """Whether it is a counter's figure when it is new: of which `increase` would see nothing."""
    if str(node.op) != "unless" or not isinstance(node.lhs, promql.VectorSelector):
        return False
    before = [found for found in selectors(node.rhs.prettify()) if found.offset]
    return [found.name for found in before] == [node.lhs.name]
