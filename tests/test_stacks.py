"""Where tasks and threads stand, read from another thread."""

from __future__ import annotations

import asyncio
import gc
import sys
import threading
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Generator, Iterator
from typing import Any

import pytest

from pool_observer.call_site import resolve
from pool_observer.stacks import (
    DEEPEST_STACK,
    Stack,
    is_running,
    let_go_of,
    stack_of_frame,
    stack_of_task,
    stacks_of_threads,
    tasks_in_groups,
)


def names(stack: Stack) -> list[str]:
    return [site.function for step in stack if (site := resolve(step)) is not None]


async def forever() -> None:
    await asyncio.get_running_loop().create_future()


async def outer(inner: Callable[[], Awaitable[object]]) -> None:
    await inner()


async def items() -> AsyncIterator[int]:
    await forever()
    yield 1


async def iterating() -> None:
    async for _ in items():
        pass


class Waiting:
    """Can be awaited, without being a coroutine."""

    def __await__(self) -> Generator[Any, None, None]:
        yield from forever().__await__()


async def waiting() -> None:
    await Waiting()


async def another_task() -> None:
    await asyncio.create_task(forever())


async def group() -> None:
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(outer(forever))


async def several() -> None:
    async def done() -> None: ...

    await asyncio.gather(done(), outer(forever))


def seen_from_elsewhere(coroutine: Coroutine[Any, Any, None]) -> Stack:
    """The stack of a task that is suspended, as another thread sees it."""

    async def main() -> Stack:
        task = asyncio.create_task(coroutine)
        for _ in range(10):  # until all it starts is suspended
            await asyncio.sleep(0)
        try:
            return await asyncio.to_thread(stack_of_task, task, [])
        finally:
            task.cancel()
            await asyncio.wait([task])

    return asyncio.run(main())


@pytest.mark.parametrize(
    ("coroutine", "expected"),
    [
        (forever, ["forever"]),
        (lambda: outer(forever), ["outer", "forever"]),
        (lambda: outer(iterating), ["outer", "iterating", "items", "forever"]),
        (waiting, ["waiting", "Waiting.__await__", "forever"]),
        (another_task, ["another_task", "forever"]),
        (several, ["several", "outer", "forever"]),
    ],
)
def test_a_task_stands_where_its_innermost_coroutine_does(
    coroutine: Callable[[], Coroutine[Any, Any, None]], expected: list[str]
) -> None:
    assert names(seen_from_elsewhere(coroutine())) == expected


def test_the_tasks_of_a_group_are_found() -> None:
    async def main() -> None:
        task = asyncio.create_task(group())
        for _ in range(5):
            await asyncio.sleep(0)
        touched: list[Any] = []
        assert names(stack_of_task(task, touched)) == ["group", "TaskGroup.__aexit__"]
        (part,) = tasks_in_groups(touched)
        assert names(stack_of_task(part, touched)) == ["outer", "forever"]
        task.cancel()
        await asyncio.wait([task])

    asyncio.run(main())


def test_nobodys_getattr_is_asked() -> None:
    """It might do anything: a proxy's may go to the network."""
    asked: list[str] = []

    class Proxy:
        def __getattr__(self, name: str) -> Any:
            asked.append(name)
            raise RuntimeError

    class Opaque:
        def __init__(self) -> None:
            self.proxy = Proxy()

        def __await__(self) -> Iterator[Any]:
            return Steps(self.proxy, forever().__await__())

    class Steps:
        def __init__(self, proxy: Proxy, inner: Any) -> None:
            self.proxy, self.inner = proxy, inner

        def __iter__(self) -> Iterator[Any]:
            return self

        def __next__(self) -> Any:
            return next(self.inner)

    async def opaque() -> None:
        await Opaque()  # type: ignore[misc]

    assert names(seen_from_elsewhere(opaque()))[0] == "opaque"
    assert asked == []


def test_the_line_is_that_of_the_await() -> None:
    async def here() -> None:
        _ = "not this line"
        await forever()  # but this one

    line = here.__code__.co_firstlineno + 2
    first, *_ = seen_from_elsewhere(here())
    site = resolve(first)
    assert site is not None
    assert site.line == line


def test_a_finished_task_stands_nowhere() -> None:
    async def main() -> None:
        task = asyncio.create_task(asyncio.sleep(0))
        await task
        assert stack_of_task(task, []) == []

    asyncio.run(main())


