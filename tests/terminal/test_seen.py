"""What becomes of a process that does not answer, by a clock that the test turns."""

from __future__ import annotations

import pytest

from pool_observer.advice.asking import NoAnswerError
from pool_observer.advice.measurement import CannotMeasureError
from pool_observer.terminal.faults import HungUpError, NobodyThereError
from pool_observer.terminal.fitting import width
from pool_observer.terminal.reading import answer
from pool_observer.terminal.screen import OLD_AFTER, Wanted, lines
from pool_observer.terminal.seen import (
    FORGOTTEN_AFTER,
    MISSED_FOR,
    MOST_AT_ONCE,
    SEARCHED_FOR,
    SILENT_AFTER,
    Seen,
)
from pool_observer.terminal.styling import Line, Style
from tests.page.documents import document, pool
from tests.page.scenes import exhausted, healthy

WANTED = Wanted("http://localhost:8000/debug/pools")
REFUSED = NobodyThereError("http://localhost:8000/debug/pools cannot be reached")
TOO_LATE = NoAnswerError("http://localhost:8000/debug/pools did not answer within 10 s")


def drawn(seen: Seen, now: float) -> list[Line]:
    return lines(seen, WANTED, now, 80, 23)


def text(seen: Seen, now: float) -> str:
    return "\n".join(line.text for line in drawn(seen, now))


def in_trouble(seen: Seen, now: float) -> str:
    """All that is drawn as trouble."""
    pieces = [piece for line in drawn(seen, now) for piece in line.pieces]
    return " ".join(said for said, style in pieces if style is Style.TROUBLE)


def heard(seen: Seen, now: float, *pids: int) -> None:
    for pid in pids:
        seen.hear(answer(document(healthy(), pid=pid)), now)


@pytest.fixture
def seen() -> Seen:
    """71 has all its connections in use, as 72 to 74 have not."""
    seen = Seen()
    seen.hear(answer(document(exhausted(), pid=71)), 0.0)
    heard(seen, 0.0, 72, 73, 74)
    return seen


def test_holds_of_a_process_that_is_not_met_are_no_longer_of_now(seen: Seen) -> None:
    heard(seen, OLD_AFTER - 0.1, 72, 73, 74)
    assert "POST /chat/{id}" in text(seen, OLD_AFTER)
    heard(seen, OLD_AFTER, 72, 73, 74)
    assert "POST /chat/{id}" not in text(seen, OLD_AFTER)
    assert "orders of 71, 5.0 s ago: all 15 connections held" in text(seen, OLD_AFTER)


def test_a_process_that_does_not_answer_while_others_do_is_in_trouble() -> None:
    seen = Seen()
    for now in range(int(SILENT_AFTER) + 1):
        assert "no answer" not in text(seen, now)
        heard(seen, now, 72, *([71] if now == 0 else []))
    said = "no answer for 24.0 s, before that 1 of 15 connections held"
    assert in_trouble(seen, 24.0) == said
    assert f"orders of 71: {said}\n" in text(seen, 24.0)
    assert text(seen, 24.0).count("[#") == 1  # what it does now is not known


def test_a_process_that_is_forgotten_is_missed_until_it_is_met(seen: Seen) -> None:
    for now in range(1, 46):
        heard(seen, now, 72, 73)
    assert [each.answer.pid for each in seen.heard] == [72, 73]
    assert "2 processes (pids 71, 74) not met for 45.0 s or longer: ended, or blocked" in text(
        seen, 45.0
    )
    heard(seen, 46, 74)
    assert "1 process (pid 71) not met for 46.0 s: ended, or blocked" in text(seen, 46.0)
    assert "orders of 74: 1 of 15" in text(seen, 46.0)


def test_a_process_that_is_missed_for_very_long_has_ended(seen: Seen) -> None:
    for now in range(0, int(MISSED_FOR), 5):
        heard(seen, now, 72)
    assert "not met" in text(seen, MISSED_FOR - 1)
    heard(seen, MISSED_FOR, 72)
    assert "not met" not in text(seen, MISSED_FOR)


def test_a_service_that_was_restarted_has_none_of_the_holds_from_before() -> None:
    seen = Seen()
    seen.hear(answer(document(exhausted(), pid=71)), 0.0)
    seen.hear(REFUSED, 1.0)
    assert "POST /chat/{id}" in text(seen, 1.0)  # as long as nothing newer is known
    heard(seen, 2.0, 81)
    assert "process 81" in text(seen, 2.0)
    assert "71" not in text(seen, 2.0)
    assert "POST /chat/{id}" not in text(seen, 2.0)
    heard(seen, 2.0 + FORGOTTEN_AFTER, 81)
    assert "not met" not in text(seen, 2.0 + FORGOTTEN_AFTER)


def test_nobody_is_missed_because_nobody_answered(seen: Seen) -> None:
    """As when all that is between us and the service was down."""
    seen.hear(TOO_LATE, 50.0)
    heard(seen, 60.0, 72)
    assert "not met" not in text(seen, 60.0)
    assert "no answer" not in text(seen, 60.0)
    assert "orders of 71, 60.0 s ago" in text(seen, 60.0)
    heard(seen, 60.0 + SILENT_AFTER, 72)
    assert "orders of 71: no answer for 70.0 s" in text(seen, 60.0 + SILENT_AFTER)


def test_nobody_is_missed_because_an_answer_took_its_time(seen: Seen) -> None:
    seen.hear(answer(document(healthy(), pid=72)), 40.0, 1.0)
    assert len(seen.heard) == 4


