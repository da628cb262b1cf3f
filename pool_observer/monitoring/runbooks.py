"""What to do when an alert fires: prose, with the figures and expressions of the rules in it."""

from __future__ import annotations

import re
from importlib.resources import files

from pool_observer.monitoring.alert import Alert
from pool_observer.monitoring.alerts import ALERTS
from pool_observer.monitoring.budget import Burn
from pool_observer.monitoring.dashboards import DASHBOARDS
from pool_observer.monitoring.scope import Scope, duration
from pool_observer.monitoring.settings import Settings
from pool_observer.monitoring.signals import SIGNALS
from pool_observer.monitoring.words import in_words, threshold_names
from pool_observer.thresholds import Thresholds

_TITLES = {each.key: each.title for each in DASHBOARDS}
_COMPARISONS = {">": "above {}", ">=": "at {} or more", "==": "at {}"}
_PLACEHOLDER = re.compile(r"<([A-Za-z][^<>\s]*)>")

_INTRODUCTION = """\
# Runbooks

Written by `pool-observer rules alerts/`; do not edit. All figures are those of the rules beside it.

One section for each alert: what it means, what users feel, how to find the cause, how to stop it
and then mend it, and when its threshold is wrong. One of them in a terminal:
`pool-observer runbook ConnectionPoolExhausted`.

If several fire, begin with the first of them in the table: **Firing alerts** on *Pools: fleet
overview* has them all. Where Alertmanager has `alertmanager.inhibition.yaml`, it keeps those quiet
that say nothing new.

Four places have answers. They are named in each section, and work like this:

* The dashboards: their titles are in italics, those of panels in bold. An alert's `dashboard_url`
  opens the right one, with the service, process, pool and holder that it is about. Every panel's
  description says what to do if it is red.
* The live page, where the service was given one: `observe(..., debug_path="/debug/pools")`. Ask
  from the machine or inside the container, or through `ssh -L` or `kubectl port-forward`:
  `curl -s -H 'Accept: application/json' localhost:8000/debug/pools`. With several workers each
  answers for itself, by chance: ask again until `.process.pid` is the one you want.
* The service's log, logger `pool_observer.incidents`: lines begin with `pool "NAME":`, and the
  indented ones below belong to them.
* `print(observer.explain())` in the process itself, such as from a debug endpoint: who holds
  connections, where they stand, what is wrong and what mends it. The live page has the same, and so
  has the note below every `QueuePool limit` traceback.

A *holder* is on whose behalf a connection is out: a route such as `POST /chat/{user}`, a job, or
`unattributed`. An `instance` is a process, or several workers that are scraped as one; then figures
of which only the worst means something are those of the worst worker.

Commands that change a threshold have today's figure in them: put yours in its place, and keep the
options with which you wrote the rules before."""


def runbooks(settings: Settings) -> str:
    """The page: what an alert's `runbook_url` leads to."""
    sections = (section(name, settings).rstrip("\n") for name in alert_names())
    return "\n\n".join([_INTRODUCTION, _table(settings), *sections]) + "\n"


def section(name: str, settings: Settings) -> str:
    """What is to be done about one alert, beginning with its name."""
    alerts = _called(name)
    if not alerts:
        raise ValueError(f"no alert is called {name}: there are {', '.join(alert_names())}")
    prose = _filled(_prose(name), settings)
    return f"## {name}\n\n{_head(alerts, Scope(settings))}\n\n{prose}"


def alert_names() -> tuple[str, ...]:
    """Every alert once; those that watch several windows share a name."""
    return tuple(dict.fromkeys(alert.name for alert in ALERTS))


def _called(name: str) -> list[Alert]:
    return [alert for alert in ALERTS if alert.name == name]


def _prose(name: str) -> str:
    folder = files("pool_observer.monitoring") / "sections"
    return (folder / f"{name}.md").read_text(encoding="utf-8")


# Generated parts


