"""`python -m pool_observer` and `pool-observer`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from pool_observer.commands import advise, check, monitoring
from pool_observer.commands.reporting import leave


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="pool-observer",
        description="Who is holding our database connections, why, and what do we change?",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    demo = commands.add_parser("demo", help="watch the classic bug on a real PostgreSQL")
    demo.add_argument(
        "--seconds",
        type=_seconds,
        default=6,
        help="how long each of its two acts lasts (default: 6)",
    )
    check.add_parser(commands)
    advise.add_parser(commands)
    monitoring.add_parsers(commands)
    commands.add_parser("metrics", help="print the reference of all metrics, as Markdown")
    options = parser.parse_args(arguments)
    if options.command == "check":
        status = check.run(options)
        if arguments is None:
            leave(status)
        return status
    if options.command == "advise":
        return advise.run(options)
    if options.command in ("dashboards", "rules", "runbook"):
        return monitoring.run(options)
    return _metrics() if options.command == "metrics" else _demo(options.seconds)


def _metrics() -> int:
    from pool_observer.prometheus.reference import markdown

    print(markdown(), end="")
    return 0


def _demo(seconds: int) -> int:
    from pool_observer.demo.database import MissingExtraError
    from pool_observer.demo.run import demo as run_demo

    try:
        run_demo(seconds)
    except MissingExtraError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _seconds(value: str) -> int:
    seconds = int(value)
    if seconds < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return seconds


if __name__ == "__main__":
    sys.exit(main())
