"""Runs the command as the command line does."""

from __future__ import annotations

import argparse

from pool_observer.commands import advise


def command(*arguments: str) -> int:
    """The exit status."""
    parser = argparse.ArgumentParser(prog="pool-observer")
    advise.add_parser(parser.add_subparsers(dest="command", required=True))
    return advise.run(parser.parse_args(["advise", *arguments]))
