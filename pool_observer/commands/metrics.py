"""`pool-observer metrics`: the reference of all metrics."""

from __future__ import annotations

import argparse
from typing import Any

from pool_observer.commands.parsing import put

_EXAMPLES = """\
examples:
  pool-observer metrics | less
  pool-observer metrics > docs/metrics.md

exit status: 0 printed, 2 it could not be written, 130 interrupted
"""


def add_parser(subparsers: Any) -> None:
    """Add the command to those of `pool-observer`."""
    subparsers.add_parser(
        "metrics",
        help="print the reference of all metrics",
        description="Every metric, with its labels and what it answers, as Markdown.",
        epilog=_EXAMPLES,
    )


def run(options: argparse.Namespace) -> int:  # noqa: ARG001 (it has none)
    """Print it; returns the exit status."""
    from pool_observer.prometheus.reference import markdown

    return put("metrics", markdown())
