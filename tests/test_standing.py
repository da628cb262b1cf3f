"""Where holders stand: whoever has asked, or who goes on with its connection."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from pool_observer.explanation import Doing, Standing
from pool_observer.loops import Stall
from pool_observer.stacks import stack_of_running
from pool_observer.standing import Look, _inside_loop
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


def test_a_suspended_task_is_awaiting() -> None:
    async def main() -> None:
        async with running(forever()) as task:
            standing = at(claim_of(task))
            assert standing is not None
            assert standing.doing is Doing.AWAITING
            assert function(standing) == "forever"
            assert standing.calling is None

    asyncio.run(main())


def test_both_ends_of_what_a_library_does_are_told() -> None:
    async def main() -> None:
        async def ask() -> None:
            await asyncio.wait_for(asyncio.Event().wait(), 30)

        async with running(ask()) as task:
            await asyncio.sleep(0)
            standing = at(claim_of(task))
            assert standing is not None
            assert standing.at is not None
            assert standing.calling is not None
            assert standing.at.function == "test_both_ends_of_what_a_library_does_are_told" or (
                standing.at.function == "ask"
            )
            assert (standing.calling.file, standing.calling.function) == (
                "asyncio/tasks.py",
                "wait_for",
            )
            assert str(standing).startswith(f"{standing.at}, awaiting asyncio/tasks.py:")

    asyncio.run(main())


def test_a_task_whose_loop_is_blocked_cannot_go_on() -> None:
    async def main() -> None:
        async with running(forever()) as task:
            loop = asyncio.get_running_loop()
            claim = claim_of(task)
            with Look({id(loop): Stall(threading.get_ident(), 2)}) as look:
                standing, stall = look.at(claim), look.stall_of(claim)
            assert standing is not None
            assert standing.doing is Doing.BLOCKED
            assert function(standing) == "forever"
            assert stall is not None
            assert stall.blocked_ns == 2

    asyncio.run(main())


def test_a_task_that_runs_stands_where_its_thread_does() -> None:
    async def main() -> None:
        job = Job()
        go_on = asyncio.Event()

        async def block() -> None:
            go_on.set()
            await asyncio.sleep(0)
            other_work(job)

        task = asyncio.create_task(block())
        await go_on.wait()
        seen: list[Standing | None] = []

        def look() -> None:
            assert job.there.wait(30)
            seen.append(at(claim_of(task)))
            job.end.set()

        looking = threading.Thread(target=look)
        looking.start()
        await task
        looking.join()
        (standing,) = seen
        assert standing is not None
        assert standing.doing is Doing.RUNNING
        assert function(standing) == "Job.work"

    asyncio.run(main())


def test_a_task_in_a_greenlet_that_blocks_its_loop_stands_where_the_loops_thread_does() -> None:
    """Its coroutine is on another stack."""

    async def main() -> None:
        job = Job()
        with thread_at(lambda: other_work(job), job) as thread:
            stalls = {id(asyncio.get_running_loop()): Stall(thread.ident or 0, 1)}
            with Look(stalls) as look:
                standing = look.at(claim_of(asyncio.current_task()))
        assert standing is not None
        assert (standing.doing, function(standing)) == (Doing.RUNNING, "Job.work")

    asyncio.run(main())


def test_what_has_started_the_loop_is_no_part_of_where_a_task_stands() -> None:
    async def main() -> None:
        task = asyncio.current_task()
        assert task is not None
        stack = stack_of_running(task)
        assert stack[0][0] is main.__code__
        assert stack_of_running(task, thread=-1) == []
        async with running(forever()) as suspended:
            assert stack_of_running(suspended) == []

    asyncio.run(main())


def test_of_two_tasks_with_the_same_code_the_one_that_runs_is_told() -> None:
    async def same(inner: asyncio.Task[None] | None) -> None:
        if inner is None:
            await forever()
        else:
            assert stack_of_running(inner) == []

    async def main() -> None:
        async with running(same(None)) as suspended:
            await asyncio.create_task(same(suspended))

    asyncio.run(main())


def test_where_libraries_wait_for_a_task_of_theirs_the_application_may_be_in_that() -> None:
    """As Starlette sends a streamed response."""

    async def stream() -> None:
        await forever()

    library: dict[str, Any] = {}
    source = """
import asyncio
async def send(stream):
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(stream())
        await asyncio.get_running_loop().create_future()
