"""Finds out what answers at an address, and has it measured."""

from __future__ import annotations

from pool_observer.advice.asking import Asker, NotJsonError, checked, without_credentials
from pool_observer.advice.measurement import CannotMeasureError, Measurement
from pool_observer.advice.page import from_page, is_page
from pool_observer.advice.prometheus import Questions, is_prometheus, query_url


def measurement_of(url: str, asker: Asker, window_seconds: int, selector: str) -> Measurement:
    """What the live page, or the Prometheus, at this address knows."""
    try:
        answer = asker.json(url)
        said = "it answered something else"
    except NotJsonError as error:
        answer, said = None, str(error)
    if is_page(answer):
        return from_page(answer, lambda: asker.json(url))
    if _is_prometheus(asker, url):
        return Questions(
            lambda expression: asker.json(query_url(url, expression)), window_seconds, selector
        ).pools()
    shown = without_credentials(checked(url))
    raise CannotMeasureError(
        f"{shown} is neither a live page (the debug_path of observe()) nor a Prometheus: {said}"
    )


def _is_prometheus(asker: Asker, url: str) -> bool:
    try:
        return is_prometheus(asker.json(query_url(url, "1")))
    except NotJsonError:
        return False
