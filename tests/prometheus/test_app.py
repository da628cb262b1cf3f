"""`metrics_app()`: plain ASGI, without a framework, on any server."""

from __future__ import annotations

import asyncio
import gzip
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from prometheus_client import REGISTRY, CollectorRegistry, Gauge, Metric

from pool_observer import metrics_app
from pool_observer.asgi_types import Message
from pool_observer.prometheus import app as app_module
from tests.asgi.calling import call, scope_for, status
from tests.asgi.serving import serving


@pytest.fixture
def registry() -> CollectorRegistry:
    registry = CollectorRegistry()
    Gauge("orders", "Orders.", registry=registry).set(3)
    return registry


class Collecting:
    """A collector that does as the test says."""

    def __init__(self, registry: CollectorRegistry, do: Any) -> None:
        self._do = do
        registry.register(self)

    def describe(self) -> list[Metric]:
        return []

    def collect(self) -> Iterator[Metric]:
        self._do()
        return iter(())


def body(messages: list[Message]) -> bytes:
    return b"".join(message.get("body", b"") for message in messages)


def headers(messages: list[Message]) -> dict[bytes, bytes]:
    return dict(messages[0]["headers"])


def ask(app: Any, method: str = "GET", **changes: Any) -> list[Message]:
    return asyncio.run(call(app, "/anything", method, **changes))


def test_it_serves_the_registry(registry: CollectorRegistry) -> None:
    answer = ask(metrics_app(registry))
    assert status(answer) == 200
    assert b"orders 3.0" in body(answer)
    assert headers(answer)[b"content-length"] == str(len(body(answer))).encode()
    assert headers(answer)[b"vary"] == b"accept, accept-encoding"


def test_the_global_registry_is_the_default() -> None:
    assert metrics_app().registry is REGISTRY
    assert b"python_info" in body(ask(metrics_app()))


def test_what_is_no_registry_is_refused() -> None:
    with pytest.raises(TypeError, match="registry must be"):
        metrics_app("default")  # type: ignore[arg-type]


def test_several_accept_headers_are_one(registry: CollectorRegistry) -> None:
    accept = [(b"Accept", b"text/html"), (b"accept", b"application/openmetrics-text")]
    answer = ask(metrics_app(registry), headers=[*accept, (b"accept-encoding", b"gzip")])
    assert headers(answer)[b"content-type"].startswith(b"application/openmetrics-text")
    assert gzip.decompress(body(answer)).endswith(b"# EOF\n")


def test_names_come_in_the_query(registry: CollectorRegistry) -> None:
    Gauge("users", "Users.", registry=registry)
    answer = body(ask(metrics_app(registry), query_string=b"name[]=users&name%5B%5D=absent"))
    assert b"users" in answer
    assert b"orders" not in answer


def test_head_is_the_same_without_a_body(registry: CollectorRegistry) -> None:
    get, head = ask(metrics_app(registry)), ask(metrics_app(registry), "HEAD")
    assert headers(head) == headers(get)
    assert body(head) == b""


@pytest.mark.parametrize("method", ["POST", "DELETE", "OPTIONS"])
def test_other_methods_are_not_allowed(registry: CollectorRegistry, method: str) -> None:
    answer = ask(metrics_app(registry), method)
    assert status(answer) == 405
    assert headers(answer)[b"allow"] == b"GET, HEAD"


@pytest.mark.parametrize(
    "garbage",
    [
        {"query_string": b"\xff\xfe&name[]=%ff&==&"},
        {"headers": [(b"accept", b"\xff;;;version=,=;q=x"), (b"accept-encoding", b",;\xff")]},
        {"headers": [(b"accept", b"application/openmetrics-text;version=9.9.9;escaping=nonsense")]},
        {"headers": [(b"accept", b"application/openmetrics-text;version=one")]},
        {"headers": [(b"accept", b"text/plain;version=x.y")]},
        {"headers": []},
    ],
)
def test_garbage_is_answered(registry: CollectorRegistry, garbage: dict[str, Any]) -> None:
    assert status(ask(metrics_app(registry), **garbage)) == 200


def test_it_is_rendered_off_the_event_loop(registry: CollectorRegistry) -> None:
    rendered_in: list[threading.Thread] = []
    Collecting(registry, lambda: rendered_in.append(threading.current_thread()))
    ask(metrics_app(registry))
    assert rendered_in[0] is not threading.main_thread()


def test_the_event_loop_goes_on_meanwhile(registry: CollectorRegistry) -> None:
    go_on = threading.Event()
    Collecting(registry, lambda: go_on.wait(30))

    async def scrape() -> list[Message]:
        answer = asyncio.create_task(call(metrics_app(registry), "/"))
        for _ in range(10):
            await asyncio.sleep(0)  # were the loop held up, this would never come back
        go_on.set()
        return await answer

    assert status(asyncio.run(scrape())) == 200