def test_a_task_that_has_not_begun_stands_at_its_beginning() -> None:
    async def main() -> None:
        task = asyncio.create_task(forever())
        assert names(stack_of_task(task, [])) == ["forever"]
        task.cancel()
        await asyncio.wait([task])

    asyncio.run(main())


def test_what_waits_for_itself_does_not_keep_us() -> None:
    class Circle(asyncio.Future[None]):
        @property
        def _children(self) -> list[Circle]:
            return [self]

    async def wait_for(circle: Circle) -> None:
        await circle

    async def main() -> None:
        circle = Circle()
        task = asyncio.create_task(wait_for(circle))
        await asyncio.sleep(0)
        assert names(stack_of_task(task, [])) == ["wait_for"]
        circle.set_result(None)
        await task

    asyncio.run(main())


class Precious:
    """Knows in which thread it was dropped."""

    dropped_in: list[int]

    def __init__(self) -> None:
        self.dropped_in = []

    def __del__(self) -> None:
        self.dropped_in.append(threading.get_ident())


def test_what_was_looked_at_is_let_go_of_in_the_thread_of_its_loop() -> None:
    looked, go_on = threading.Event(), threading.Event()

    def look(known: weakref.ref[asyncio.Task[Precious]], touched: list[Any]) -> None:
        stack_of_task(known(), touched)  # type: ignore[arg-type]
        looked.set()
        assert go_on.wait(30)  # until nobody else has the task, nor what it has returned
        let_go_of(touched, touched[0].get_loop())

    async def main() -> list[int]:
        precious = Precious()
        dropped_in = precious.dropped_in
        has_looked = asyncio.Event()

        async def work(result: Precious) -> Precious:
            await has_looked.wait()
            return result

        task = asyncio.create_task(work(precious))
        del precious
        await asyncio.sleep(0)
        known = weakref.ref(task)
        thread = threading.Thread(target=look, args=(known, []))
        thread.start()
        while not looked.is_set():
            await asyncio.sleep(0)
        has_looked.set()
        await asyncio.wait([task])
        del task
        assert dropped_in == []
        go_on.set()
        while known() is not None:
            await asyncio.sleep(0)
        thread.join()
        return dropped_in

    assert asyncio.run(main()) == [threading.get_ident()]


def test_of_a_loop_that_does_not_run_nothing_is_kept() -> None:
    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda *_: None)

    async def nothing() -> None: ...

    task = loop.create_task(forever())
    loop.run_until_complete(nothing())
    known = weakref.ref(task)
    touched: list[Any] = []
    assert names(stack_of_task(task, touched)) == ["forever"]
    let_go_of(touched, loop)
    del task, touched
    gc.collect()
    assert known() is None
    loop.close()


def test_a_task_runs_or_is_suspended() -> None:
    seen: list[bool] = []

    async def main() -> None:
        async def me() -> None:
            task = asyncio.current_task()
            assert task is not None
            seen.append(is_running(task))

        await asyncio.create_task(me())
        suspended = asyncio.create_task(forever())
        await asyncio.sleep(0)
        seen.append(is_running(suspended))
        suspended.cancel()
        await asyncio.wait([suspended])

    asyncio.run(main())
    assert seen == [True, False]


def test_every_thread_stands_where_it_is_called() -> None:
    there, go_on = threading.Event(), threading.Event()

    def deep() -> None:
        there.set()
        go_on.wait(30)

    def shallow() -> None:
        deep()

    thread = threading.Thread(target=shallow)
    thread.start()
    assert there.wait(30)
    stack = names(stacks_of_threads()[thread.ident or 0])
    go_on.set()
    thread.join()
    at = stack.index("shallow")
    assert stack[at + 1] == "deep"
    assert stack[-1] != "deep"  # it waits inside the event


def test_of_a_deep_stack_the_innermost_frames_are_told() -> None:
    def recurse(depth: int) -> Stack:
        return recurse(depth - 1) if depth else stack_of_frame(sys._getframe())

    stack = recurse(DEEPEST_STACK)
    assert len(stack) == DEEPEST_STACK
    assert {name.rpartition(".")[2] for name in names(stack)} == {"recurse"}


def test_a_stack_of_no_frame_is_empty() -> None:
    assert stack_of_frame(None) == []
