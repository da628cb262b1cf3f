"""The advice as it is read."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pool_observer.advice.advising import advise
from pool_observer.advice.as_json import as_json
from pool_observer.advice.measurement import HolderLoad, Measurement
from pool_observer.advice.saying import WIDTH, duration, figure
from pool_observer.advice.text import text
from tests.advice.loads import CHAT, CHATTING, READING, holder, measured, pool


def said(measurement: Measurement) -> str:
    """The text, as one line."""
    return " ".join(text(advise(measurement), measurement.source).split())


def test_the_mend_comes_before_the_size() -> None:
    it = said(measured(pool(CHATTING, READING)))
    assert it.index("1. Mend first") < it.index("once mended") < it.index("until then: 38")


def test_every_calculation_is_shown() -> None:
    it = said(measured(pool(CHATTING, READING)))
    assert "POST /chat/{id} 10 3 s 30 0% 100% 0%" in it
    assert "Together 210/s x 145 ms = 30.4." in it
    assert "At most 38 held or asked for at once in a worker within 60 s" in it
    assert "on average 30.4, of 60 that there are, 51%." in it
    assert "frees 29.9 of its 30 connections = 29.9 in transaction + 0 idle" in it
    assert "10 ms of 3 s is spent on statements" in it
    assert "until then: 38 connections, pool_size=38, max_overflow=0" in it
    assert "taken a second x DB time = 210/s x 2.38 ms executing = 0.5" in it
    assert "held in fact: 30.4" in it
    assert "0.5 executing + 29.9 in transaction = 30.4 on average" in it
    assert "no gain from it for what is held: only 0% of that is outside" in it
    assert "statement_cache_size=0" in it


def test_a_pool_with_nothing_to_mend_is_said_to_have_nothing() -> None:
    it = said(measured(pool(READING, peak_demand=3, max=15, driver="psycopg")))
    assert "1. Nothing to mend" in it
    assert "as it is: 8 connections, pool_size=5, max_overflow=3" in it
    assert "statement_cache_size" not in it


def test_a_pool_that_was_enough_is_said_to_be() -> None:
    it = said(measured(pool(READING, peak_demand=3, max=15)))
    assert "at most 3 were wanted at once within 60 s, and nobody queued, so the 15 that" in it
    assert "no overflow" not in it


def test_a_saturated_pool_is_told_why_its_queue_is_no_size() -> None:
    culprit = HolderLoad(CHAT, 0.1, 29.9, 0.0, 10.0, 3.0, blamed_seconds=80.0)
    it = said(measured(pool(culprit, max=30, peak_demand=288, timed_out=300.0, waiting=30.0)))
    assert "the pool was saturated (300 time-outs, callers queued for 80 s, 30 still wait)" in it
    assert "Had all who asked been served: 33.3 on average; by the model of Erlang 55 are" in it
    assert "288 were wanted at once within 60 s, the queue included" in it
    assert "until then: 55 connections" in it
    assert "made others queue for 80 s" in it
    assert "default_pool_size=55" in it
    assert "= 30 on average; 33.3 had nobody waited or given up" in it


def test_a_burst_is_told_from_a_load_that_is_too_high() -> None:
    it = said(measured(pool(READING, max=15, peak_demand=3, timed_out=12.0)))
    assert "The 15 there are would do for that, so some came all at once" in it
    assert "3 were wanted at once within 60 s: the queue is older" in it
    assert "as it is: 16 connections" in it


@pytest.mark.parametrize(
    ("server", "expected"),
    [
        (None, "in all: 4 workers x 38 = 152 connections, which max_connections must allow"),
        (200, "in all: 4 workers x 38 = 152 connections, of 200 that the server has for all"),
    ],
)
def test_what_all_workers_ask_for_is_said(server: int | None, expected: str) -> None:
    assert expected in said(measured(pool(READING, workers=4, server_connections=server)))


def test_a_size_that_the_server_does_not_have_is_said_before_it() -> None:
    it = said(measured(pool(CHATTING, READING, workers=4, server_connections=97)))
    warning = "until then: THE SERVER HAS TOO FEW for what follows: 4 workers x 38 = 152 conn"
    assert it.index(warning) < it.index("until then: 38 connections")
    assert "in all: 4 workers x 8 = 32 connections, of 97" in it
    assert "once mended, to begin with: THE SERVER" not in it


def test_a_pool_of_another_class_is_told_to_change_it_first() -> None:
    unlimited = {"max": None, "size": None, "max_overflow": None, "pool_class": "NullPool"}
    it = said(measured(pool(READING, **unlimited)))
    assert it.index("its class is NullPool: leave out poolclass") < it.index("as it is: ")
    assert "its class" not in said(measured(pool(READING, pool_class="QueuePool")))


def test_a_mend_that_leaves_nothing_promises_nothing() -> None:
    it = said(measured(pool(HolderLoad(CHAT, 0.0, 3.0, 0.0, 1.0, 3.0))))
    assert "nothing that was measured holds a connection then, so the least that is usual." in it


def test_routes_that_begin_alike_are_told_apart() -> None:
    many = [
        holder(f"GET /organisations/{{organisation}}/{end}", 1.0, executing=1.0) for end in "ab"
    ]
    it = said(measured(pool(*many)))
    assert "GET /organisa...rganisation}/a 1 " in it
    assert "GET /organisa...rganisation}/b 1 " in it


def test_many_workers_are_told_what_the_server_may_be_asked_for() -> None:
    it = said(measured(*[pool(CHATTING, source=f"pid {pid}") for pid in range(12)]))
    assert '"orders": 12 workers' in it
    assert "pid 0; pid 1; pid 2; pid 3; pid 4; pid 5; pid 6; pid 7 and 4 more" in it
    assert "12 workers x 60 = 720 connections" in it


def test_holders_that_hold_little_are_added_up() -> None:
    many = [holder(f"GET /{number}", 1.0, executing=0.01) for number in range(20)]
    assert "and 8 holders more, 0.08 connections on average" in said(measured(pool(*many)))


def test_why_there_is_no_advice_is_said() -> None:
    it = said(measured(pool(CHATTING, window_seconds=5.0)))
    assert "No advice: measured for 5 s only: ask again after 60 s" in it


HOSTILE = "\x1b]0;x\x07\x1b[2J\nroot\r\u202e\u200b\x9b" + "\N{SNOWMAN}" * 300


def _hostile() -> Measurement:
    bad = HolderLoad(HOSTILE, 0.1, 29.9, 0.0, 10.0, 3.0)
    return Measurement(HOSTILE, (pool(bad, name=HOSTILE, source=HOSTILE),))


def test_names_reach_no_terminal_as_commands() -> None:
    measurement = _hostile()
    it = text(advise(measurement), measurement.source)
    assert all(line.isprintable() for line in it.split("\n"))


def test_json_has_the_same_figures_and_no_control_characters() -> None:
    measurement = _hostile()
    it = json.dumps(as_json(advise(measurement), measurement.source))
    assert it.isprintable()
    (found,) = json.loads(it)["pools"]
    assert found["name"] == HOSTILE
    assert found["size"]["connections"] == 38
    assert found["mends"] == [{"holder": HOSTILE, "frees": 29.9}]
    assert found["pgbouncer"]["pays"] is False


def test_json_has_what_all_workers_ask_for() -> None:
    measurement = measured(pool(CHATTING, READING, workers=4, server_connections=97, waiting=3.0))
    (found,) = as_json(advise(measurement), "a test")["pools"]
    size = found["size"]
    assert (size["pool_size"], size["in_all"], size["fits"]) == (25, 152, False)
    assert size["mended"] == {"pool_size": 5, "max_overflow": 3, "in_all": 32, "fits": True}
    assert (size["server_connections"], found["measured"]["waiting"]) == (97, 3)


def test_json_says_why_there_is_no_advice() -> None:
    (found,) = as_json(advise(measured(pool())), "a test")["pools"]
    assert found["refusal"].startswith("nobody held a connection")
    assert "size" not in found


@given(
    name=st.text(max_size=100),
    figures=st.lists(st.floats(0, 1e4), min_size=6, max_size=6),
    changes=st.fixed_dictionaries(
        {"workers": st.integers(1, 9), "peak_demand": st.integers(0, 99)}
    ),
)
def test_no_line_is_too_long(name: str, figures: list[float], changes: dict[str, Any]) -> None:
    measurement = measured(pool(HolderLoad(name, *figures), READING, **changes))
    lines = text(advise(measurement), measurement.source).split("\n")
    assert [line for line in lines if len(line) > WIDTH] == []


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0, "0"), (0.001, "<0.01"), (0.0123, "0.0123"), (3.14159, "3.14"), (99.96, "100"),
     (12345.6, "12,346")],
)  # fmt: skip
def test_figures_have_three_digits_that_count(value: float, shown: str) -> None:
    assert figure(value) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0.0023, "2.3 ms"), (0.25, "250 ms"), (0.9999, "1 s"), (75, "75 s")]
)
def test_durations_have_a_unit(seconds: float, shown: str) -> None:
    assert duration(seconds) == shown
