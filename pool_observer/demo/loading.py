"""Drives users against somebody's service, and says what it was like for them."""

from __future__ import annotations

import asyncio
import math
import signal
import time
from collections.abc import Iterator
from http import HTTPStatus

from pool_observer.demo.act import beside
from pool_observer.demo.ending import ended_by
from pool_observer.demo.figures import NO_ANSWER, Figures, Kind, Request, quantile
from pool_observer.demo.load import Mix, drive, knock, public
from pool_observer.demo.terminal import Screen


def load(url: str, mix: Mix, seconds: float, screen: Screen) -> Figures:
    """Raises OSError if nobody is there."""
    with ended_by(signal.SIGINT) as ending:
        figures = ending.run(_load(url, mix, seconds, screen))
    for line in said(figures):
        screen.say(line)
    return figures


async def _load(url: str, mix: Mix, seconds: float, screen: Screen) -> Figures:
    screen.say(f"{mix.users} users ask {public(url)} for {seconds:g} s ...")
    await knock(url, mix)
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
    """The figures as a table, with the times of what was answered, and how requests have failed."""
    yield f"{'':<6}{'requests':>10}{'answered':>10}{'p50':>12}{'p95':>12}{'longest':>12}"
    for kind in Kind:
        chosen = figures.of(kind)
        answers = chosen.answers
        times = "".join(f"{_ms(answers.quantile(share)):>12}" for share in (0.5, 0.95, 1.0))
        yield f"{kind:<6}{len(chosen.requests):>10}{chosen.answered:>10}{times}"
    yield f"{figures.answered_per_minute:.0f} requests answered/min"
    failed = Figures(tuple(each for each in figures.requests if not each.answered), figures.seconds)
    if not failed.requests:
        return
    yield "The times are of what was answered. What failed:"
    for status, number in sorted(failed.statuses.items()):
        waits = [each.seconds for each in failed.requests if each.status == status]
        half, longest = _ms(quantile(waits, 0.5)), _ms(quantile(waits, 1.0))
        yield f"{number} x {_named(status)}, half within {half}, the longest {longest}"
    if any(300 <= status < 400 for status in failed.statuses):
        yield "No redirect is followed: name the path it leads to (--chat-path, --item-path)."


def _ms(seconds: float) -> str:
    return "none" if math.isnan(seconds) else f"{seconds * 1000:.0f} ms"


def _named(status: int) -> str:
    if status == NO_ANSWER:
        return "no answer"
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)
