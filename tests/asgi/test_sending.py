"""When a response begins and ends, on a clock of the test's own."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from pool_observer.asgi.sending import noting_send
from pool_observer.asgi_types import Message
from pool_observer.progress import RequestProgress
from tests.support import FakeClock

START = {"type": "http.response.start", "status": 200}


def chunk(*, more: bool) -> Message:
    return {"type": "http.response.body", "body": b"chunk", "more_body": more}


class Sending:
    """A server that takes a second for each message, with our `send` around it."""

    def __init__(self, error: Exception | None = None) -> None:
        self.clock = FakeClock()
        self.progress = RequestProgress()
        self.sent: list[Any] = []
        self.error = error
        self.send = self.around(self.server)

    def around(self, send: Any) -> Any:
        return noting_send(send, self.progress, self.clock)

    async def server(self, message: Any) -> None:
        self.clock.advance(1)
        self.sent.append(message)
        if self.error is not None and "body" in message:
            raise self.error

    def send_all(self, *messages: Any) -> tuple[int | None, int | None]:
        """When the response began and ended, in seconds."""

        async def send() -> None:
            for message in messages:
                await self.send(message)

        asyncio.run(send())
        return self.noted()

    def noted(self) -> tuple[int | None, int | None]:
        began, ended = self.progress.response_at, self.progress.background_at
        return _seconds(began), _seconds(ended)


def _seconds(nanoseconds: int | None) -> int | None:
    return None if nanoseconds is None else nanoseconds // 1_000_000_000


@pytest.fixture
def sending() -> Sending:
    return Sending()


def test_a_response_lasts_until_the_last_of_its_body_is_sent(sending: Sending) -> None:
    sending.clock.advance(10)
    assert sending.send_all(START, chunk(more=True), chunk(more=True)) == (10, None)
    sending.clock.advance(10)
    assert sending.send_all(chunk(more=False)) == (10, 24)
    assert len(sending.sent) == 4


def test_a_file_is_the_last_of_a_body(sending: Sending) -> None:
    assert sending.send_all(START, {"type": "http.response.pathsend", "path": "/"}) == (0, 2)


def test_what_servers_are_told_beside_the_response_is_no_part_of_it(sending: Sending) -> None:
    others = ("http.response.debug", "http.response.push", "websocket.send", "websocket.close")
    assert sending.send_all(*({"type": kind} for kind in others)) == (None, None)
    assert len(sending.sent) == len(others)


def test_a_body_that_cannot_be_sent_is_over_as_well() -> None:
    sending = Sending(OSError("gone"))
    with pytest.raises(OSError, match="gone"):
        sending.send_all(START, chunk(more=False))
    assert sending.noted() == (0, 2)


def test_whoever_sees_it_first_notes_it(sending: Sending) -> None:
    outside = sending.send

    async def slow(message: Any) -> None:
        # A middleware between the two, which passes on what it has got after a while.
        sending.clock.advance(100)
        await outside(message)

    sending.send = sending.around(slow)
    began, ended = sending.send_all(START, chunk(more=False))
    assert began == 0
    assert ended == 202
    # The same response once more, as some error handlers do, begins nothing.
    assert sending.send_all(START, chunk(more=False)) == (0, 202)
