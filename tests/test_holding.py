from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from pool_observer import holding
from pool_observer.holder import current_holder


def holder() -> str | None:
    """Who would hold a connection that is taken here."""
    current = current_holder.get()
    return None if current is None else current.name()


def test_the_inner_name_counts_and_then_the_outer_again() -> None:
    with holding("outer"):
        with holding("inner"):
            assert holder() == "inner"
        assert holder() == "outer"
    assert holder() is None


def test_a_name_is_left_by_an_exception() -> None:
    with pytest.raises(ZeroDivisionError), holding("job"):
        _ = 1 / 0
    assert holder() is None


def test_functions_and_coroutines_hold_under_the_name() -> None:
    @holding("job")
    def function() -> str | None:
        return holder()

    @holding("job")
    async def coroutine() -> str | None:
        await asyncio.sleep(0)
        return holder()

    async def within() -> str | None:
        async with holding("job"):
            return holder()

    assert function() == asyncio.run(coroutine()) == asyncio.run(within()) == "job"
    assert holder() is None


def test_generators_hold_under_the_name_and_their_consumers_do_not() -> None:
    @holding("export")
    def rows() -> Iterator[str | None]:
        yield holder()
        yield holder()

    @holding("export")
    async def async_rows() -> AsyncIterator[str | None]:
        yield holder()
        await asyncio.sleep(0)
        yield holder()

    async def consume() -> list[tuple[str | None, str | None]]:
        return [(row, holder()) async for row in async_rows()]

    with holding("consumer"):
        assert [(row, holder()) for row in rows()] == [("export", "consumer")] * 2
        assert asyncio.run(consume()) == [("export", "consumer")] * 2


def test_one_object_serves_tasks_and_threads_at_a_time() -> None:
    job = holding("job")

    async def task(number: int) -> None:
        with holding(f"task {number}"):
            for _ in range(3):
                with job, job:
                    await asyncio.sleep(0)
                    assert holder() == "job"
                assert holder() == f"task {number}"

    async def tasks() -> None:
        await asyncio.gather(*map(task, range(20)))
        assert holder() is None

    def thread(number: int) -> None:
        asyncio.run(task(number))

    asyncio.run(tasks())
    with ThreadPoolExecutor(10) as threads:
        list(threads.map(thread, range(50)))


def test_names_reach_tasks_and_to_thread_and_no_other_threads() -> None:
    async def main() -> None:
        with holding("job"):
            task = asyncio.create_task(asyncio.to_thread(holder))
            other = asyncio.get_running_loop().run_in_executor(None, holder)
        assert await task == "job"
        assert await other is None

    asyncio.run(main())
    seen: list[str | None] = []
    with holding("job"):
        context = contextvars.copy_context()
        thread = threading.Thread(target=context.run, args=(lambda: seen.append(holder()),))
    thread.start()
    thread.join()
    assert seen == ["job"]


def test_a_name_entered_in_one_context_may_be_left_in_another() -> None:
    # FastAPI runs the two halves of a synchronous dependency in two threads.
    job = holding("job")
    contextvars.copy_context().run(job.__enter__)
    with holding("somebody else"):
        contextvars.copy_context().run(job.__exit__, None, None, None)
        job.__exit__(None, None, None)
        assert holder() == "somebody else"


def test_a_name_that_was_never_left_goes_with_the_outer_one() -> None:
    with holding("outer"):
        holding("left open").__enter__()
        assert holder() == "left open"
    assert holder() is None


@pytest.mark.parametrize(
    ("name", "error", "mend"),
    [
        ("", ValueError, "use 1 to 200 printable characters"),
        ("  ", ValueError, "use 1 to 200 printable characters"),
        ("two\nlines", ValueError, "on one line"),
        ("x" * 201, ValueError, "use 1 to 200"),
        ("other", ValueError, "use another"),
        ("unmatched", ValueError, "use another"),
        ("unattributed", ValueError, "use another"),
        (5, TypeError, "must be a string, not int"),
        (None, TypeError, r'holding\("nightly-report"\)'),
        (lambda: None, TypeError, r'holding\("nightly-report"\)'),
    ],
)
def test_wrong_names_are_refused_at_once(name: str, error: type[Exception], mend: str) -> None:
    with pytest.raises(error, match=mend):
        holding(name)


def test_it_says_what_it_is() -> None:
    assert repr(holding(" job ")) == 'holding("job")'
