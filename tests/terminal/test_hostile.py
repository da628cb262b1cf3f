"""Nothing that a page says can do anything to a terminal but be read there."""

from __future__ import annotations

import subprocess

import pytest

from tests.terminal.hostile import NAMES, full_of
from tests.terminal.page import page
from tests.terminal.pseudo import OURS, terminal, top


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_no_name_breaks_the_screen(name: str, encoding: str) -> None:
    environment = {"PYTHONIOENCODING": encoding}
    with (
        page(full_of(name)) as it_says,
        terminal(top(it_says.url), lines=50, environment=environment) as it,
    ):
        it.wait_for("CONN", "WAIT", "q quit")
        assert it.lines[0].startswith("pool-observer top  http://")
        assert it.lines[-1].startswith("q quit")
        assert it.is_alternate
        it.type("q")
        assert it.end() == 0
        said = OURS.sub(b"", it.written).decode()
        assert said.isprintable()


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
@pytest.mark.parametrize("command", [("top", "--once"), ("snapshot",), ("snapshot", "--json")])
def test_no_name_is_more_than_text_in_what_is_printed(name: str, command: tuple[str, ...]) -> None:
    with page(full_of(name)) as it_says:
        arguments = [*top(it_says.url)[:3], command[0], it_says.url, *command[1:]]
        printed = subprocess.run(arguments, capture_output=True, text=True, check=False)
    assert printed.stderr == ""
    assert printed.stdout.replace("\n", "").isprintable()
