"""How all commands take their arguments, and say what is wrong with them."""

from __future__ import annotations

import argparse
import re
import sys
from typing import Any, NoReturn

from pool_observer.wording import one_line

DONE, FOUND, FAILED, INTERRUPTED = 0, 1, 2, 130
"""Exit statuses of all commands: it is done; it is, and the answer is the one that a script wants
to hear of; it could not be done; somebody had no more patience."""


class _Formatter(argparse.RawDescriptionHelpFormatter):
    def __init__(self, prog: str) -> None:
        super().__init__(prog)
        # It forgets that commands are indented, and would put the longest on a line of its own.
        self._action_max_length = 16


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, and where the mend is."""

    def __init__(self, **settings: Any) -> None:
        settings["formatter_class"] = _Formatter
        super().__init__(**settings)

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Of a command, too, no argument is left over: who has all of them names the wrong one."""
        options, left = super().parse_known_args(args, namespace)
        if left:
            self.error(f"unrecognized arguments: {' '.join(left)}")
        return options, left

    def error(self, message: str) -> NoReturn:
        self.exit(FAILED, f"{self.prog}: {one_line(message)}; see {self.prog} --help\n")


def complain(command: str, said: object) -> int:
    """One line on standard error; returns the exit status."""
    print(f"pool-observer {command}: {said}", file=sys.stderr)
    return FAILED


def add_asking(parser: argparse.ArgumentParser) -> None:
    """The options of whatever asks an address."""
    parser.add_argument(
        "--header",
        type=header,
        action="append",
        default=[],
        metavar="'NAME: VALUE'",
        help="send this header too, for debug_auth or a proxy; may be repeated",
    )
    parser.add_argument(
        "--timeout",
        type=seconds,
        default=10.0,
        metavar="SECONDS",
        help="how long to wait for an answer (default: 10)",
    )


def header(given: str) -> tuple[str, str]:
    """A header's name and value."""
    name, colon, value = given.partition(":")
    name, value = name.strip(), value.strip()
    # What is wrong with it is not repeated: it may be a secret.
    if not colon or not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name):
        raise argparse.ArgumentTypeError("must be like 'Name: value'")
    if not value.isprintable() or not value.isascii():
        raise argparse.ArgumentTypeError("must have a value of printable ASCII characters")
    return name, value


def seconds(given: str) -> float:
    """A time that somebody may wait for."""
    try:
        value = float(given)
    except ValueError:
        value = 0.0
    if not 0 < value <= 3600:
        raise argparse.ArgumentTypeError("must be a number of seconds above 0, and 3600 at most")
    return value
