"""What is coloured, and where nothing is."""

from __future__ import annotations

import re

import pytest

from tests.page.documents import document
from tests.page.scenes import exhausted
from tests.terminal.page import page
from tests.terminal.pseudo import terminal, top

COLOUR = re.compile(rb"\x1b\[[0-9;]*[34][0-7]")


def test_trouble_is_coloured() -> None:
    with page(document(exhausted())) as it_says, terminal(top(it_says.url)) as it:
        it.wait_for("POST /chat/{id}")
        assert b"\x1b[0;1;37;41mall 15 connections held" in it.written
        assert not re.search(rb"\x1b\[[0-9;]*([39][89]|9[0-7]|10[0-7]|[34]8)", it.written)


@pytest.mark.parametrize(
    ("options", "environment"),
    [(["--no-color"], {}), ([], {"NO_COLOR": "1"}), (["--once", "--no-color"], {})],
)
def test_who_wants_no_colours_gets_none(options: list[str], environment: dict[str, str]) -> None:
    with (
        page(document(exhausted())) as it_says,
        terminal(top(it_says.url, *options), environment=environment) as it,
    ):
        it.wait_for("POST /chat/{id}")
        assert not COLOUR.search(it.written)
        assert b"\x1b[0;1;7mall 15 connections held" in it.written  # it still stands out


def test_an_empty_no_color_is_none() -> None:
    """As https://no-color.org has it."""
    environment = {"NO_COLOR": ""}
    with (
        page(document(exhausted())) as it_says,
        terminal(top(it_says.url), environment=environment) as it,
    ):
        it.wait_for("POST /chat/{id}")
        assert COLOUR.search(it.written)


@pytest.mark.parametrize("kind", ["dumb", ""])
def test_a_terminal_that_can_do_nothing_gets_plain_lines(kind: str) -> None:
    with (
        page(document(exhausted())) as it_says,
        terminal(top(it_says.url), environment={"TERM": kind}) as it,
    ):
        it.wait_for("POST /chat/{id}")
        assert b"\x1b" not in it.written
        it.type("\x03")
        assert it.end() == 130
