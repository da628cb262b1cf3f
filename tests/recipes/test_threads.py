from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

from pool_observer import holding
from tests.recipes.blocks import run_recipe
from tests.recipes.conftest import Code


def test_to_thread_of_asyncio_and_anyio_carries_the_name(code: Code) -> None:
    asyncio.run(run_recipe("Threads that carry the name", work=code.work).import_orders())
    assert code.holders == ["import", "import"]


def test_a_decorated_function_is_named_in_any_thread(code: Code) -> None:
    recipe = run_recipe("Threads that do not", work=code.work)
    with recipe.executor, holding("caller"):
        recipe.start_a_thread().join()
        recipe.submit().result()
        asyncio.run(recipe.run_in_executor())
    assert code.holders == ["import-file", "import-file", "import-file"]


def test_other_threads_begin_without_a_name(code: Code) -> None:
    """Which is why the page says to decorate."""

    async def run_in_executor() -> None:
        await asyncio.get_running_loop().run_in_executor(None, code.work)

    with ThreadPoolExecutor() as executor, holding("caller"):
        thread = threading.Thread(target=code.work)
        thread.start()
        thread.join()
        executor.submit(code.work).result()
        asyncio.run(run_in_executor())
    assert code.holders == ["unattributed", "unattributed", "unattributed"]


def test_a_copy_of_the_context_takes_the_callers_name_along(code: Code) -> None:
    recipe = run_recipe("Threads that shall hold for their caller", work=code.work)
    with ThreadPoolExecutor() as executor, holding("caller"):
        for submitted in [recipe.submit_for_the_caller(executor) for _ in range(3)]:
            submitted.result()
        assert executor.submit(code.work).result() is None
    assert code.holders == ["caller", "caller", "caller", "unattributed"]
