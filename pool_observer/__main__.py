"""`python -m pool_observer` and `pool-observer`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from pool_observer.commands.catalogue import asked_for, module_of, parser, unknown, version
from pool_observer.commands.parsing import FAILED, INTERRUPTED, complain, put
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
        _let_go()


def _run(arguments: Sequence[str], *, is_program: bool = False) -> int:
    command = asked_for(arguments)
    module = None if command is None else module_of(command)
    program = parser(lambda each: each is module or command == "completion")
    if command is None:
        if program.parse_args(arguments).version:
            return put(None, f"pool-observer {version()}\n")
        program.print_help()
        return FAILED
    if module is None:
        return complain(None, unknown(arguments))
    options = program.parse_args(arguments)
    loaded = module.load()
    if command == "completion":
        return int(loaded.run(options, program))
    status = int(loaded.run(options))
    if command == "check" and is_program:
        leave(status)
    return status


def _let_go() -> None:
    """What could not be written has been said by then: Python would try again when it ends."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        forget(sys.stdout)


if __name__ == "__main__":
    sys.exit(main())
