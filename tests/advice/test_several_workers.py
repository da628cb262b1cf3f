"""A real service of several workers: who is met is said, and chance."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from pool_observer.advice.asking import Asker
from pool_observer.advice.source import measurement_of
from tests.advice.commanding import command
from tests.advice.several_workers import Workers, several_workers
from tests.support import wait_until

NUMBER = 4


@pytest.fixture(scope="module")
def workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workers]:
    with several_workers(NUMBER, tmp_path_factory.mktemp("several_workers")) as it:
        wait_until(lambda: len(it.all_pids()) == NUMBER)
        yield it


def test_each_that_is_met_is_one_of_them_and_that_is_said(workers: Workers) -> None:
    measurement = measurement_of(workers.url, Asker({}, 10.0), 60, "")
    met = [pool.source.removeprefix("pid ") for pool in measurement.pools]
    print(f"met {len(met)} of {NUMBER}: {measurement.remarks}")
    assert len(set(met)) == len(met)
    assert set(met) <= workers.all_pids()
    processes = "one worker process" if len(met) == 1 else f"{len(met)} worker processes"
    assert measurement.remarks[0].startswith(f"Met {processes} in ")


def test_all_of_them_are_reckoned_with(
    workers: Workers, capsys: pytest.CaptureFixture[str]
) -> None:
    command(workers.url, "--workers", str(NUMBER), "--json")
    document = json.loads(capsys.readouterr().out)
    print(document["remarks"])
    assert document["pools"][0]["workers"] == NUMBER
