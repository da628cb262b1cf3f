"""All commands of `pool-observer`: which module has them, and what they do in a few words.

Only the one that is asked for is imported: what the others need takes longer than their help.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from typing import Any

from pool_observer.commands.parsing import Parser, instead_of, nearest
from pool_observer.wording import one_line

_DESCRIPTION = "Who is holding our database connections, why, and what do we change?"

_EPILOG = """\
first steps:
  pool-observer demo                    see it on a service that has the fault
  pool-observer check app.db:engine     what is wrong with your configuration
  pool-observer top http://localhost:8000/debug/pools
                                        your service, with observe(engine, app,
                                        debug_path="/debug/pools")

Each command has examples: pool-observer COMMAND --help
exit status: 0 done, 1 done, and the answer is no, 2 could not be done,
130 interrupted
"""


@dataclass(frozen=True, slots=True)
class Module:
    """Commands that are written in the same module."""

    name: str
    commands: dict[str, str] = field(hash=False)
    """By name, and what each does."""
    adds: str = "add_parser"
    """What of it adds them."""

    def load(self) -> Any:
        return importlib.import_module(self.name)


MODULES = (
    Module(
        "pool_observer.demo.command",
        {"demo": "watch the classic outage and its mend, on a real PostgreSQL"},
    ),
    Module(
        "pool_observer.demo.load_command",
        {"load": "ask a service as the demo's users do, and say how it answered"},
    ),
    Module("pool_observer.commands.top", {"top": "watch who holds connections, in the terminal"}),
    Module("pool_observer.commands.snapshot", {"snapshot": "print who holds connections now"}),
    Module(
        "pool_observer.commands.check",
        {"check": "say what is wrong with an engine's configuration"},
    ),
    Module(
        "pool_observer.commands.advise",
        {"advise": "what to mend, and what pool size is needed, from measurement"},
    ),
    Module(
        "pool_observer.commands.monitoring",
        {
            "dashboards": "write the Grafana dashboards",
            "rules": "write the Prometheus rules, alerts and runbooks",
            "runbook": "print what an alert means, and what to do",
        },
        "add_parsers",
    ),
    Module("pool_observer.commands.metrics", {"metrics": "print the reference of all metrics"}),
    Module(
        "pool_observer.commands.completion",
        {"completion": "print what a shell needs to complete these commands"},
    ),
)


def asked_for(arguments: Sequence[str]) -> str | None:
    """The command that is named; None if none is."""
    return next((each for each in arguments if not each.startswith("-")), None)


def module_of(command: str) -> Module | None:
    return next((module for module in MODULES if command in module.commands), None)


def parser(wanted: Callable[[Module], bool]) -> Parser:
    """For these modules' commands in full; the others are named only."""
    program = Parser(prog="pool-observer", description=_DESCRIPTION, epilog=_EPILOG)
    program.add_argument("--version", action="store_true", help="print the version, and end")
    commands = program.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    for module in MODULES:
        if wanted(module):
            getattr(module.load(), module.adds)(commands)
            continue
        for name, summary in module.commands.items():
            commands.add_parser(name, help=summary, add_help=False)
    return program


def unknown(arguments: Sequence[str]) -> str:
    """What is wrong with the command that is named, and the mend."""
    command, *more = (each for each in arguments if not each.startswith("-"))
    names = [name for module in MODULES for name in module.commands]
    if command.casefold() == "version":
        mend: str | None = "see pool-observer --version"
    elif command.casefold() == "help":
        about = nearest(more[0], names) if more else None
        mend = f"see pool-observer {about} --help" if about else "see pool-observer --help"
    else:
        mend = instead_of(command, names)
    return f"{one_line(f'there is no command {command!r}')}; {mend}"


def version() -> str:
    """Ours, as it is installed."""
    try:
        return metadata.version("pool-observer")
    except metadata.PackageNotFoundError:  # a copy of the sources
        return "of unknown version"
