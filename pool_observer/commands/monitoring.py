"""`pool-observer dashboards`, `rules` and `runbook`, with one's own limits and labels."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from pool_observer.commands.files import compare_files, write_files
from pool_observer.commands.parsing import complain, nearest, put
from pool_observer.monitoring.alerts import ALERTS
from pool_observer.monitoring.files import dashboard_files, rule_files
from pool_observer.monitoring.runbooks import runbooks, section
from pool_observer.monitoring.settings import WATCHED, Settings
from pool_observer.thresholds import Thresholds

_STATUSES = """\
exit status: 0 written, 1 --check found files that are not what they would be,
2 they could not be written, 130 interrupted
"""

_DASHBOARDS = f"""\
examples:
  pool-observer dashboards grafana/dashboards --datasource prometheus-main
  pool-observer dashboards grafana/dashboards --selector 'namespace="shop"' --keep cluster
  pool-observer dashboards grafana/dashboards --threshold slow_wait=1 --check

{_STATUSES}"""

_RULES = f"""\
examples:
  pool-observer rules alerts --threshold slow_wait=1 --threshold idle_capacity_ratio=0.5
  pool-observer rules alerts --selector 'namespace="shop"' --keep cluster --keep namespace
  pool-observer rules alerts --grafana-url https://grafana.example.com --check

{_STATUSES}"""

_NAMES = tuple(dict.fromkeys(alert.name for alert in ALERTS))

_RUNBOOK = f"""\
alerts:
  {f"{chr(10)}  ".join(_NAMES)}

examples:
  pool-observer runbook ConnectionPoolExhausted
  pool-observer runbook ConnectionPoolExhausted --threshold full_for=60
  pool-observer runbook > runbooks.md

exit status: 0 printed, 2 it could not be written, 130 interrupted
"""

_DEFAULTS = Settings()


def add_parsers(subparsers: Any) -> None:
    """Add the commands to those of `pool-observer`."""
    _add_writer(
        subparsers,
        "dashboards",
        "write the Grafana dashboards",
        "Dashboards for Grafana, to be imported by hand or provisioned.",
        _DASHBOARDS,
    )
    _add_writer(
        subparsers,
        "rules",
        "write the Prometheus rules, alerts and runbooks",
        "Recording and alerting rules for Prometheus and for its Kubernetes operator,\n"
        "inhibition rules for Alertmanager, and the runbooks with the same figures.",
        _RULES,
    )
    runbook = subparsers.add_parser(
        "runbook",
        help="print what an alert means, and what to do",
        description="What an alert means, whom it hurts, how to find the cause, and the mend.",
        epilog=_RUNBOOK,
    )
    runbook.add_argument(
        "alert", nargs="?", choices=_NAMES, metavar="ALERT", help="its name (default: all of them)"
    )
    _add_settings(runbook)


def run(options: argparse.Namespace) -> int:
    """Write what was asked for; returns the exit status."""
    try:
        settings = _settings(options)
        if options.command == "runbook":
            shown = section(options.alert, settings) if options.alert else runbooks(settings)
            return put("runbook", shown)
        files: Callable[[Settings], dict[str, str]] = (
            rule_files if options.command == "rules" else dashboard_files
        )
        wanted = {options.folder / name: text for name, text in files(settings).items()}
    except ValueError as error:
        return complain(options.command, error)
    return (compare_files if options.check else write_files)(options.command, wanted)


def _add_writer(subparsers: Any, name: str, short: str, description: str, examples: str) -> None:
    parser: argparse.ArgumentParser = subparsers.add_parser(
        name,
        help=short,
        description=description,
        epilog=examples,
    )
    parser.add_argument("folder", type=_folder, help="where to write them; made if need be")
    parser.add_argument(
        "--check",
        action="store_true",
        help="write nothing; fail if the files there are not what would be written (for CI)",
    )
    _add_settings(parser)


def _add_settings(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--threshold",
        type=_threshold,
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="another limit, in seconds, as a ratio (0..1) or as a count; may be repeated. Names: "
        + ", ".join(WATCHED),
    )
    parser.add_argument(
        "--selector",
        default="",
        metavar="LABELS",
        help="ask only for series with these labels, such as 'namespace=\"shop\"'",
    )
    parser.add_argument(
        "--job-label",
        default=_DEFAULTS.job_label,
        metavar="LABEL",
        help="the label that names a service (default: %(default)s)",
    )
    parser.add_argument(
        "--instance-label",
        default=_DEFAULTS.instance_label,
        metavar="LABEL",
        help="the label that names one of its processes (default: %(default)s)",
    )
    parser.add_argument(
        "--keep",
        action="append",
        default=[],
        metavar="LABEL",
        help="a label that tells apart services of the same name, such as cluster; may be repeated",
    )
    parser.add_argument(
        "--name",
        default=_DEFAULTS.name,
        help="what groups of rules and recorded series are called after; another one for each set "
        "of rules with a selector and limits of its own (default: %(default)s)",
    )
    parser.add_argument(
        "--datasource",
        default="",
        metavar="UID",
        help="the Prometheus that the dashboards begin with (default: Grafana's)",
    )
    parser.add_argument(
        "--grafana-url",
        default=_DEFAULTS.grafana_url,
        metavar="URL",
        help="where alerts find the dashboards (default: %(default)s)",
    )
    parser.add_argument(
        "--runbook-url",
        default=_DEFAULTS.runbook_url,
        metavar="URL",
        help="where alerts find the runbooks (default: %(default)s)",
    )
    parser.add_argument(
        "--max-connections",
        type=int,
        metavar="NUMBER",
        help="what the database server takes, where no probe asks it",
    )


def _settings(options: argparse.Namespace) -> Settings:
    return Settings(
        thresholds=replace(Thresholds(), **dict(options.threshold)),
        selector=options.selector,
        job_label=options.job_label,
        instance_label=options.instance_label,
        keep=tuple(options.keep),
        name=options.name,
        datasource=options.datasource,
        grafana_url=options.grafana_url,
        runbook_url=options.runbook_url,
        max_connections=options.max_connections,
    )


def _folder(text: str) -> Path:
    if not text:
        raise argparse.ArgumentTypeError("say which, such as . for this one")
    return Path(text)


def _threshold(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    if name not in WATCHED:
        close = nearest(name, WATCHED)
        but = f", but {close}" if close else ""
        raise argparse.ArgumentTypeError(f"nothing here has a threshold {name!r}{but}")
    try:
        return name, float(value)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{name} must be a number, not {value!r}") from None
