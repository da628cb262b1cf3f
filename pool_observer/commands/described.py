"""What can be typed after `pool-observer`, read from its parser: for a shell to complete."""

from __future__ import annotations

import argparse
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Option:
    """One that has a long name."""

    flags: tuple[str, ...]
    help: str
    takes: str | None
    """What its value is; None if it has none."""
    choices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Described:
    """A command."""

    name: str
    summary: str
    options: tuple[Option, ...]
    choices: tuple[str, ...]
    """What else it may be given; empty if that can be anything."""

    @property
    def flags(self) -> tuple[str, ...]:
        return tuple(flag for option in self.options for flag in option.flags)


def described(parser: argparse.ArgumentParser) -> tuple[Described, list[Described]]:
    """The program itself, and its commands."""
    commands = next(
        action for action in parser._actions if isinstance(action, argparse._SubParsersAction)
    )
    summaries = {each.dest: each.help or "" for each in commands._choices_actions}
    return _described("", "", parser), [
        _described(name, summaries[name], each) for name, each in commands.choices.items()
    ]


def _described(name: str, summary: str, parser: argparse.ArgumentParser) -> Described:
    options: list[Option] = []
    choices: list[str] = []
    for action in parser._actions:
        known = tuple(map(str, action.choices or ()))
        if action.option_strings:
            takes = None if action.nargs == 0 else str(action.metavar or action.dest)
            text = (action.help or "") % {"default": action.default, "prog": parser.prog}
            options.append(Option(tuple(action.option_strings), text, takes, known))
        elif not isinstance(action, argparse._SubParsersAction):
            choices += known
    return Described(name, summary, tuple(options), tuple(choices))
