from __future__ import annotations

import io
from collections import Counter

import pytest

from pool_observer.demo.act import Act, wrapped
from pool_observer.demo.counted import NAIVE_CHAT, Counted, counted
from pool_observer.demo.figures import Figures, Kind, Request
from pool_observer.demo.table import PUBLISHED, agreement, table
from pool_observer.demo.terminal import Screen

METRICS = """\
# TYPE pool_observer_checkouts counter
pool_observer_checkouts_total{db_client_connection_pool_name="a",holder="GET /items"} 3.0
pool_observer_checkouts_total{db_client_connection_pool_name="b",holder="GET /items"} 4.0
# TYPE pool_observer_activity_seconds counter
pool_observer_activity_seconds_total{holder="GET /items",activity="executing"} 1.0
pool_observer_activity_seconds_total{holder="GET /items",activity="idle"} 3.0
# TYPE something_else counter
something_else_total{holder="GET /items"} 9.0
"""


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def act_of(status: int, blamed: float, seconds: float = 123.456) -> Act:
    figures = Figures(
        tuple(Request(kind, status, seconds, 1.0) for kind in Kind for _ in range(9999)), 10
    )
    counted = Counted(
        Counter({NAIVE_CHAT: 1}),
        Counter({NAIVE_CHAT: 2}),
        Counter({NAIVE_CHAT: blamed}),
        Counter({"executing": 1, "in_transaction": 3}),
    )
    return Act(figures, figures, counted, 15)


def test_figures_stand_beside_those_that_were_published() -> None:
    lines = list(table(act_of(503, 100.0), act_of(200, 0.5), Screen(io.StringIO(), {})))
    assert max(map(len, lines)) <= 80
    text = "\n".join(lines)
    assert "as published" in lines[0]
    for label, (before, after) in PUBLISHED.items():
        (row,) = [line for line in lines if line.startswith(f"{label} ")]
        assert row.endswith(f"{before:>13}{after:>13}")
    assert "naive: POST /naive/chat/{user_id}, 100 %" in text
    assert "fixed: nobody" in text
    assert "75 %" in text


def test_what_both_acts_begin_with_is_neither_bad_nor_good() -> None:
    lines = table(act_of(503, 100.0), act_of(200, 0.5), Screen(Terminal(), {}))
    coloured = {line[:25].rstrip(): "\x1b[31m" in line for line in lines if " ms" in line}
    assert coloured == {"CRUD p95, a user alone": False, "CRUD p95": True, "LLM p95": True}


def test_the_counts_of_users_and_of_metrics_are_both_said() -> None:
    said = "\n".join(agreement(act_of(503, 1.0), act_of(200, 1.0)))
    assert "Users saw 19998 time-outs, and /metrics counted 4." in said
    assert max(map(len, said.splitlines())) <= 80


def test_metrics_are_added_up_over_pools_and_taken_off_what_was_before() -> None:
    now = counted(METRICS)
    assert now.checkouts == {"GET /items": 7}
    assert now.unused_share == 0.75
    assert now.since(now).checkouts.total() == 0
    assert now.since(now).unused_share == 0


def test_colours_are_for_terminals_that_are_not_told_otherwise() -> None:
    for terminal, environment, coloured in (
        (Terminal(), {"TERM": "xterm"}, True),
        (Terminal(), {"TERM": "xterm", "NO_COLOR": "1"}, False),
        (Terminal(), {"TERM": "dumb"}, False),
        (io.StringIO(), {"TERM": "xterm"}, False),
    ):
        Screen(terminal, environment).say(Screen(terminal, environment).styled("red", "red"))
        assert ("\x1b[31m" in terminal.getvalue()) is coloured


def test_a_terminal_has_one_line_of_progress_that_is_written_over() -> None:
    terminal = Terminal()
    screen = Screen(terminal, {"TERM": "xterm"})
    screen.progress(1, "1 s")
    screen.progress(2, "x" * 200)
    screen.say("done")
    first, second, third = terminal.getvalue().split("\r\x1b[K")
    assert (first, third) == ("1 s", "done\n")
    assert len(second) < 80


def test_on_a_narrow_terminal_progress_does_not_wrap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    terminal = Terminal()
    Screen(terminal, {"TERM": "xterm"}).progress(1, "x" * 79)
    assert len(terminal.getvalue()) < 40


def test_elsewhere_progress_is_a_line_every_five_seconds() -> None:
    output = io.StringIO()
    for second in range(1, 11):
        Screen(output, {}).progress(second, f"{second} s")
    assert output.getvalue() == "5 s\n10 s\n"


def test_a_report_is_wrapped_and_keeps_its_indentation() -> None:
    lines = wrapped(f"pool\n  15 x {'word ' * 30}").splitlines()
    assert lines[0] == "  pool"
    assert lines[1].startswith("    15 x word")
    assert all(line.startswith("      word") for line in lines[2:])
    assert max(map(len, lines)) <= 80
