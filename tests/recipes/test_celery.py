from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from celery.contrib.testing.worker import start_worker
from celery.signals import setup_logging

from tests.recipes.blocks import recipes, run_recipe
from tests.recipes.conftest import Code
from tests.support import wait_until

ROOT = Path(__file__).parents[2]
SECONDS = 60


class Shop:
    """The recipe's application, made once: an application shares its tasks with later ones."""

    def __init__(self) -> None:
        self.work: Callable[[], None] = lambda: None
        self.recipe = run_recipe("Celery", work=lambda: self.work(), broker_url="memory://")
        self.app: Celery = self.recipe.app
        self.app.conf.result_backend = "cache+memory://"
        self.app.conf.broker_transport_options = {"polling_interval": 0.01}

    @contextmanager
    def worker(self, pool: str = "solo") -> Iterator[None]:
        with start_worker(
            self.app,
            pool=pool,
            concurrency=2,
            perform_ping_check=False,
            shutdown_timeout=SECONDS,
        ):
            yield


@pytest.fixture(scope="module")
def only_shop() -> Iterator[Shop]:
    # A worker sets up logging for its whole process, which other tests have a use for as well.
    setup_logging.connect(leave_logging_alone)
    shop = Shop()
    yield shop
    shop.app.close()
    setup_logging.disconnect(leave_logging_alone)
    logging.captureWarnings(False)


def leave_logging_alone(**_: Any) -> None:
    """Takes the place of what Celery would do."""


@pytest.fixture
def shop(only_shop: Shop, code: Code) -> Shop:
    only_shop.work = code.work
    return only_shop


@pytest.fixture
def unsure(shop: Shop, code: Code) -> Any:
    """A bound task that succeeds when it is tried again. Its result is its id, both times."""
    tried: list[str] = []

    def unsure(self: Any) -> list[str]:
        code.work()
        tried.append(self.request.id)
        if self.request.retries == 0:
            raise self.retry(countdown=0)
        return tried

    shop.app.tasks.pop("unsure", None)
    return shop.app.task(unsure, bind=True, name="unsure", max_retries=1, shared=False)


@pytest.mark.parametrize("pool", ["solo", "threads"])
def test_a_celery_task_holds_under_its_name(shop: Shop, code: Code, unsure: Any, pool: str) -> None:
    with shop.worker(pool):
        shop.recipe.report.delay().get(timeout=SECONDS)
        shop.recipe.report.delay().get(timeout=SECONDS)
        retried = unsure.delay()
        assert retried.get(timeout=SECONDS) == [retried.id, retried.id]
    assert code.holders == ["task:report", "task:report", "task:unsure", "task:unsure"]


def test_a_celery_task_applied_at_once_keeps_its_request_and_its_retries(
    shop: Shop, code: Code, unsure: Any
) -> None:
    eager = unsure.apply()
    assert eager.get() == [eager.id, eager.id]
    assert code.holders == ["task:unsure", "task:unsure"]


def test_a_celery_task_called_as_a_function_holds_under_its_name(shop: Shop, code: Code) -> None:
    shop.recipe.report()
    code.work()
    assert code.holders == ["task:report", "unattributed"]


# What the recipes leave to the reader: where the database and the broker are, and a task that
# tells what it sees. The listener shows that a watchdog is alive in the worker's process.
WORKER_MODULE = """
import os

from pool_observer import Listener
from sqlalchemy import text

PARENT = os.getpid()
database_url = {database_url!r}
broker_url = "filesystem://"

{processes}

class Tell(Listener):
    def hold_ended(self, hold):
        with open({told!r}, "a") as told:
            print(os.getpid() != PARENT, hold.holder, file=told)

def work():
    with engine.connect() as connection:
        connection.execute(text("SELECT 1"))
        return [hold.holder for hold in observer.snapshot().open_holds]

{tasks}

app.conf.update({settings!r})

with engine.connect():
    pass  # for the parent's books and pool
if "observer" in globals():
    observer.subscribe(Tell())

@app.task(name="look")
def look():
    holders = work()
    totals = observer.snapshot().totals
    checkouts = {{name: holder.checkouts for name, holder in totals.holders.items()}}
    return os.getpid() != PARENT, holders, checkouts, totals.connections_opened
"""
OBSERVED_AT_IMPORT = recipes()["Celery's worker processes"].strip()
OBSERVED_IN_THE_SIGNAL = """
from celery.signals import worker_process_init
from pool_observer import observe
from sqlalchemy import create_engine

engine = create_engine(database_url)

@worker_process_init.connect
def begin(**_):
    global observer
    engine.dispose(close=False)
    observer = observe(engine, name="orders")
    observer.subscribe(Tell())
"""


@contextmanager
def prefork_worker(directory: Path) -> Iterator[list[str]]:
    """A worker of the module `shop`, and what it has said when it is over."""
    output: list[str] = []
    worker = subprocess.Popen(
        [
            *(sys.executable, "-m", "celery", "-A", "shop", "worker"),
            *("--pool", "prefork", "--concurrency", "1", "--loglevel", "WARNING"),
            *("--without-gossip", "--without-mingle", "--without-heartbeat"),
        ],
        cwd=directory,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield output
    finally:
        worker.terminate()
        try:
            output.append(worker.communicate(timeout=SECONDS)[0])
        except subprocess.TimeoutExpired:
            worker.kill()
            output.append(worker.communicate()[0])
        print(*output)


@pytest.mark.parametrize(
    "processes",
    [
        pytest.param(OBSERVED_AT_IMPORT, id="at import"),
        pytest.param(OBSERVED_IN_THE_SIGNAL, id="in the signal"),
    ],
)
def test_a_celery_task_in_a_forked_worker_holds_under_its_name(
    tmp_path: Path, processes: str
) -> None:
    messages = tmp_path / "messages"
    messages.mkdir()
    told = tmp_path / "told"
    settings = {
        "broker_transport_options": {
            "data_folder_in": str(messages),
            "data_folder_out": str(messages),
            "control_folder": str(tmp_path / "control"),
            "polling_interval": 0.05,
        },
        "result_backend": f"file://{tmp_path}",
        "worker_hijack_root_logger": False,
    }
    module = WORKER_MODULE.format(
        database_url=f"sqlite:///{tmp_path / 'recipe.db'}",
        told=str(told),
        settings=settings,
        processes=processes,
        tasks=recipes()["Celery"].strip(),
    )
    (tmp_path / "shop.py").write_text(module)
    client = Celery("client", broker="filesystem://")
    client.conf.update(settings)
    try:
        with prefork_worker(tmp_path) as output:
            # In the fork, under its name, in books that begin empty, on a connection of its own.
            first = client.send_task("look").get(timeout=SECONDS)
            assert first == [True, ["task:look"], {"task:look": 1}, 1]
            second = client.send_task("look").get(timeout=SECONDS)
            assert second == [True, ["task:look"], {"task:look": 2}, 1]
            wait_until(lambda: told.exists() and told.read_text().count("True task:look\n") == 2)
    finally:
        client.close()
    assert "Error" not in output[0]
