"""`pool-observer top`: who holds connections, again and again."""

from __future__ import annotations

import argparse
import importlib.util
import os
import shutil
import signal
import sys
from typing import Any

from pool_observer.advice.asking import Asker, checked, without_credentials
from pool_observer.advice.measurement import CannotMeasureError
from pool_observer.commands.parsing import DONE, INTERRUPTED, add_asking, complain, seconds
from pool_observer.commands.writing import write
from pool_observer.terminal import plain
from pool_observer.terminal.faults import sendable
from pool_observer.terminal.groups import Order
from pool_observer.terminal.screen import Wanted
from pool_observer.terminal.styling import Line

_DESCRIPTION = """\
Who holds the connections of a running service, by route and line, and who waits:
like top, for pools. Where standard output is no terminal, or TERM is dumb, it
prints a block of plain lines each time.
"""

_EXAMPLES = """\
keys: q quits, p pauses, s sorts by connections or by age

examples:
  pool-observer top http://localhost:8000/debug/pools
  pool-observer top http://localhost:8000/debug/pools --pool orders --interval 5
  pool-observer top http://localhost:8000/debug/pools | tee incident.txt
  ssh server pool-observer top http://localhost:8000/debug/pools --once

exit status: 0 it was quit, 2 it could not be asked or written, 130 interrupted
"""

WIDTH = 120
"""Columns where there is no terminal, and no COLUMNS in the environment."""


def add_parser(subparsers: Any) -> None:
    """Add the command to those of `pool-observer`."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "top",
        help="watch who holds connections, in the terminal",
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
    )
    parser.add_argument("url", help="of a live page: observe(..., debug_path=...)")
    parser.add_argument("--pool", metavar="NAME", help="only this pool (default: all)")
    parser.add_argument(
        "--interval",
        type=seconds,
        default=1.0,
        metavar="SECONDS",
        help="how often to ask (default: 1)",
    )
    parser.add_argument(
        "--sort",
        choices=tuple(each.value for each in Order),
        default=Order.CONNECTIONS.value,
        help="what comes first (default: connections)",
    )
    parser.add_argument("--once", action="store_true", help="print one block, and end")
    parser.add_argument(
        "--no-color", action="store_true", help="no colours, as with NO_COLOR in the environment"
    )
    add_asking(parser)


def run(options: argparse.Namespace) -> int:
    """Watch until somebody quits; returns the exit status."""
    try:
        return _watch(options)
    except CannotMeasureError as error:
        return complain("top", error)
    except OSError as error:
        return complain("top", f"cannot be written: {error.strerror}")
    except KeyboardInterrupt:
        return INTERRUPTED


def _watch(options: argparse.Namespace) -> int:
    url = sendable(options.url)
    wanted = Wanted(without_credentials(checked(options.url)), options.pool, Order(options.sort))
    asker = Asker(dict(options.header), options.timeout)
    colour = _is_terminal() and not options.no_color and not os.environ.get("NO_COLOR")
    if _is_terminal() and not options.once and importlib.util.find_spec("termios"):
        return _live(asker, url, wanted, options.interval, colour=colour)
    width = shutil.get_terminal_size(fallback=(WIDTH, 24)).columns

    def show(lines: list[Line]) -> None:
        shown = (line.codes(colour=colour) if _is_terminal() else line.text for line in lines)
        if not write("".join(f"{each}\n" for each in (*shown, *([] if options.once else [""])))):
            raise BrokenPipeError

    try:
        if options.once:
            plain.once(asker, url, wanted, width, show)
        else:
            plain.again_and_again(asker, url, wanted, options.interval, width, show)
    except BrokenPipeError:  # nobody reads any more
        return DONE
    return DONE


def _live(asker: Asker, url: str, wanted: Wanted, interval: float, *, colour: bool) -> int:
    from pool_observer.terminal.console import Console, EndedError
    from pool_observer.terminal.live import live

    keys = sys.stdin.fileno() if sys.stdin is not None and sys.stdin.isatty() else None
    console = Console(sys.stdout.fileno(), keys, sys.stdout.encoding, colour=colour)
    try:
        with console:
            live(console, asker, url, wanted, interval)
    except EndedError as error:  # now that the terminal is as it was
        signal.signal(error.number, signal.SIG_DFL)
        os.kill(os.getpid(), error.number)
    return DONE


def _is_terminal() -> bool:
    """Whether it is one that can be drawn on."""
    known = os.environ.get("TERM", "") not in ("", "dumb")
    return known and sys.stdout is not None and sys.stdout.isatty()
