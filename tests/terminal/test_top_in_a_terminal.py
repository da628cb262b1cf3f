"""`pool-observer top` in a real pseudo-terminal, as somebody sees it."""

from __future__ import annotations

import os
import re
import signal
import sys
from pathlib import Path

import pytest

from tests.page.documents import document, hold, pool
from tests.page.scenes import exhausted
from tests.terminal.held import full_service
from tests.terminal.page import page
from tests.terminal.pseudo import Terminal, terminal, top

KEYS = "q quit  p pause  s sort by age"
QUICKLY = ("--interval", "0.05")


def assert_restored(it: Terminal, modes: list[object]) -> None:
    """The shell has its terminal back as it was."""
    assert not it.is_alternate
    assert it.has_cursor
    assert it.modes == modes
    assert it.written.rindex(b"\x1b[?7h") > it.written.rindex(b"\x1b[?7l")


def test_who_holds_a_real_pool_and_who_waits_is_seen() -> None:
    with full_service() as service, terminal(top(service.url, *QUICKLY)) as it:
        it.wait_for("all 3 connections held, 2 callers wait", "POST /chat/{user}", "GET /items")
        title, situation, bar, *table = it.lines
        assert title.startswith(f"pool-observer top  {service.url}")
        assert f"process {os.getpid()}" in title
        assert situation.startswith("orders: all 3 connections held, 2 callers wait, the first")
        assert re.fullmatch(r"  \[===\]  = 3 in transaction  loop \d+ ms late", bar)
        rows = [row for row in table if "POST /chat/{user}" in row]
        assert rows[0].split()[:2] == ["3", "3"]
        assert "tests/terminal/held.py:" in rows[0]
        it.wait_for("-> commit or close the session before this await")
        assert it.lines[-1] == KEYS
        service.let_go.set()
        it.wait_for("0 of 3 connections held", "nobody holds a connection")


@pytest.mark.parametrize(
    ("keys", "number", "status"),
    [
        ("q", None, 0),
        ("Q", None, 0),
        ("\x03", None, 130),
        ("", signal.SIGINT, 130),
        ("", signal.SIGTERM, -signal.SIGTERM),
        ("", signal.SIGHUP, -signal.SIGHUP),
        ("\x1c", None, -signal.SIGQUIT),
    ],
)
def test_whatever_ends_it_the_terminal_is_as_it_was(
    keys: str, number: signal.Signals | None, status: int
) -> None:
    with page(document(exhausted())) as it_says, terminal(top(it_says.url)) as it:
        modes = it.modes
        it.wait_for("POST /chat/{id}", KEYS)
        assert it.is_alternate
        assert not it.has_cursor
        assert it.modes != modes
        it.type(keys)
        if number is not None:
            it.program.send_signal(number)
        assert it.end() == status
        assert_restored(it, modes)
        assert "Traceback" not in it.text


def test_after_an_exception_it_is_as_it_was_and_says_what_happened() -> None:
    fault = (
        "import sys; from pool_observer.terminal import live; from pool_observer.__main__ import "
        "main; real = live.lines\n"
        "def lines(seen, *rest): return real(seen, *rest) if not seen.heard else 1 / 0\n"
        "live.lines = lines; sys.exit(main(sys.argv[1:]))"
    )
    with (
        page(document(exhausted())) as it_says,
        terminal([sys.executable, "-c", fault, "top", it_says.url]) as it,
    ):
        modes = it.modes
        assert it.end() == 1
        it.wait_for("ZeroDivisionError")
        assert_restored(it, modes)


def test_it_can_be_stopped_and_continued_from_a_shell(tmp_path: Path) -> None:
    shell = ["bash", "--norc", "--noprofile", "-i"]
    environment = {"PS1": "ready> ", "HISTFILE": str(tmp_path / "history")}
    with page(document(exhausted())) as it_says, terminal(shell, environment=environment) as it:
        it.wait_for("ready>")
        it.type(" ".join(top(it_says.url)) + "\n")
        it.wait_for("POST /chat/{id}", KEYS)
        it.type("\x1a")
        it.wait_for("Stopped")
        assert not it.is_alternate
        assert it.has_cursor
        it.type("fg\n")
        it.wait_for("POST /chat/{id}", KEYS)
        assert it.is_alternate
        it.type("q")
        it.wait_for("ready>")
        assert not it.is_alternate


def test_it_takes_the_size_that_the_terminal_gets() -> None:
    with page(document(exhausted())) as it_says, terminal(top(it_says.url)) as it:
        it.wait_for("TAKEN AT", "app/chat.py:38 in chat", "WAIT  STAGE")
        it.resize(40, 12)
        it.wait_until_gone("TAKEN AT")
        it.wait_for("POST /chat/{id}", "q quit")
        assert it.lines[11].startswith("q quit")
        it.resize(120, 40)
        it.wait_for("TAKEN AT", "(anyio/_backends/_asyncio.py:1254 in receive)")
        assert it.lines[39].startswith("q quit")
        it.resize(8, 2)
        it.wait_until_gone("TAKEN")
        it.wait_for("q quit")
        it.type("q")
        assert it.end() == 0