def test_nobody_is_missed_because_nobody_was_asked() -> None:
    seen = Seen(interval=60.0)
    for turn in range(5):
        for pid in (71, 72, 73):
            heard(seen, 60.0 * turn, pid)
            assert "no answer" not in text(seen, 60.0 * turn)
            assert "ago" not in text(seen, 60.0 * turn)
            assert not seen.missed


def test_how_long_there_was_no_answer_is_counted_from_the_last_one(seen: Seen) -> None:
    seen.hear(TOO_LATE, 11.0, 1.0)
    assert in_trouble(seen, 11.0).startswith("no answer for 11.0 s, asking on: http://localhost")
    heard(seen, 12.0, 71)
    assert "asking on" not in text(seen, 12.0)


def test_how_long_there_was_no_answer_at_all_is_counted_from_the_beginning() -> None:
    seen = Seen(began=100.0)
    seen.hear(TOO_LATE, 110.0, 100.0)
    assert "no answer for 10.0 s" in text(seen, 110.0)


def test_a_question_that_hangs_while_others_answer_is_no_silence(seen: Seen) -> None:
    heard(seen, 5.0, 72)
    seen.hear(TOO_LATE, 11.0, 1.0)
    assert seen.trouble is None


@pytest.mark.parametrize(
    ("asked", "now", "said"),
    [
        (None, 9.0, ""),
        (1.0, 2.9, ""),
        (1.0, 3.0, "no answer for 3.0 s: most likely its event loop is blocked"),
        (-1.0, 3.0, ""),  # others have answered since
    ],
)
def test_that_an_answer_is_outstanding_is_said_soon(
    seen: Seen, asked: float | None, now: float, said: str
) -> None:
    seen.asking_since = asked
    assert in_trouble(seen, now).partition("all 15")[0].startswith(said)
    assert ("no answer" in text(seen, now)) == bool(said)


def test_workers_are_looked_for_at_first_and_when_one_is_not_met() -> None:
    seen = Seen()
    assert seen.questions(0.0) == MOST_AT_ONCE
    heard(seen, 0.0, 71, 72)
    assert seen.questions(SEARCHED_FOR - 0.1) == MOST_AT_ONCE
    heard(seen, SEARCHED_FOR, 71, 72)
    assert seen.questions(SEARCHED_FOR) == 2
    heard(seen, SEARCHED_FOR + 3, 71)
    assert seen.questions(SEARCHED_FOR + 3) == MOST_AT_ONCE


def test_a_pool_that_is_not_there_is_said_by_the_first_answer() -> None:
    with pytest.raises(CannotMeasureError, match="no pool 'shop'; there is orders, users"):
        Seen("shop").hear(answer(document(pool("orders"), pool("users"))), 0.0)
    seen = Seen("users")
    seen.hear(answer(document(pool("orders"), pool("users"))), 0.0)
    seen.hear(answer(document(pool("orders"), pid=72)), 1.0)  # one of them has not got it yet
    assert len(seen.heard) == 2


def test_very_many_that_are_missed_are_not_all_named() -> None:
    seen = Seen()
    heard(seen, 0.0, *range(1, 10))
    for now in range(1, 32):
        heard(seen, now, 1)
    assert "8 processes (pids 2, 3, 4, 5, 6, ...) not met for 31.0 s or longer" in text(seen, 31.0)


def test_nobody_holds_a_connection_only_if_nobody_is_missed() -> None:
    seen = Seen()
    for now in range(32):
        seen.hear(answer(document(pool(), pid=72)), now)
        assert "nobody holds a connection" in text(seen, now)
    heard(seen, 32, 71)
    for now in range(33, 64):
        seen.hear(answer(document(pool(), pid=72)), now)
    assert [each.answer.pid for each in seen.missed] == [71]
    assert "nobody" not in text(seen, 63)


def test_an_error_ends_it_at_the_beginning_only() -> None:
    for wrong, now in ((HungUpError("gone"), 0.1), (CannotMeasureError("no such host"), 9.0)):
        with pytest.raises(CannotMeasureError, match=str(wrong)):
            Seen().hear(wrong, now, 0.0)
    hung = Seen()
    hung.hear(HungUpError("gone"), 9.0, 0.0)  # as one that was ended while it was blocked
    assert "no answer for 9.0 s, asking on: gone" in text(hung, 9.0)
    hung.hear(REFUSED, 10.0, 10.0)
    assert "asking on: http://localhost:8000/debug/pools cannot be" in text(hung, 10.0)


def test_nobody_is_missed_after_a_restart(seen: Seen) -> None:
    for now in range(1, 40):
        heard(seen, now, 72)
    assert len(seen.missed) == 3
    seen.hear(REFUSED, 40.0)
    heard(seen, 42.0, 81)
    assert not seen.missed


def test_of_very_many_pools_those_that_do_not_answer_are_shown() -> None:
    seen = Seen()
    heard(seen, 0.0, *range(1, 31))
    for now in range(1, 25):
        heard(seen, now, *range(1, 30))
    assert "orders of 30: no answer for 24.0 s" in text(seen, 24.0)
    assert "more pools, not shown here" in text(seen, 24.0)


@pytest.mark.parametrize("total", [1, 2, 9, 20, 40, 80, 200])
@pytest.mark.parametrize("height", [0, 1, 2, 4, 11, 23])
def test_what_is_said_of_silence_is_never_larger_than_the_screen(total: int, height: int) -> None:
    seen = Seen()
    heard(seen, 0.0, *range(1, 9))
    for now in range(1, 40):
        heard(seen, now, *range(1, 4), *([4, 5] if now < 20 else []))
    seen.hear(TOO_LATE, 52.0, 42.0)
    found = lines(seen, WANTED, 52.0, total, height)
    assert len(found) <= height
    assert max((width(line.text) for line in found), default=0) <= total
