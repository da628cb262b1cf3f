"""Where threads stand, and whether they still do what they have asked for a connection for."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from pool_observer.explanation import Doing, Standing
from pool_observer.loops import Stall
from pool_observer.standing import Look
from tests.holders import (
    FakeRequest,
    Job,
    at,
    claim_of,
    forever,
    function,
    other_work,
    running,
    thread_at,
)


def test_a_thread_stands_where_it_is() -> None:
    job = Job()
    with thread_at(lambda: other_work(job), job) as thread:
        standing = at(claim_of(thread))
        assert standing is not None
        assert standing.doing is Doing.RUNNING
        assert function(standing) == "Job.work"
        assert standing.calling is not None
        assert standing.calling.file == "threading.py"
    assert at(claim_of(thread)) == Standing(Doing.FINISHED)
    thread._ident = threading.get_ident()  # type: ignore[attr-defined]  # it is given out again
    assert at(claim_of(thread)) == Standing(Doing.FINISHED)


def pooled(work: Any) -> tuple[ThreadPoolExecutor, threading.Thread]:
    """A thread of a pool, doing this."""
    pool = ThreadPoolExecutor(1)
    pool.submit(work)
    (thread,) = pool._threads
    return pool, thread


def test_a_pooled_thread_that_waits_for_work_is_finished() -> None:
    pool, thread = pooled(lambda: None)
    with pool:
        pool.submit(lambda: None).result()
        assert at(claim_of(thread)) == Standing(Doing.FINISHED)


def test_a_pooled_thread_is_believed_while_it_is_where_the_connection_was_asked_for() -> None:
    job = Job()
    pool, thread = pooled(lambda: other_work(job))
    with pool:
        assert job.there.wait(30)
        request = FakeRequest()
        assert function(at(claim_of(thread, request, other_work))) == "Job.work"
        # And where the endpoint is, which has called what has asked for it.
        endpoint, elsewhere = FakeRequest(endpoint=other_work), Job()
        with thread_at(lambda: other_work(elsewhere), elsewhere):  # for another request
            assert function(at(claim_of(thread, endpoint, forever))) == "Job.work"
        # But not at other work, which is some other request's.
        assert at(claim_of(thread, request, forever)) is None
        # And not after the request.
        request.progress.detached_at = 1
        assert at(claim_of(thread, request, other_work)) == Standing(Doing.FINISHED)
        job.end.set()


def test_the_one_thread_in_the_endpoint_goes_on_with_what_a_dependency_took() -> None:
    dependency, first, second = Job(), Job(), Job()

    def endpoint(job: Job) -> None:
        job.work()

    pool, thread = pooled(lambda: other_work(dependency))
    with pool:
        assert dependency.there.wait(30)
        claim = claim_of(thread, FakeRequest(endpoint=endpoint), forever)
        assert at(claim) is None  # nobody is there
        with thread_at(lambda: endpoint(first), first):
            assert function(at(claim)) == "Job.work"
            with thread_at(lambda: endpoint(second), second):
                assert at(claim) is None  # either of them may be
        dependency.end.set()


def test_of_a_pooled_thread_at_another_job_it_is_only_known_that_it_runs() -> None:
    job = Job()
    pool, thread = pooled(lambda: other_work(job))
    with pool:
        assert job.there.wait(30)
        assert function(at(claim_of(thread, None, other_work))) == "Job.work"
        assert at(claim_of(thread, None, forever)) == Standing(Doing.RUNNING)
        job.end.set()


@pytest.mark.parametrize("order", [1, -1])
def test_a_thread_serves_the_request_that_has_asked_last(order: int) -> None:
    job = Job()
    pool, thread = pooled(lambda: other_work(job))
    with pool:
        assert job.there.wait(30)
        first, second = (claim_of(thread, FakeRequest(endpoint=other_work)) for _ in range(2))
        first.asked_at, second.asked_at = 1, 2
        with Look({}, [first, second][::order]) as look:
            assert look.at(first) is None
            assert function(look.at(second)) == "Job.work"
        job.end.set()


def test_a_blocked_loop_is_no_matter_to_a_thread() -> None:
    async def main() -> None:
        async with running(forever()) as task:
            stalls = {id(asyncio.get_running_loop()): Stall(0, 1)}
            thread = threading.current_thread()
            assert Look(stalls).stall_of(claim_of(thread, FakeRequest(task))) is None

    asyncio.run(main())


def test_what_blocks_a_loop_is_where_its_thread_stands() -> None:
    job = Job()
    with thread_at(lambda: other_work(job), job) as thread:
        look = Look({})
        assert function(look.at_stall(Stall(thread.ident or 0, 1))) == "Job.work"
        assert look.at_stall(Stall(-1, 1)) is None
