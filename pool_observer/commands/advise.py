"""`pool-observer advise`: what to mend, and what size of pool is needed, from measurement."""

from __future__ import annotations

import argparse
import json
import re
from typing import Any

from pool_observer.advice.advising import advise
from pool_observer.advice.as_json import as_json
from pool_observer.advice.asking import Asker
from pool_observer.advice.measurement import CannotMeasureError
from pool_observer.advice.source import measurement_of
from pool_observer.advice.text import text
from pool_observer.commands.parsing import add_asking, complain, put

GIVEN, NO_BASE, FAILED, INTERRUPTED = 0, 1, 2, 130
"""Exit statuses: at least one pool was advised on; nothing was measured long enough, or there is
no pool; there was no answer to be had, or no writing it; nobody wanted to wait for one."""

_EXAMPLES = """\
examples:
  pool-observer advise http://localhost:8000/debug/pools --workers 4
  pool-observer advise http://localhost:8000/debug/pools --header 'X-Debug-Token: ...'
  pool-observer advise http://prometheus:9090 --window 1d --selector 'job="orders"'

exit status: 0 there is advice, 1 too little was measured, 2 it could not be
asked or written, 130 interrupted
"""

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_LONGEST_WINDOW = 90 * 86400


def add_parser(subparsers: Any) -> None:
    """Add the command to those of `pool-observer`."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "advise",
        help="what to mend, and what pool size is needed, from measurement",
        description="What to mend, what size of pool is needed before and after, and what\n"
        "PgBouncer would need: from the figures of a running service, calculations shown.",
        epilog=_EXAMPLES,
    )
    parser.add_argument(
        "url", help="of a live page (observe(..., debug_path=...)), or of a Prometheus"
    )
    parser.add_argument(
        "--window",
        type=_window,
        default=3600,
        metavar="TIME",
        help="Prometheus: how far to look back, such as 90s, 30m, 1h or 7d (default: 1h)",
    )
    parser.add_argument(
        "--selector",
        default="",
        metavar="LABELS",
        help="Prometheus: only series with these labels, such as 'job=\"orders\"'",
    )
    parser.add_argument(
        "--workers",
        type=_workers,
        metavar="NUMBER",
        help="how many worker processes there are in all, if you know; a live page is asked by "
        "chance, and not all of them may be met",
    )
    parser.add_argument(
        "--if-released",
        action="append",
        default=[],
        metavar="HOLDER",
        help="reckon with this route's mend, such as 'POST /chat', rather than with those that "
        "are worth it; may be repeated",
    )
    add_asking(parser)
    parser.add_argument("--json", action="store_true", help="print JSON, for scripts")


def run(options: argparse.Namespace) -> int:
    """Ask, reckon and print; returns the exit status."""
    asker = Asker(dict(options.header), options.timeout)
    try:
        measurement = measurement_of(
            options.url, asker, options.window, options.selector, options.workers
        )
        advice = advise(measurement, released=options.if_released)
    except CannotMeasureError as error:
        return complain("advise", error)
    except KeyboardInterrupt:
        return INTERRUPTED
    if options.json:
        figures = as_json(advice, measurement.source) | {"remarks": list(measurement.remarks)}
        shown = json.dumps(figures, indent=2)
    else:
        shown = text(advice, measurement.source, remarks=measurement.remarks)
    if put("advise", f"{shown}\n") == FAILED:
        return FAILED
    if not advice:
        complain("advise", "no pool is observed there")
    return GIVEN if any(each.refusal is None for each in advice) else NO_BASE


def _window(given: str) -> int:
    match = re.fullmatch(r"([1-9][0-9]{0,7})([smhd])", given)
    if match is None or int(match[1]) * _UNITS[match[2]] > _LONGEST_WINDOW:
        raise argparse.ArgumentTypeError("must be like 90s, 30m, 1h or 7d, and 90 days at most")
    return int(match[1]) * _UNITS[match[2]]


def _workers(given: str) -> int:
    if not re.fullmatch(r"[1-9][0-9]{0,3}", given):
        raise argparse.ArgumentTypeError("must be a number of 1 or more")
    return int(given)
