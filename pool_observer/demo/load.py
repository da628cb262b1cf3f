"""Users that ask a service over HTTP, each again as soon as they were answered and have thought.

Knows nothing of pools, and uses nothing of what observes them: what it counts is what users see.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

import httpx

from pool_observer.demo.figures import NO_ANSWER, Figures, Kind, Request

USER = "{user}"
"""Stands for the number of the user in a path."""

PATIENCE = 60.0
"""Seconds that a user waits for an answer."""

FIRST_PATIENCE = 10.0
"""Seconds for the first answer of all: a service that is well has given one by then."""


@dataclass(frozen=True, slots=True)
class Mix:
    """Who asks for what. The defaults are the published experiment."""

    users: int = 100
    chat_share: float = 0.7
    chat_path: str = f"/chat/{USER}"
    chat_body: str = '{"message": "Who is holding our connections?"}'
    item_path: str = "/items"
    thinking: tuple[float, float] = (0.5, 1.5)
    """Seconds between an answer and the next request, at least and at most."""


@dataclass(slots=True)
class _Run:
    client: httpx.AsyncClient
    mix: Mix
    began: float
    until: float
    seen: Callable[[Request], object]


async def drive(url: str, mix: Mix, seconds: float, seen: Callable[[Request], object]) -> Figures:
    """The users come, ask for so long, and await their last answers. `seen` is told of each."""
    requests: list[Request] = []

    def note(request: Request) -> None:
        requests.append(request)
        seen(request)

    async with _client(url) as client:
        began = time.monotonic()
        run = _Run(client, mix, began, began + seconds, note)
        async with asyncio.TaskGroup() as users:
            for number in range(1, mix.users + 1):
                users.create_task(_user(run, number))
    return Figures(tuple(requests), seconds)


async def alone(url: str, mix: Mix, number: int) -> Figures:
    """A single user asks for so many items, one after the other: the service without a load."""
    requests: list[Request] = []
    async with _client(url) as client:
        began = time.monotonic()
        run = _Run(client, mix, began, began, requests.append)
        for _ in range(number):
            await _ask(run, Kind.ITEM, 1)
    return Figures(tuple(requests), time.monotonic() - began)


async def knock(url: str, mix: Mix) -> None:
    """Raises OSError if nobody is there."""
    shown = public(url)
    try:
        async with _client(url) as client:
            client.build_request("POST", mix.chat_path.replace(USER, "1"))
            await client.get(mix.item_path.replace(USER, "1"), timeout=FIRST_PATIENCE)
    except httpx.ReadTimeout:
        raise OSError(
            f"{shown} accepts connections but does not answer: it was asked for {mix.item_path}, "
            f"and said nothing for {FIRST_PATIENCE:g} s"
        ) from None
    except httpx.HTTPError as error:
        raise OSError(
            f"{shown} cannot be reached ({type(error).__name__}). Is it running, and is this "
            "its address?"
        ) from None
    except (httpx.InvalidURL, ValueError):  # such as a name that no host may have
        raise OSError(f"{shown} with these paths is no address that can be asked") from None


def public(url: str) -> str:
    """The address as it may be shown: without a password."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


async def _user(run: _Run, number: int) -> None:
    chance = random.Random(number)  # noqa: S311 (each run asks for the same)
    # They do not all come at the same moment, which is not what happens to services.
    await asyncio.sleep(chance.uniform(0, min(run.mix.thinking[1], run.until - run.began)))
    while time.monotonic() < run.until:
        await _ask(run, Kind.CHAT if chance.random() < run.mix.chat_share else Kind.ITEM, number)
        pause = chance.uniform(*run.mix.thinking)
        await asyncio.sleep(min(pause, run.until - time.monotonic()))


async def _ask(run: _Run, kind: Kind, number: int) -> None:
    mix = run.mix
    began = time.monotonic()
    try:
        if kind is Kind.CHAT:
            path = mix.chat_path.replace(USER, str(number))
            answer = await run.client.post(
                path, content=mix.chat_body, headers={"Content-Type": "application/json"}
            )
        else:
            answer = await run.client.get(mix.item_path.replace(USER, str(number)))
        status = answer.status_code
    except httpx.HTTPError:
        status = NO_ANSWER
    ended = time.monotonic()
    run.seen(Request(kind, status, ended - began, ended - run.began))


def _client(url: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        base_url=url,
        timeout=PATIENCE,
        limits=httpx.Limits(max_connections=None, max_keepalive_connections=None),
        trust_env=urlsplit(url).hostname not in ("127.0.0.1", "localhost", "::1"),
    )
