"""Finds out what answers at an address, and has it measured."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pool_observer.advice.asking import (
    Asker,
    NoAnswerError,
    NotJsonError,
    checked,
    without_credentials,
)
from pool_observer.advice.measurement import CannotMeasureError, Measurement
from pool_observer.advice.page import from_page, is_page
from pool_observer.advice.prometheus import Questions, is_prometheus, query_url
from pool_observer.advice.workers import shared_out

TRIES = 3
"""One that does not answer may not be the only worker there is."""


def measurement_of(
    url: str, asker: Asker, window_seconds: int, selector: str, workers: int | None = None
) -> Measurement:
    """What the live page, or the Prometheus, at this address knows.

    :param workers: how many worker processes there are in all, if that is known.
    """
    failures: list[str] = []
    try:
        answer = _answer(asker, url, failures)
        said = "it answered something else"
    except NotJsonError as error:
        answer, said = None, str(error)
    if is_page(answer):
        return from_page(answer, lambda: asker.json(url), workers=workers, failures=failures)
    if _is_prometheus(asker, url):
        measured = Questions(
            lambda expression: asker.json(query_url(url, expression)), window_seconds, selector
        ).pools()
        if workers is None:
            return measured
        return replace(measured, pools=shared_out(measured.pools, workers))
    shown = without_credentials(checked(url))
    raise CannotMeasureError(
        f"{shown} is neither a live page (the debug_path of observe()) nor a Prometheus: {said}"
    )


def _answer(asker: Asker, url: str, failures: list[str]) -> Any:
    while True:
        try:
            return asker.json(url)
        except NoAnswerError as error:
            failures.append(str(error))
            if len(failures) == TRIES:
                raise


def _is_prometheus(asker: Asker, url: str) -> bool:
    try:
        return is_prometheus(asker.json(query_url(url, "1")))
    except NotJsonError:
        return False