def test_it_does_not_need_the_loops_own_threads(registry: CollectorRegistry) -> None:
    """In an outage all of them may be waiting for connections."""
    outage = threading.Event()

    async def scrape() -> list[Message]:
        loop = asyncio.get_running_loop()
        waiting = [loop.run_in_executor(None, outage.wait, 30) for _ in range(100)]
        answer = await call(metrics_app(registry), "/")
        outage.set()
        await asyncio.gather(*waiting)
        return answer

    assert status(asyncio.run(scrape())) == 200


def test_no_more_threads_than_a_few_are_taken(registry: CollectorRegistry) -> None:
    go_on = threading.Event()
    Collecting(registry, lambda: go_on.wait(30))
    app = metrics_app(registry)

    async def scrape() -> list[int | None]:
        scrapes = [asyncio.create_task(call(app, "/")) for _ in range(20)]
        done, _ = await asyncio.wait(scrapes, return_when=asyncio.FIRST_COMPLETED)
        while len(done) < 20 - app_module.MOST_AT_A_TIME:
            more, _ = await asyncio.wait(set(scrapes) - done, return_when=asyncio.FIRST_COMPLETED)
            done |= more
        assert {status(await scrape) for scrape in done} == {503}
        go_on.set()
        return [status(await scrape) for scrape in scrapes]

    answers = asyncio.run(scrape())
    assert answers.count(200) == app_module.MOST_AT_A_TIME
    assert status(ask(app)) == 200  # and those turns have been given back


def test_a_scrape_that_is_cancelled_gives_its_turn_back(
    registry: CollectorRegistry, caplog: pytest.LogCaptureFixture
) -> None:
    go_on = threading.Event()
    started = threading.Event()

    def start_and_wait() -> None:
        started.set()
        go_on.wait(30)

    Collecting(registry, start_and_wait)
    app = metrics_app(registry)

    async def cancel() -> None:
        for _ in range(app_module.MOST_AT_A_TIME):
            started.clear()
            scrape = asyncio.create_task(call(app, "/"))
            while not started.is_set():
                await asyncio.sleep(0)
            scrape.cancel()
            with pytest.raises(asyncio.CancelledError):
                await scrape
        go_on.set()
        while len(threading.enumerate()) > threads:
            await asyncio.sleep(0)
        await asyncio.sleep(0)  # what they have left to the loop

    threads = len(threading.enumerate())
    asyncio.run(cancel())
    assert caplog.records == []

    async def scrape_until_answered() -> None:
        while status(await call(app, "/")) != 200:
            await asyncio.sleep(0)

    asyncio.run(asyncio.wait_for(scrape_until_answered(), 30))


def test_a_collector_that_fails_is_told_to_the_log_and_not_to_the_client(
    registry: CollectorRegistry, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise ZeroDivisionError("a secret")

    Collecting(registry, fail)
    app = metrics_app(registry)
    for _ in range(3):
        answer = ask(app)
        assert status(answer) == 500
        assert b"ZeroDivisionError; see the log" in body(answer)
        assert b"secret" not in body(answer)
    assert len(caplog.records) == 1  # once, not at every scrape


def test_without_a_thread_to_be_had_it_is_rendered_all_the_same(
    registry: CollectorRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    app = metrics_app(registry)
    with monkeypatch.context() as without_threads:
        without_threads.setattr(threading.Thread, "start", refuse)
        for _ in range(2 * app_module.MOST_AT_A_TIME):
            assert status(ask(app)) == 200


def test_no_asyncio_is_needed(registry: CollectorRegistry) -> None:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    coroutine = metrics_app(registry)(scope_for("/"), None, send)  # type: ignore[arg-type]
    with pytest.raises(StopIteration):
        coroutine.send(None)
    assert status(sent) == 200


def test_it_lives_on_a_server_of_its_own(registry: CollectorRegistry) -> None:
    with serving(metrics_app(registry)) as address:
        assert "orders 3.0" in httpx.get(f"{address}/metrics").text


def test_a_websocket_is_refused(registry: CollectorRegistry) -> None:
    answer = ask(metrics_app(registry), type="websocket")
    assert [message["type"] for message in answer] == ["websocket.close"]


def test_two_that_serve_the_same_registry_are_equal(registry: CollectorRegistry) -> None:
    assert metrics_app(registry) == metrics_app(registry)
    assert metrics_app(registry) != metrics_app()


def test_a_scope_needs_no_headers(registry: CollectorRegistry) -> None:
    scope = scope_for("/")
    del scope["headers"]
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        raise AssertionError

    asyncio.run(metrics_app(registry)(scope, receive, send))
    assert status(sent) == 200
