"""However `pool-observer top` is stopped, continued or ended, the terminal stays usable."""

from __future__ import annotations

import os
import select
import signal
from pathlib import Path

import pytest

from tests.page.documents import document, pool
from tests.page.scenes import exhausted
from tests.support import wait_until
from tests.terminal.page import page
from tests.terminal.pseudo import terminal, top, unread

KEYS = "q quit  p pause  s sort by age"
SHELL = ["bash", "--norc", "--noprofile", "-i"]


def is_full(descriptor: int) -> bool:
    return not select.select([], [descriptor], [], 0)[1]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT])
def test_a_terminal_that_nobody_reads_keeps_nobody_from_ending_it(number: signal.Signals) -> None:
    """As one behind a network that is down."""
    with (
        page(document(exhausted())) as it_says,
        unread(top(it_says.url, "--interval", "0.01")) as (_, slave, program),
    ):
        wait_until(lambda: is_full(slave))
        program.send_signal(number)
        ended = 130 if number is signal.SIGINT else -number
        assert program.wait(30) == ended
        assert os.get_blocking(slave)
        os.close(slave)


def test_keys_work_after_a_stop_that_nobody_can_handle(tmp_path: Path) -> None:
    environment = {"PS1": "ready> ", "HISTFILE": str(tmp_path / "history")}
    with page(document(exhausted())) as it_says, terminal(SHELL, environment=environment) as it:
        it.wait_for("ready>")
        modes = it.modes
        it.type(" ".join(top(it_says.url)) + "\n")
        it.wait_for("POST /chat/{id}", KEYS)
        os.killpg(it.foreground, signal.SIGSTOP)
        it.wait_for("Stopped")
        it.type("fg\n")
        it.wait_until_gone("Stopped")
        it.wait_for("POST /chat/{id}", KEYS)
        it.type("s")
        it.wait_for("sort by connections")
        it.type("q")
        it.wait_for("ready>")
        assert not it.is_alternate
        wait_until(lambda: it.modes == modes)


def test_what_is_stopped_and_continued_with_its_terminal_gives_it_back() -> None:
    """Where no shell has had it meanwhile, it still has the mode that is ours."""
    with page(document(exhausted())) as it_says, terminal(top(it_says.url)) as it:
        modes = it.modes
        it.wait_for("POST /chat/{id}", KEYS)
        it.program.send_signal(signal.SIGSTOP)
        it.program.send_signal(signal.SIGCONT)
        it.type("s")
        it.wait_for("sort by connections")
        it.type("q")
        assert it.end() == 0
        assert it.modes == modes


def test_where_nobody_can_type_only_ctrl_c_is_told() -> None:
    with page(document(exhausted())) as it_says:
        command = ["bash", "-c", f"exec {' '.join(top(it_says.url))} < /dev/null"]
        with terminal(command) as it:
            it.wait_for("POST /chat/{id}", "Ctrl-C quits")
            assert "q quit" not in it.text
            it.type("\x03")
            assert it.end() == 130


def test_a_pool_that_is_not_there_ends_it() -> None:
    said = document(pool("orders"), pool("users"))
    with page(said) as it_says, terminal(top(it_says.url, "--pool", "ordres")) as it:
        assert it.end() == 2
        it.wait_for("pool-observer top: there is no pool 'ordres'; there is orders, users")
