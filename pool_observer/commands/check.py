"""`pool-observer check app.db:engine`: the audit on the command line, and in CI."""

from __future__ import annotations

import argparse
import sys
import textwrap
from pathlib import Path
from typing import Any

from sqlalchemy.engine import Engine

from pool_observer.audit.auditing import audit
from pool_observer.audit.complaints import in_a_line
from pool_observer.audit.facts import Deployment
from pool_observer.audit.finding import Finding, Severity
from pool_observer.audit.gathering import distinct, name_by_url
from pool_observer.audit.loading import (
    LoadingError,
    factories_beside,
    is_app,
    is_engine,
    is_factory,
    load,
    look_in,
)
from pool_observer.audit.rendering import as_github, as_json, as_text
from pool_observer.audit.rules import RULES
from pool_observer.commands.parsing import DONE, FOUND, INTERRUPTED, complain
from pool_observer.commands.reporting import standard_output_kept
from pool_observer.commands.writing import cannot_be
from pool_observer.server import ServerState
from pool_observer.wiring import observers_in_use

_FORMATS = {"text": as_text, "json": as_json, "github": as_github}
_NEVER = "never"

_DESCRIPTION = """\
Says what is wrong with an engine's configuration, before it hurts. Imports your
modules as your server does, and asks the database server for its limits unless
--no-connect is given.
"""

_CODES = textwrap.wrap(", ".join(RULES), 76, break_on_hyphens=False)

_EPILOG = f"""\
examples:
  pool-observer check app.db:engine --app app.main:app --workers 4 --replicas 3
  pool-observer check app.db:engine --no-connect --max-connections 100
  pool-observer check app.db:engine --format github --fail-on warning

findings, as docs/audit.md explains them, and --ignore takes them:
  {f"{chr(10)}  ".join(_CODES)}

exit status: 0 there is no finding as bad as --fail-on, 1 there is, 2 it could
not be run or written, 130 interrupted
"""


def add_parser(subparsers: Any) -> None:
    """Describe the command to `pool-observer`."""
    parser = subparsers.add_parser(
        "check",
        help="say what is wrong with an engine's configuration",
        description=_DESCRIPTION,
        epilog=_EPILOG,
    )
    parser.add_argument(
        "engine",
        nargs="+",
        metavar="module:engine",
        help="an engine, or what returns one; all that a process has, the main one first",
    )
    parser.add_argument("--app", metavar="module:app", help="the FastAPI or Starlette application")
    parser.add_argument(
        "--sessions",
        action="append",
        default=[],
        metavar="module:factory",
        help="a sessionmaker; those beside the engine are found",
    )
    parser.add_argument(
        "--app-dir",
        default="",
        metavar="FOLDER",
        help="where your modules are, as uvicorn has it (default: this one)",
    )
    known = parser.add_argument_group("how it is run")
    known.add_argument("--workers", type=int, default=1, help="processes of a replica (default: 1)")
    known.add_argument("--replicas", type=int, default=1, help="pods or machines (default: 1)")
    known.add_argument("--max-connections", type=int, help="what the server takes, of everybody")
    known.add_argument("--reserved-connections", type=int, help="of these, not for ordinary roles")
    known.add_argument(
        "--proxy-idle-timeout",
        type=float,
        metavar="SECONDS",
        help="when a proxy or NAT drops an idle connection",
    )
    known.add_argument(
        "--request-timeout",
        type=float,
        metavar="SECONDS",
        help="when whoever sends a request gives up",
    )
    known.add_argument("--threads", type=int, help="AnyIO's threads, if you have set them")
    known.add_argument(
        "--pgbouncer",
        action=argparse.BooleanOptionalAction,
        help="whether there is a PgBouncer in transaction mode in between",
    )
    known.add_argument(
        "--pgbouncer-keeps-statements",
        action="store_true",
        help="its max_prepared_statements is above 0",
    )
    known.add_argument("--serverless", action="store_true", help="a process serves one request")
    parser.add_argument("--no-connect", action="store_true", help="do not ask the database server")
    parser.add_argument("--format", choices=tuple(_FORMATS), default="text")
    parser.add_argument(
        "--fail-on",
        choices=(*(severity.value for severity in Severity), _NEVER),
        default=Severity.ERROR.value,
        help="the least finding that fails (default: error)",
    )
    parser.add_argument(
        "--ignore",
        action="append",
        default=[],
        choices=tuple(RULES),
        metavar="CODE",
        help="leave out what you mean to be so",
    )


