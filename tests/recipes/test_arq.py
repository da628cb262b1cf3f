from __future__ import annotations

import asyncio
from typing import Any

import pytest
from arq.connections import ArqRedis
from arq.cron import cron
from arq.worker import Function, Worker, func
from fakeredis import FakeAsyncRedisConnection, FakeServer
from redis.asyncio import ConnectionPool

from pool_observer import holding
from tests.recipes.blocks import run_recipe
from tests.recipes.conftest import Code

# arq's worker still closes redis by the method's old name.
pytestmark = pytest.mark.filterwarnings("ignore:Call to deprecated close:DeprecationWarning")


@pytest.fixture(autouse=True)
def no_greeting(monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker begins by logging what `INFO` tells, the one command it uses that is not faked."""

    async def log_redis_info(*_: object) -> None:
        pass

    monkeypatch.setattr("arq.worker.log_redis_info", log_redis_info)


def redis() -> ArqRedis:
    """arq's own client, of a server inside of this process."""
    return ArqRedis(ConnectionPool(connection_class=FakeAsyncRedisConnection, server=FakeServer()))


async def run_jobs(
    redis: ArqRedis, functions: list[Any], *jobs: str, cron_jobs: Any = None
) -> Worker:
    for job in jobs:
        await redis.enqueue_job(job)
    worker = Worker(
        functions,
        redis_pool=redis,
        burst=True,
        cron_jobs=cron_jobs,
        poll_delay=0.01,
        handle_signals=False,
    )
    await worker.main()
    await worker.close()
    return worker


def test_an_arq_job_holds_under_its_name_and_is_still_found_by_its_own(code: Code) -> None:
    functions = run_recipe("arq", work_async=code.work_async).WorkerSettings.functions

    async def run() -> Worker:
        return await run_jobs(redis(), functions, "report", "report")

    worker = asyncio.run(run())
    assert (worker.jobs_complete, worker.jobs_failed) == (2, 0)
    assert code.holders == ["job:report", "job:report"]


def test_an_arq_job_with_options_goes_into_func(code: Code) -> None:
    report = run_recipe("arq", work_async=code.work_async).report
    function = func(holding("job:report")(report), max_tries=1)
    assert isinstance(function, Function)
    assert (function.name, function.max_tries) == ("report", 1)

    async def run() -> Worker:
        return await run_jobs(redis(), [function], "report")

    assert asyncio.run(run()).jobs_complete == 1
    assert code.holders == ["job:report"]


def test_an_arq_cron_job_holds_under_its_name(code: Code) -> None:
    report = run_recipe("arq", work_async=code.work_async).report
    job = cron(holding("job:report")(report), hour=3, run_at_startup=True)
    assert job.name == "cron:report"

    async def run() -> Worker:
        return await run_jobs(redis(), [], cron_jobs=[job])

    assert asyncio.run(run()).jobs_complete == 1
    assert code.holders == ["job:report"]
