"""How all commands take their arguments, and say what is wrong with them."""

from __future__ import annotations

import argparse
import difflib
import re
import sys
from collections.abc import Iterable
from typing import Any, NoReturn

from pool_observer.commands.writing import cannot_be, forget, write
from pool_observer.wording import LONGEST, one_line

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
            wrong = next((each for each in left if each.startswith("-")), "").partition("=")[0]
            close = nearest(wrong, self._option_string_actions)
            self.error(
                f"unrecognized arguments: {' '.join(left)}", close and f"did you mean {close}?"
            )
        return options, left

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        """Argparse would name all choices, however many there are."""
        if action.choices is not None and value not in action.choices:
            wrong = argparse.ArgumentError(action, f"there is no {value!r}")
            self.error(str(wrong), instead_of(str(value), map(str, action.choices)))

    def error(self, message: str, mend: str | None = None) -> NoReturn:
        _complain(self.prog, f"{one_line(message)}; {mend or f'see {self.prog} --help'}")
        self.exit(FAILED)

    def print_help(self, file: Any = None) -> None:
        """Argparse would not say that it cannot be written."""
        if file is not None:
            super().print_help(file)
            return
        try:
            write(self.format_help())
        except OSError as error:
            _complain(self.prog, cannot_be("written", error))
            self.exit(FAILED)


def nearest(given: str, known: Iterable[str]) -> str | None:
    """The one that was probably meant, in capitals or not."""
    names = {each.lstrip("-").casefold(): each for each in known}
    close = difflib.get_close_matches(given.lstrip("-").casefold(), names, n=1)
    return names[close[0]] if close else None


def instead_of(given: str, known: Iterable[str]) -> str | None:
    """What there is instead, if that can be said in a line."""
    known = list(known)
    close = nearest(given, known)
    if close is not None:
        return f"did you mean {close}?"
    everything = f"there is {', '.join(known)}"
    return everything if len(everything) <= LONGEST else None


def put(command: str | None, text: str) -> int:
    """Print what a command has to say; returns the exit status."""
    try:
        write(text)
    except OSError as error:
        return complain(command, cannot_be("written", error))
    return DONE


def complain(command: str | None, said: object) -> int:
    """One line on standard error; returns the exit status."""
    _complain("pool-observer" if command is None else f"pool-observer {command}", said)
    return FAILED


def _complain(program: str, said: object) -> None:
    if sys.stderr is None:  # Python would print it on standard output
        return
    try:
        print(f"{program}: {said}", file=sys.stderr, flush=True)
    except OSError:  # there is nobody else to tell
        forget(sys.stderr)


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
