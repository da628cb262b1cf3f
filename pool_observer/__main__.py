"""`python -m pool_observer` and `pool-observer`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from pool_observer.commands.catalogue import asked_for, module_of, parser, unknown, version
from pool_observer.commands.parsing import DONE, FAILED, INTERRUPTED
from pool_observer.commands.reporting import leave
from pool_observer.commands.writing import forget


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit status."""
    if arguments is not None:
        return _run(arguments)
    try:
        return _run(sys.argv[1:], is_program=True)
    except KeyboardInterrupt:
        return INTERRUPTED
    finally:
        _flush()


def _run(arguments: Sequence[str], *, is_program: bool = False) -> int:
    command = asked_for(arguments)
    module = None if command is None else module_of(command)
    program = parser(lambda each: each is module or command == "completion")
    if command is None:
        if program.parse_args(arguments).version:
            print(f"pool-observer {version()}")
            return DONE
        program.print_help()
        return FAILED
    if module is None:
        print(f"pool-observer: {unknown(command)}", file=sys.stderr)
        return FAILED
    options = program.parse_args(arguments)
    loaded = module.load()
    if command == "completion":
        return int(loaded.run(options, program))
    status = int(loaded.run(options))
    if command == "check" and is_program:
        leave(status)
    return status


def _flush() -> None:
    """What argparse has printed, too, goes where it can: Python would complain when it ends."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        forget()


if __name__ == "__main__":
    sys.exit(main())
