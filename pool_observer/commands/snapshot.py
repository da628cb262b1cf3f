"""`pool-observer snapshot`: who holds connections now, for a person or for a script."""

from __future__ import annotations

import argparse
import json
from typing import Any

from pool_observer.advice.asking import Asker, checked, without_credentials
from pool_observer.advice.measurement import CannotMeasureError
from pool_observer.commands.parsing import (
    DONE,
    FOUND,
    INTERRUPTED,
    add_asking,
    complain,
)
from pool_observer.commands.writing import write
from pool_observer.terminal.asking import document, understood
from pool_observer.terminal.faults import sendable
from pool_observer.terminal.report import report

_DESCRIPTION = """\
Who holds the connections of a running service now, who waits, where they stand,
what is wrong and what mends it. One worker process answers.
"""

_EXAMPLES = """\
examples:
  pool-observer snapshot http://localhost:8000/debug/pools
  pool-observer snapshot http://localhost:8000/debug/pools --pool orders --json | jq .
  pool-observer snapshot https://shop.example.com/debug/pools --header 'X-Debug-Token: ...'

exit status: 0 nobody is kept waiting, 1 somebody waits, or gave up or failed in
the last minute, or a pool is full, or an event loop blocked, 2 it could not be
asked or written, 130 interrupted
"""


def add_parser(subparsers: Any) -> None:
    """Add the command to those of `pool-observer`."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "snapshot",
        help="print who holds connections now",
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
    )
    parser.add_argument("url", help="of a live page: observe(..., debug_path=...)")
    parser.add_argument("--pool", metavar="NAME", help="only this pool (default: all)")
    parser.add_argument("--json", action="store_true", help="print the page's JSON, for scripts")
    add_asking(parser)


def run(options: argparse.Namespace) -> int:
    """Ask and print; returns the exit status."""
    try:
        asker = Asker(dict(options.header), options.timeout)
        said = document(asker, sendable(options.url))
        answer = understood(said)
        pools = answer.demand(options.pool)
    except CannotMeasureError as error:
        return complain("snapshot", error)
    except KeyboardInterrupt:
        return INTERRUPTED
    if options.json:
        wanted = [pool for pool in said["pools"] if options.pool in (None, pool["name"])]
        shown = json.dumps(said | {"pools": wanted}, indent=2) + "\n"
    else:
        shown = report(answer, pools, without_credentials(checked(options.url)))
    try:
        write(shown)
    except OSError as error:
        return complain("snapshot", f"cannot be written: {error.strerror}")
    return FOUND if any(pool.in_trouble for pool in pools) else DONE
