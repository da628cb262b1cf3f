"""Rounds of requests, in one process and one event loop.

Applications are called as a server calls them, without a server, one request after another.
"""

from __future__ import annotations

import asyncio
import gc
import random
from collections.abc import Sequence
from time import process_time_ns

from benchmarks.attached import Unavailable
from benchmarks.harness import Timings
from benchmarks.requests_apps import GROUPS
from benchmarks.requests_subjects import REQUESTED, Subject, Variant
from pool_observer.asgi_types import Message

SLICE_NS = 10_000_000
WARM_UP = 300
CHECKS = 10

PATH = f"/items{REQUESTED}/7"
SCOPE = {
    "type": "http",
    "asgi": {"version": "3.0", "spec_version": "2.3"},
    "http_version": "1.1",
    "method": "GET",
    "scheme": "http",
    "path": PATH,
    "raw_path": PATH.encode(),
    "query_string": b"",
    "root_path": "",
    "headers": [(b"host", b"localhost"), (b"user-agent", b"benchmark"), (b"accept", b"*/*")],
    "client": ("127.0.0.1", 50_000),
    "server": ("127.0.0.1", 8000),
}

Results = dict[str, Timings]
"""By the variant's name."""


def measure(rounds: int, seed: int) -> Results:
    """All variants, in this process."""
    return asyncio.run(_measure(rounds, random.Random(seed)))


async def _measure(rounds: int, order: random.Random) -> Results:
    results: Results = {}
    groups = [await _ready(group, results) for group in GROUPS]
    # What exists now is left out of later collections, which are then about what requests leave.
    gc.collect()
    gc.freeze()
    counts = [await _requests_for(subjects) for subjects in groups]
    for _ in range(rounds):
        for subjects, count in zip(groups, counts, strict=True):
            await _round(subjects, count, order, results)
    for subjects in groups:
        for variant, subject in subjects.items():
            await _check(subject, results[variant.name])
    return results


Subjects = dict[Variant, Subject]
"""Those of a group that work here, the bare one first."""


async def _ready(group: Sequence[Variant], results: Results) -> Subjects:
    """Make them and warm them up; those that do not work leave a reason."""
    subjects: Subjects = {}
    for variant in group:
        timings = results[variant.name] = Timings()
        if variant is not group[0] and group[0] not in subjects:
            timings.unavailable = results[group[0].name].unavailable
            continue
        try:
            subject = variant.make()
            await _slice(subject, WARM_UP)
            await _answers(subject)
            subjects[variant] = subject
        except Unavailable as reason:
            timings.unavailable = str(reason)
        except Exception as error:
            timings.unavailable = f"unavailable: {type(error).__name__}: {error}"
    return subjects


async def _requests_for(subjects: Subjects) -> int:
    """How many requests the bare variant answers in a slice."""
    if not subjects:
        return 0
    bare = next(iter(subjects.values()))
    return max(1, round(SLICE_NS * WARM_UP / min([await _slice(bare, WARM_UP) for _ in range(5)])))


async def _round(subjects: Subjects, count: int, order: random.Random, results: Results) -> None:
    """One slice of each variant, in random order."""
    taken = {}
    for variant in order.sample(list(subjects), len(subjects)):
        # Caches are cold: since the last slice, every other variant had its turn.
        await _slice(subjects[variant], max(10, count // 20))
        gc.collect()
        taken[variant] = await _slice(subjects[variant], count) / count / 1000
    for variant in subjects:
        results[variant.name].own.append(taken[variant])
        results[variant.name].bare.append(taken[next(iter(subjects))])


async def _slice(subject: Subject, count: int) -> int:
    """The nanoseconds of so many requests."""
    app = subject.app
    began = process_time_ns()
    for _ in range(count):
        await app({**SCOPE}, _receive, _send)
    return process_time_ns() - began


async def _receive() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}


async def _send(message: Message) -> None:
    pass


async def _answers(subject: Subject) -> None:
    """Raises unless a request is answered: an error would be a workload of its own."""
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    await subject.app({**SCOPE}, _receive, send)
    if [message.get("status") for message in sent] != [200, None]:
        raise RuntimeError(f"answers with {sent}")


async def _check(subject: Subject, timings: Timings) -> None:
    """A tool that turns out to record nothing must not look cheap."""
    if subject.recorded is None:
        return

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            subject.during()

    before = subject.recorded()
    for _ in range(CHECKS):
        await subject.app({**SCOPE}, _receive, send)
    if subject.recorded() - before != CHECKS:
        timings.unavailable = "unavailable: recorded nothing"
