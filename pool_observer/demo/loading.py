"""Drives users against somebody's service, and says what it was like for them."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Iterator
from http import HTTPStatus

from pool_observer.demo.act import beside
from pool_observer.demo.figures import NO_ANSWER, Figures, Kind, Request
from pool_observer.demo.load import Mix, drive, knock
from pool_observer.demo.terminal import Screen


def load(url: str, mix: Mix, seconds: float, screen: Screen) -> Figures:
    """Raises OSError if nobody is there."""
    figures = asyncio.run(_load(url, mix, seconds, screen))
    for line in said(figures):
        screen.say(line)
    return figures


async def _load(url: str, mix: Mix, seconds: float, screen: Screen) -> Figures:
    await knock(url, mix)
    screen.say(f"{mix.users} users ask {url} for {seconds:g} s ...")
    requests: list[Request] = []
    async with beside(_progress(requests, screen)):
        return await drive(url, mix, seconds, requests.append)


async def _progress(requests: list[Request], screen: Screen) -> None:
    began = time.monotonic()
    second = 0
    while True:
        second += 1
        await asyncio.sleep(max(0.0, began + second - time.monotonic()))
        answered = sum(each.answered for each in requests)
        screen.progress(
            second, f"{second:>4} s  {answered} answered, {len(requests) - answered} failed"
        )


def said(figures: Figures) -> Iterator[str]:
    """The figures as a table, and how requests have failed."""
    yield f"{'':<6}{'requests':>10}{'answered':>10}{'p50':>12}{'p95':>12}{'longest':>12}"
    for kind in Kind:
        chosen = figures.of(kind)
        times = "".join(f"{_ms(chosen.quantile(share)):>12}" for share in (0.5, 0.95, 1.0))
        yield f"{kind:<6}{len(chosen.requests):>10}{chosen.answered:>10}{times}"
    yield f"{figures.answered_per_minute:.0f} requests answered/min"
    for status, number in sorted(figures.statuses.items()):
        if not 200 <= status < 300:
            yield f"{number} x {_named(status)}"


def _ms(seconds: float) -> str:
    return "none" if math.isnan(seconds) else f"{seconds * 1000:.0f} ms"


def _named(status: int) -> str:
    if status == NO_ANSWER:
        return "no answer"
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)
