"""An alert: which signals it watches, from where on it fires, and what it says to whom it wakes."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from pool_observer.metric import POOL_LABEL
from pool_observer.monitoring.budget import Burn
from pool_observer.monitoring.scope import By, Scope, duration
from pool_observer.monitoring.signal import Signal
from pool_observer.monitoring.signals import SIGNALS
from pool_observer.monitoring.words import in_words
from pool_observer.prometheus_names import prometheus_label

_POOL = prometheus_label(POOL_LABEL)


@dataclass(frozen=True, slots=True)
class Alert:
    """What watches a signal, or several of which any may be bad."""

    name: str
    signals: tuple[str, ...]
    severity: str
    """`critical`: wakes somebody. `warning`: within the day. `info`: for who looks."""
    summary: str
    description: str
    """Texts with `<pool>`, `<process>`, `<holder>`, `<value>`, `<limit>`, `<culprits>` in them, and
    the names of thresholds. Counts come after a colon: of 1 as well as of many."""
    limit: str = ""
    """The threshold's name; empty for 0."""
    hold: str = ""
    """The threshold that says for how long it must be so; empty for at once."""
    comparison: str = ">"
    window: str = ""
    """The threshold that says over how long rates are taken; empty for the usual."""
    topic: str = "pool"
    """Its group of rules."""
    dashboard: str = "pool"
    burn: Burn | None = None
    """Of an error budget. What it watches is recorded first."""

    @property
    def watched(self) -> tuple[Signal, ...]:
        return tuple(SIGNALS[name] for name in self.signals)

    @property
    def by(self) -> By:
        """Which labels it has."""
        return self.watched[0].by

    def scope(self, scope: Scope) -> Scope:
        if not self.window:
            return scope
        return scope.over(duration(getattr(scope.settings.thresholds, self.window)))

    def expression(self, scope: Scope) -> str:
        """What is true for as long as it is bad."""
        if self.burn is not None:
            return self.burn.expression(scope)
        scope = self.scope(scope)
        bar = f"{self.comparison} {self.value(scope):g}"
        asked = [
            ask(scope, signal.by)
            for signal in self.watched
            for ask in (signal.ask, signal.born)
            if ask is not None
        ]
        return "\nor\n".join(
            f"({each}) {bar}" if _is_compound(each) else f"{each} {bar}" for each in asked
        )

    def value(self, scope: Scope) -> float:
        return float(getattr(scope.settings.thresholds, self.limit)) if self.limit else 0.0

    def seconds(self, scope: Scope) -> float:
        """For how long it must be bad before it fires."""
        return float(getattr(scope.settings.thresholds, self.hold)) if self.hold else 0.0

    def labels(self, scope: Scope) -> dict[str, str]:
        """Labels besides those of the series. Budgets need one that tells their windows apart."""
        own = {"severity": self.severity}
        return own if self.burn is None else {**own, "window": self.burn.windows(scope)[0]}

    def annotations(self, scope: Scope) -> dict[str, str]:
        """What is said, and where to read on."""
        settings = scope.settings
        return {
            "summary": self._filled(self.summary, scope),
            "description": self._filled(self.description, scope),
            "runbook_url": f"{settings.runbook_url}#{self.name.lower()}",
            "dashboard_url": (
                f"{settings.grafana_url.rstrip('/')}/d/pool-observer-{self.dashboard}"
                f"?{'&'.join(self._variables(scope))}"
            ),
        }

    def _variables(self, scope: Scope) -> list[str]:
        settings = scope.settings
        known = {label: name for name, label in settings.variables.items()}
        known |= {_POOL: "pool", "holder": "holder"}
        labels = scope.labels(self.by).split(", ")
        first = [f"var-datasource={settings.datasource}"] if settings.datasource else []
        return first + [
            f"var-{known[label]}={{{{ $labels.{label} | urlquery }}}}" for label in labels
        ]

    def _filled(self, text: str, scope: Scope) -> str:
        settings = scope.settings
        unit = self.watched[0].unit
        job = f"{{{{ $labels.{settings.job_label} }}}}"
        instance = f"{{{{ $labels.{settings.instance_label} }}}}"
        words = {
            "pool": f"{{{{ $labels.{_POOL} }}}}",
            "job": job,
            "process": f"{job} ({instance})",
            "which": _which(f"$labels.{_POOL}", job),
            "holder": "{{ $labels.holder }}",
            "value": unit.template,
            "limit": in_words(self.limit, settings.thresholds) if self.limit else "0",
            "culprits": _culprits(self.by, scope),
        }
        if self.burn is not None:
            words |= {
                "window": in_words(f"{self.burn.kind}_burn_window", settings.thresholds),
                "bar": f"{self.burn.factor(scope) * settings.thresholds.error_ratio * 100:g} %",
            }

        def word(found: re.Match[str]) -> str:
            name = found[1]
            return words[name] if name in words else in_words(name, settings.thresholds)

        return re.sub(r"<(\w+)>", word, text)


def _is_compound(expression: str) -> bool:
    return bool(re.search(r"^(and|or|unless)$", expression, re.MULTILINE))


def _which(pool: str, job: str) -> str:
    """The pool, unless nothing is known of any."""
    return f"{{{{ if {pool} }}}}pool {{{{ {pool} }}}} of {job}{{{{ else }}}}any pool{{{{ end }}}}"


def _culprits(by: By, scope: Scope) -> str:
    """Who holds most connections, asked when the alert is sent."""
    settings = scope.settings
    names = [name for name in scope.labels(by).split(", ") if name != "holder"]
    over = duration(settings.thresholds.rate_window / 2)
    escaped = replace(settings, selector=settings.selector.replace("%", "%%"))
    asked = Scope(escaped, tuple(f"{name}=%q" for name in names), rate_window=over)
    held = asked.rate(("holder",), "pool_observer.activity")
    values = " ".join(f"$labels.{name}" for name in names)
    return (
        f"{{{{ with printf `sort_desc(topk(3, {held} > 0.01))` {values} | query }}}}"
        " Held, on average:{{ range $place, $holder := . }}{{ if $place }},{{ end }}"
        ' {{ .Value | printf "%.1f" }} x {{ .Labels.holder }}{{ end }}.{{ end }}'
    )