def test_a_pause_keeps_what_is_seen() -> None:
    with page(document(pool(used=3))) as it_says, terminal(top(it_says.url, *QUICKLY)) as it:
        it.wait_for("3 of 15 connections held")
        it.type("p")
        it.wait_for("PAUSED", "p go on")
        asked = it_says.asked
        it_says.document = document(pool(used=4))
        it.wait_for("PAUSED")
        while it_says.asked < asked + 3:
            it.wait_for("3 of 15 connections held")
        it.type("p")
        it.wait_for("4 of 15 connections held", "p pause")


def test_it_is_sorted_by_connections_or_by_age() -> None:
    old, many = hold(1, holder="GET /old", seconds=90.0), {"holder": "GET /many", "seconds": 2.0}
    holds = [old, hold(2, **many), hold(3, **many)]
    with page(document(pool(holds=holds))) as it_says, terminal(top(it_says.url)) as it:
        it.wait_for("GET /old", "sort by age")
        assert it.text.index("GET /many") < it.text.index("GET /old")
        it.type("s")
        it.wait_for("sort by connections")
        assert it.text.index("GET /old") < it.text.index("GET /many")


def test_function_keys_and_arrows_do_nothing() -> None:
    with page(document(pool(used=3))) as it_says, terminal(top(it_says.url)) as it:
        it.wait_for(KEYS)
        it.type("\x1bOP\x1bOQ\x1bOS\x1b[A\x1b[1;5P\x1b[15~s")
        it.wait_for("sort by connections")
        assert "PAUSED" not in it.text
        it.type("q")
        assert it.end() == 0


def test_a_service_that_goes_away_is_asked_until_it_is_back() -> None:
    with page(document(pool(used=3))) as it_says, terminal(top(it_says.url, *QUICKLY)) as it:
        it.wait_for("3 of 15 connections held")
        it_says.go()
        it.wait_for("no answer for", "Connection refused", "3 of 15 connections held")
        it_says.document = document(pool(used=4), pid=4121)
        it_says.come()
        it.wait_for("4 of 15 connections held")
        it.wait_until_gone("no answer")
        it.type("q")
        assert it.end() == 0


def test_a_service_that_does_not_answer_keeps_nobody_from_quitting() -> None:
    with page(document(pool(used=3))) as it_says, terminal(top(it_says.url, *QUICKLY)) as it:
        it.wait_for("3 of 15 connections held")
        it_says.go_on.clear()
        it.type("s")
        it.wait_for("sort by connections")
        it.type("q")
        assert it.end() == 0


def test_a_service_that_is_too_busy_at_first_is_waited_for() -> None:
    with page(document(pool(used=3))) as it_says:
        it_says.go_on.clear()
        with terminal(top(it_says.url, *QUICKLY, "--timeout", "0.1")) as it:
            it.wait_for("no answer for", "did not", "answer within 0.1 s")
            it_says.go_on.set()
            it.wait_for("3 of 15 connections held")


def test_an_address_that_is_wrong_from_the_beginning_ends_it() -> None:
    with page({"detail": "Not Found"}) as it_says, terminal(top(it_says.url)) as it:
        modes = it.modes
        assert it.end() == 2
        it.wait_for("pool-observer top: there is no live page at this address")
        assert_restored(it, modes)


def test_where_it_stops_being_a_live_page_the_last_figures_stay() -> None:
    with page(document(pool(used=3))) as it_says, terminal(top(it_says.url, *QUICKLY)) as it:
        it.wait_for("3 of 15 connections held")
        it_says.document = {"detail": "Not Found"}
        it.wait_for("no answer for", "there is no live page", "3 of 15 connections held")


def test_workers_that_answer_in_turn_are_told_apart_and_added_up() -> None:
    chat, other = hold(1, seconds=4.0), hold(1, seconds=9.0)
    with (
        page(document(pool(holds=[chat]), pid=71)) as it_says,
        terminal(top(it_says.url, *QUICKLY)) as it,
    ):
        it.wait_for("process 71", "orders: 1 of 15")
        it_says.document = document(pool(holds=[other]), pid=72)
        it.wait_for("2 processes", "orders of 71: 1 of 15", "orders of 72: 1 of 15")
        (row,) = [each for each in it.lines if "POST /chat/{id}" in each]
        assert row.split()[:4] == ["2", "2", "9.0", "s"]
        it.type("q")
        assert it.end() == 0
