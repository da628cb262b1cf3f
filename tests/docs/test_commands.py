"""Every command that the documentation names is one that the real parsers take."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import pytest

from pool_observer.commands.catalogue import parser
from tests.examples import DOCS, PAGES, ROOT, blocks, code_in_lines, commands, tables

PARSER = parser(lambda module: True)
(_COMMANDS,) = (
    action for action in PARSER._actions if isinstance(action, argparse._SubParsersAction)
)
PARSERS: dict[str, argparse.ArgumentParser] = _COMMANDS.choices

STANDS_FOR = {"ALERT": "ConnectionPoolExhausted", "SHELL": "bash", "URL": "http://localhost"}
"""Words in capitals for which not anything can be put."""

CALLS = [
    (page, arguments)
    for page in [*PAGES, *ROOT.glob("examples/**/*.md")]
    for arguments in commands(page, "pool-observer")
]

OF_OTHERS = {
    "docker": {"--file", "--build"},
    "gunicorn": {"--config"},
    "prometheus": {"--enable-feature", "--web"},
    "promtool": {"--lint", "--lint-fatal"},
    "uv": {"--extra", "--group", "--no-dev"},
    "uvicorn": {"--factory", "--limit-concurrency", "--workers"},
}
"""Options of other programs that are named."""

PAGE_OF = {
    "advice.md": {"advise"},
    "audit.md": {"check"},
    "demo.md": {"demo", "load"},
    "monitoring.md": {"dashboards", "rules", "runbook"},
}
"""Pages of certain commands: an option that is named there is one of these."""


def options(command: str) -> dict[str, argparse.Action]:
    return {
        option: action
        for action in PARSERS[command]._actions
        for option in action.option_strings
        if option not in ("-h", "--help")
    }


@pytest.mark.parametrize(
    ("page", "arguments"), CALLS, ids=lambda each: each.name if isinstance(each, Path) else None
)
def test_a_call_is_understood(page: Path, arguments: list[str]) -> None:
    if len(arguments) > 1 and not arguments[0].endswith(":"):
        PARSER.parse_args([STANDS_FOR.get(each, each) for each in arguments])
    elif arguments:
        assert arguments[0].rstrip(":") in {*PARSERS, "COMMAND"}


def test_every_command_is_called_somewhere() -> None:
    assert {arguments[0] for _, arguments in CALLS if arguments} >= set(PARSERS)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_option_that_is_named_exists(page: Path) -> None:
    code = [block.code for block in blocks(page, "sh", "yaml")] + code_in_lines(page)
    named = {
        option
        for each in code
        if "benchmarks" not in each
        for option in re.findall(r"(?<![\w-])--[a-z][a-z-]*", each)
    }
    ours = {name for command in PAGE_OF.get(page.name, PARSERS) for name in options(command)}
    others = {option for theirs in OF_OTHERS.values() for option in theirs}
    assert named - ours - others - {"--help"} == set()


@pytest.mark.parametrize(("page", "command"), [("audit.md", "check"), ("monitoring.md", "rules")])
def test_a_table_has_all_options_of_its_command(page: str, command: str) -> None:
    (table,) = [each for each in tables(DOCS / page) if each[0][0] == "option"]
    told = [option for row in table[1:] for option in re.findall(r"--[a-z-]+", row[0])]
    assert sorted(told) == sorted(options(command))


@pytest.mark.parametrize("command", ["demo", "check", "rules"])
def test_a_table_says_which_values_an_option_takes(command: str) -> None:
    """All of a few, with the default after them: `--fail-on error`, `warning` ...: `error`."""
    actions = options(command)
    for page in (DOCS / name for name, theirs in PAGE_OF.items() if command in theirs):
        for table in tables(page):
            for option, meaning in [row[:2] for row in table if row[0].startswith("`--")]:
                name = option.strip("`").split(maxsplit=1)[0]
                action = actions.get(name)
                if action is None:
                    continue
                if action.choices is not None and len(list(action.choices)) < 10:
                    values = re.findall(r"`(?:--\S+ )?(\w+)`", option)
                    assert values == list(action.choices), option
                if said := re.search(r"; (\d+)$|: `(\w+)`$", meaning):
                    assert (said[1] or said[2]) == str(action.default), option


def test_every_benchmark_that_is_named_exists() -> None:
    written = (ROOT / "benchmarks" / "__main__.py").read_text()
    (listed,) = re.findall(r"^WHAT = \((.*)\)$", written, re.MULTILINE)
    what = set(re.findall(r'"(\w+)"', listed))
    for page in PAGES:
        for arguments in commands(page, "python -m benchmarks"):
            assert {each for each in arguments if each.isalpha()} <= what
            for option in (each for each in arguments if each.startswith("--")):
                assert f'"{option}"' in written