def run(options: argparse.Namespace) -> int:
    """Check what was named; returns the exit status."""
    try:
        with standard_output_kept() as write:
            findings, pools = _checked(options)
            report = _FORMATS[options.format](findings, pools)
            try:
                write(report)
            except OSError as error:
                return complain("check", cannot_be("written", error))
        return FOUND if _fails(findings, options.fail_on) else DONE
    except KeyboardInterrupt:
        return INTERRUPTED
    except LoadingError as error:
        return complain("check", error)
    except BaseException as error:  # a traceback's status says that something was found
        return complain("check", in_a_line(error))


def _checked(options: argparse.Namespace) -> tuple[tuple[Finding, ...], list[str]]:
    """What was found, and the names of the pools."""
    deployment = _deployment(options)
    if not Path(options.app_dir).is_dir():
        raise LoadingError(
            f"there is no folder {options.app_dir!r}; --app-dir is where your modules are"
        )
    look_in(options.app_dir)
    targets = {target: load(target, is_engine, "an engine") for target in options.engine}
    app = None if options.app is None else load(options.app, is_app, "an application")
    sessions = [load(each, is_factory, "a session factory") for each in options.sessions]
    for target, engine in targets.items():
        beside = factories_beside(target, engine)
        sessions += [each for each in beside if all(each is not known for known in sessions)]
    engines = distinct(targets.values())
    server = None if options.no_connect else _asked(engines[0], options)
    findings = audit(
        engines, app, sessions=sessions, deployment=deployment, server=server, name_of=_name_of
    )
    wanted = tuple(each for each in findings if each.code not in options.ignore)
    return wanted, list(dict.fromkeys(map(_name_of, engines)))


def _name_of(engine: Engine) -> str:
    """As its observer has it, if it is observed."""
    observers = (each for each in observers_in_use() if each.observes(engine.pool))
    return next((each.name for each in observers), name_by_url(engine))


def _deployment(options: argparse.Namespace) -> Deployment:
    try:
        return _described(options)
    except (TypeError, ValueError) as error:
        raise LoadingError(str(error)) from error


def _described(options: argparse.Namespace) -> Deployment:
    return Deployment(
        workers=options.workers,
        replicas=options.replicas,
        max_connections=options.max_connections,
        reserved_connections=options.reserved_connections,
        proxy_idle_timeout=options.proxy_idle_timeout,
        request_timeout=options.request_timeout,
        threads=options.threads,
        pgbouncer=options.pgbouncer,
        pgbouncer_keeps_statements=options.pgbouncer_keeps_statements,
        serverless=options.serverless,
    )


def _asked(engine: Engine, options: argparse.Namespace) -> ServerState | None:
    """What the server says; a line for people if it does not answer."""
    from pool_observer.probe.refusals import in_a_sentence
    from pool_observer.probe.starting import look_once

    try:
        return look_once(engine)
    except Exception as error:
        said = f"{_name_of(engine)} was not asked for its limits ({in_a_sentence(error)})"
        if options.max_connections is None:
            said += "; say --max-connections, or --no-connect"
        print(said, file=sys.stderr)
        return None


def _fails(findings: tuple[Finding, ...], level: str) -> bool:
    if level == _NEVER:
        return False
    severities = list(Severity)
    least = severities.index(Severity(level))
    return any(severities.index(finding.severity) <= least for finding in findings)