"""
    exec(compile(source, "/opt/lib/python3.11/site-packages/starlette/x.py", "exec"), library)

    async def main() -> None:
        async with running(library["send"](stream)) as task:
            await asyncio.sleep(0)
            assert function(at(claim_of(task))) == "forever"

    asyncio.run(main())


def test_whoever_waits_for_another_task_cannot_go_on() -> None:
    async def main() -> None:
        async with running(forever()) as waiter, running(forever()) as other:

            async def wait() -> None:
                await asyncio.shield(waiter)

            async with running(wait()) as holder:
                await asyncio.sleep(0)
                with Look({}) as look:
                    first = claim_of(holder)
                    assert look.waits_for(first, claim_of(holder))
                    assert not look.waits_for(first, claim_of(other))
                    assert look.waits_for(first, claim_of(threading.current_thread()))
                    over = asyncio.create_task(asyncio.sleep(0))
                    await over
                    assert look.waits_for(claim_of(over), claim_of(other))

    asyncio.run(main())


def test_whoever_awaits_the_task_that_waits_cannot_go_on_either() -> None:
    async def main() -> None:
        async with running(forever()) as waiter:

            async def wait() -> None:
                await waiter

            async with running(wait()) as holder:
                with Look({}) as look:
                    assert look.waits_for(claim_of(holder), claim_of(waiter))

    asyncio.run(main())


def test_what_has_started_a_loop_does_not_block_it() -> None:
    stack = [(compile("", "/srv/app/run.py", "exec"), 0), (asyncio.Handle._run.__code__, 0)]
    inner = (other_work.__code__, 0)
    assert _inside_loop([*stack, inner]) == [inner]
    assert _inside_loop(stack) == stack[1:]
    assert _inside_loop([inner]) == [inner]


def test_a_look_lets_go_of_what_it_has_seen() -> None:
    async def main() -> None:
        async with running(forever()) as task:
            with Look({}) as look:
                look.at(claim_of(task))
                (touched,) = look._touched.values()
                assert touched[0] is task
            assert look._touched == {}
            await asyncio.sleep(0)
            assert touched == []

    asyncio.run(main())


def test_who_is_over_is_finished() -> None:
    async def main() -> None:
        task = asyncio.create_task(asyncio.sleep(0))
        await task
        assert at(claim_of(task)) == Standing(Doing.FINISHED)

    asyncio.run(main())


def test_who_is_gone_is_finished() -> None:
    class Gone:
        pass

    claim = claim_of(Gone())
    assert at(claim) == Standing(Doing.FINISHED)


def test_a_greenlet_that_is_suspended_is_awaiting() -> None:
    greenlet = pytest.importorskip("greenlet")

    def work() -> None:
        greenlet.getcurrent().parent.switch()

    suspended = greenlet.greenlet(work)
    suspended.switch()
    standing = at(claim_of(suspended))
    assert standing is not None
    assert (standing.doing, function(standing)) == (
        Doing.AWAITING,
        "work",
    )
    suspended.switch()
    assert at(claim_of(suspended)) == Standing(Doing.FINISHED)


def test_where_nobody_is_known_nothing_is_told() -> None:
    assert at(claim_of(None)) is None


# -- requests --------------------------------------------------------------------------------


def test_while_the_request_lasts_its_task_goes_on_with_what_another_took() -> None:
    async def main() -> None:
        async with running(forever()) as task:
            part = asyncio.create_task(asyncio.sleep(0))
            await part
            standing = at(claim_of(part, FakeRequest(task)))
            assert function(standing) == "forever"

    asyncio.run(main())


def test_after_the_request_it_is_finished_although_its_task_goes_on() -> None:
    async def main() -> None:
        async with running(forever()) as task:
            request = FakeRequest(task)
            assert function(at(claim_of(task, request))) == "forever"
            request.progress.detached_at = 1
            assert at(claim_of(task, request)) == Standing(Doing.FINISHED)

    asyncio.run(main())


def test_a_task_that_outlives_its_request_goes_on() -> None:
    async def main() -> None:
        async with running(forever()) as task:
            finished = asyncio.create_task(asyncio.sleep(0))
            await finished
            request = FakeRequest(finished)
            request.progress.detached_at = 1
            assert function(at(claim_of(task, request))) == "forever"

    asyncio.run(main())
