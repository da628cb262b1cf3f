"""Where holders stand: whoever has asked, or who goes on with its connection."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from types import CodeType
from typing import Any
from weakref import ref

import pytest

from pool_observer.call_site import RawSite, resolve
from pool_observer.claim import Claim
from pool_observer.explanation import Doing, Standing
from pool_observer.holder import Holder
from pool_observer.landmarks import standing_in
from pool_observer.loops import Stall
from pool_observer.progress import RequestProgress
from pool_observer.standing import Look
from pool_observer.threads import Threads

HERE = __file__.rpartition("/")[2]


class FakeRequest:
    """A request in its task, answered by `endpoint`."""

    expectation = None

    def __init__(self, task: asyncio.Task[Any] | None = None, endpoint: Any = None) -> None:
        self.progress = RequestProgress(None if task is None else ref(task))
        self._endpoint = endpoint

    def name(self) -> str:
        return "GET /"

    def endpoint(self) -> CodeType | None:
        return None if self._endpoint is None else self._endpoint.__code__


def claim_of(runner: Any, holder: Holder | None = None, site: Any = None) -> Claim:
    raw: RawSite | None = None if site is None else (site.__code__, 0)
    return Claim(holder, raw, 0, None, None if runner is None else ref(runner))


def at(claim: Claim) -> Standing | None:
    with Look({}) as look:
        return look.at(claim)


def function(standing: Standing | None) -> str | None:
    return None if standing is None or standing.at is None else standing.at.function


async def forever() -> None:
    await asyncio.get_running_loop().create_future()


@contextlib.asynccontextmanager
async def running(coroutine: Any) -> Any:
    task = asyncio.create_task(coroutine)
    await asyncio.sleep(0)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait([task])


class Job:
    """Work for a thread that lasts until it is told to end."""

    def __init__(self) -> None:
        self.there, self.end = threading.Event(), threading.Event()

    def work(self) -> None:
        self.there.set()
        self.end.wait(30)


def other_work(job: Job) -> None:
    job.work()


@contextlib.contextmanager
def thread_at(work: Any, job: Job) -> Iterator[threading.Thread]:
    thread = threading.Thread(target=work)
    thread.start()
    assert job.there.wait(30)
    try:
        yield thread
    finally:
        job.end.set()
        thread.join()


# -- tasks -----------------------------------------------------------------------------------


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
        assert Threads([]).running(main.__code__)[0][0] is main.__code__
        assert Threads([]).running(forever.__code__) == []

    asyncio.run(main())


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


# -- threads ---------------------------------------------------------------------------------


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


# -- what of a stack is told -----------------------------------------------------------------


def code_in(filename: str, name: str) -> CodeType:
    return compile(f"def {name}(): ...", filename, "exec").co_consts[0]  # type: ignore[no-any-return]


SITE_PACKAGES = "/opt/venv/lib/python3.11/site-packages"


def told(*files: str, site: str | None = None) -> list[str | None]:
    stack = [(code_in(file, f"f{number}"), 0) for number, file in enumerate(files)]
    raw = None if site is None else (code_in(site, "site"), 0)
    standing = standing_in(stack, Doing.AWAITING, raw)
    places = (standing.at, standing.calling, standing.innermost)
    return [None if place is None else place.function for place in places]


def test_the_innermost_line_of_the_application_and_what_it_calls() -> None:
    library = f"{SITE_PACKAGES}/httpx/_client.py"
    assert told(library, "/srv/app/a.py", "/srv/app/b.py", library, library) == ["f2", "f3", "f4"]
    assert told("/srv/app/a.py", "/srv/app/b.py") == ["f1", None, None]
    assert told("/srv/app/a.py", "<string>", "asyncpg/protocol/protocol.pyx") == ["f0", "f1", "f2"]
    assert told(library, library) == [None, None, "f1"]
    assert told() == [None, None, None]


def test_an_application_that_is_installed_is_not_a_library() -> None:
    ours, other = f"{SITE_PACKAGES}/shop/api.py", f"{SITE_PACKAGES}/httpx/_client.py"
    assert told(other, ours, other) == [None, None, "f2"]
    assert told(other, ours, other, site=f"{SITE_PACKAGES}/shop/db.py") == ["f1", "f2", "f2"]
    assert told(other, ours, other, site="/srv/app/db.py") == [None, None, "f2"]


def test_our_own_frames_are_not_told() -> None:
    import pool_observer

    directory = pool_observer.__file__.rpartition("/")[0]
    assert told("/srv/app/a.py", f"{directory}/observer.py") == ["f0", None, None]


def test_a_standing_in_words() -> None:
    site = resolve((other_work.__code__, 0))
    assert str(Standing(Doing.FINISHED)) == "finished"
    assert str(Standing(Doing.RUNNING)) == "running"
    assert str(Standing(Doing.RUNNING, site, site)) == f"{site}, in {site}"
    assert str(Standing(Doing.AWAITING, site)) == str(site)
