"""`pool-observer completion`: what a shell needs in order to complete our commands."""

from __future__ import annotations

import argparse
from typing import Any

from pool_observer.commands.described import described
from pool_observer.commands.parsing import put
from pool_observer.commands.shells import SHELLS

_EXAMPLES = """\
examples:
  eval "$(pool-observer completion bash)"     in ~/.bashrc
  eval "$(pool-observer completion zsh)"      in ~/.zshrc, after compinit
  pool-observer completion fish > ~/.config/fish/completions/pool-observer.fish

exit status: 0 printed, 2 it could not be written, 130 interrupted
"""


def add_parser(subparsers: Any) -> None:
    """Add the command to those of `pool-observer`."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "completion",
        help="print what a shell needs to complete these commands",
        description="A script for your shell, with which Tab completes commands and options.",
        epilog=_EXAMPLES,
    )
    parser.add_argument("shell", choices=tuple(SHELLS), help="whose script to print")


def run(options: argparse.Namespace, everything: argparse.ArgumentParser) -> int:
    """Print the script for all commands that this parser knows; returns the exit status."""
    return put("completion", SHELLS[options.shell](*described(everything)))