def _table(settings: Settings) -> str:
    lines = ["| alert | severity | fires when | look at |", "|---|---|---|---|"]
    for name in alert_names():
        alerts = _called(name)
        severities = ", ".join(dict.fromkeys(alert.severity for alert in alerts))
        link, where = f"[{name}](#{name.lower()})", _dashboard(alerts[0], settings)
        lines.append(f"| {link} | {severities} | {_first_sentence(name, settings)} | {where} |")
    return "\n".join(lines)


def _first_sentence(name: str, settings: Settings) -> str:
    _, meaning, *_ = _filled(_prose(name), settings).split("\n\n")
    first = re.split(r"(?<=[.:]) ", " ".join(meaning.split()))[0]
    return f"{first.rstrip('.:')}."


def _dashboard(alert: Alert, settings: Settings) -> str:
    url = f"{settings.grafana_url.rstrip('/')}/d/pool-observer-{alert.dashboard}"
    return f"[*{_TITLES[alert.dashboard]}*]({url})"


def _head(alerts: list[Alert], scope: Scope) -> str:
    """How severe it is, and on what exactly it fires."""
    lines = [f"* {alert.severity}: fires {_fires(alert, scope)}" for alert in alerts]
    lines.append(f"* look at {_dashboard(alerts[0], scope.settings)}")
    blocks = [_promql(alert.expression(scope)) for alert in alerts]
    if alerts[0].burn is not None:
        blocks.append(_recording(alerts[0].burn, scope))
    return "\n\n".join(["\n".join(lines), *blocks])


def _recording(burn: Burn, scope: Scope) -> str:
    """What the names stand for that the rules have given to the parts of an expression."""
    told = [f"`{name}`:\n\n{_promql(made)}" for name, made in burn.records(scope).items()]
    return "\n\n".join(["where the rules record, the same for each window,", *told])


def _fires(alert: Alert, scope: Scope) -> str:
    """From where on, and after how long."""
    limits = scope.settings.thresholds
    if alert.burn is not None:
        kind = f"{alert.burn.kind}_burn"
        long, short = (in_words(f"{kind}_{part}", limits) for part in ("window", "recent"))
        return (
            f"above {in_words(kind, limits)} x {in_words('error_ratio', limits)}, "
            f"over {long} and over the last {short}"
        )
    bar = _COMPARISONS[alert.comparison].format(
        in_words(alert.limit, limits) if alert.limit else "0"
    )
    if alert.hold and getattr(limits, alert.hold) > 0:
        return f"{bar} for {in_words(alert.hold, limits)}"
    return f"{bar}, at once"


def _promql(expression: str) -> str:
    return f"```promql\n{expression}\n```"


# Placeholders


def _filled(prose: str, settings: Settings) -> str:
    """With `<slow_wait>` for a threshold in words, `<number:slow_wait>` for its figure alone,
    `<set:slow_wait>` for the option that changes it, and `<query:lost>` for a signal's expression,
    or `<query:lost:recent>` for the same over that time. All else in angle brackets is a mistake.
    """
    return "\n".join(_filled_line(line, settings) for line in prose.split("\n"))


def _filled_line(line: str, settings: Settings) -> str:
    # What is below an item of a list is indented, and so must be all lines of an expression.
    begin = "\n" + " " * (len(line) - len(line.lstrip()))
    return _PLACEHOLDER.sub(lambda found: _placed(found[1], settings).replace("\n", begin), line)


def _placed(placeholder: str, settings: Settings) -> str:
    limits, known = settings.thresholds, threshold_names()
    match placeholder.split(":"):
        case [name] if name in known:
            return in_words(name, limits)
        case ["number", name] if name in known:
            return _number(name, limits)
        case ["set", name] if name in known:
            return f"--threshold {name}={_number(name, limits)}"
        case ["query", name] if name in SIGNALS:
            return SIGNALS[name].expression(Scope(settings))
        case ["query", name, window] if name in SIGNALS and window in known:
            span = duration(getattr(limits, window))
            return SIGNALS[name].expression(Scope(settings, rate_window=span))
    raise ValueError(f"nothing is known that could stand for <{placeholder}>")


def _number(name: str, thresholds: Thresholds) -> str:
    return f"{float(getattr(thresholds, name)):.12g}"
