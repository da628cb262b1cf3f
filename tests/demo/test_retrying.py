"""How the example service asks a model again that was too busy."""

from __future__ import annotations

import asyncio
import importlib
from typing import Any

import pytest

from pool_observer.demo.service import example_folder


class Model:
    """Refuses so many times, and then answers."""

    def __init__(self, refusal: type[Exception], times: int) -> None:
        self._refusal = refusal
        self._left = times

    async def ask(self) -> str:
        self._left -= 1
        if self._left >= 0:
            raise self._refusal
        return "yes"


@pytest.fixture
def retrying(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(example_folder()))
    return importlib.import_module("llm_service.retrying")


@pytest.fixture
def pauses(retrying: Any, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The longest that each pause may be; none takes any time."""
    longest: list[float] = []

    def uniform(_: float, most: float) -> float:
        longest.append(most)
        return 0.0

    monkeypatch.setattr(retrying.random, "uniform", uniform)
    return longest


def test_each_pause_may_be_twice_as_long_as_the_one_before(
    retrying: Any, pauses: list[float]
) -> None:
    model = Model(retrying.ModelBusyError, 3)
    assert asyncio.run(retrying.with_retries(model.ask)) == "yes"
    assert pauses == [0.2, 0.4, 0.8]


def test_the_last_refusal_is_the_callers(retrying: Any, pauses: list[float]) -> None:
    with pytest.raises(retrying.ModelBusyError):
        asyncio.run(retrying.with_retries(Model(retrying.ModelBusyError, 4).ask))
    assert len(pauses) == 3


def test_what_is_no_refusal_is_not_tried_again(retrying: Any, pauses: list[float]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 (the fault that was put in)
        asyncio.run(retrying.with_retries(Model(ValueError, 1).ask))
    assert pauses == []
