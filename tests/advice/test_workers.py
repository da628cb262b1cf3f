"""How many workers there are, where that is not certain."""

from __future__ import annotations

from typing import Any

import pytest

from pool_observer.advice.advising import advise
from pool_observer.advice.load import loads
from pool_observer.advice.measurement import Measurement, PoolLoad
from pool_observer.advice.meeting import Meeting
from pool_observer.advice.text import text
from pool_observer.advice.workers import Pools, completed, met, remarks, shared_out
from tests.advice.loads import CHATTING, READING, pool


def meeting(*workers: str, failures: int = 0) -> Meeting[Pools]:
    found = Meeting[Pools]()
    for worker in workers:
        found.note(worker, ())
    for _ in range(failures):
        found.note_failure("nobody\x1b there")
    return found


@pytest.mark.parametrize(
    ("found", "workers", "expected"),
    [
        (meeting("a"), None, ["Met one worker process in 1 question. There may be others"]),
        (meeting("a", "b", "a"), None, ["Met 2 worker processes in 3 questions. There may"]),
        (meeting("a", "b"), 2, []),
        (meeting("a", "b"), 3, ["Met 2 of 3 worker processes in 2 questions. The others"]),
        (meeting("a", "b"), 1, ["Met 2 worker processes, more than --workers says (1)"]),
        (
            meeting("a", failures=2),
            1,
            ["No answer to 2 of 3 questions, such as: nobody\N{REPLACEMENT CHARACTER} there"],
        ),
    ],
)
def test_who_was_met_is_said(
    found: Meeting[Pools], workers: int | None, expected: list[str]
) -> None:
    said = list(met(found, workers))
    assert len(said) == len(expected)
    for sentence, beginning in zip(said, expected, strict=True):
        assert sentence.startswith(beginning)


def test_who_was_not_met_is_like_the_others() -> None:
    parts = pool(CHATTING, READING, timed_out=4.0, waiting=2.0), pool(CHATTING, peak_demand=5)
    (before,) = loads(parts)
    (load,) = loads(completed(parts, 6))
    assert load.workers == 6
    assert load.connections == pytest.approx(3 * before.connections)
    assert load.arrivals == pytest.approx(3 * before.arrivals)
    assert (load.timed_out, load.waiting) == (12, 6)
    for each, was in zip(load.holders, before.holders, strict=True):
        assert each.mean_hold == pytest.approx(was.mean_hold)
    assert (load.peak, load.busiest) == (before.peak, before.busiest)
    assert load.parts[-1].source == "4 not met, taken to be like the others"


def test_who_was_met_is_not_made_up() -> None:
    parts = pool(CHATTING), pool(CHATTING)
    assert completed(parts, 2) == parts
    assert completed(parts, 1) == parts


def test_each_pool_of_a_service_has_all_the_workers() -> None:
    found = loads(completed([pool(CHATTING), pool(CHATTING, name="billing")], 3))
    assert [(load.name, load.workers) for load in found] == [("billing", 3), ("orders", 3)]


UNKNOWN = {"max": None, "max_overflow": None, "workers_known": False}


@pytest.mark.parametrize(
    ("parts", "workers", "expected"),
    [
        ([UNKNOWN], 4, [4]),
        ([UNKNOWN, UNKNOWN], 8, [4, 4]),
        ([{"workers": 2}, UNKNOWN], 6, [2, 4]),
        ([{"workers": 2}], 6, [2]),
        ([{"workers": 2}, UNKNOWN], 2, [2, 1]),
    ],
)
def test_targets_that_do_not_tell_share_the_workers_that_there_are(
    parts: list[dict[str, Any]], workers: int, expected: list[int]
) -> None:
    pools = [pool(CHATTING, **changes) for changes in parts]
    assert [each.workers for each in shared_out(pools, workers)] == expected


def test_that_their_number_is_not_known_is_said_unless_it_is_given() -> None:
    unknown = pool(CHATTING, **UNKNOWN)
    assert said(unknown) == [
        "How many workers are behind 1 target is not known, for a pool without a limit does not "
        "tell it, and each is taken to be one: say how many there are in all with --workers"
    ]
    assert said(*shared_out([unknown], 4)) == []
    assert said(*shared_out([pool(CHATTING, **UNKNOWN | {"source": "b"}), unknown], 1)) == [
        "How many workers are behind 2 targets is not known, for a pool without a limit does not "
        "tell it, and each is taken to be one: say how many there are in all with --workers"
    ]


def test_pools_that_differ_are_said() -> None:
    assert said(pool(CHATTING), pool(CHATTING, source="pid 2")) == []
    (sentence,) = said(pool(CHATTING), pool(CHATTING, source="pid 2", size=5))
    assert "not all have a pool of the same size" in sentence


def test_a_target_that_is_stored_twice_is_said() -> None:
    (sentence,) = said(
        pool(CHATTING, source="job=api, instance=a"),
        *[pool(CHATTING, source="job=api, instance=b") for _ in range(2)],
    )
    assert sentence.startswith("job=api, instance=b is there more than once")


def test_services_with_a_pool_of_the_same_name_are_apart() -> None:
    found = loads([pool(CHATTING, job="b"), pool(READING, job="a"), pool(CHATTING, job="b")])
    assert [(load.workers, load.parts[0].job) for load in found] == [(1, "a"), (2, "b")]


def test_it_is_all_in_the_text() -> None:
    measurement = Measurement("a test", (pool(CHATTING, **UNKNOWN),), ("Met nobody",))
    lines = text(advise(measurement), measurement.source, remarks=measurement.remarks).splitlines()
    assert lines[:2] == ["Asked a test.", "  Met nobody."]
    assert lines[5].startswith("  How many workers are behind 1 target is not known")


def said(*parts: PoolLoad) -> list[str]:
    (load,) = loads(parts)
    return list(remarks(load))
