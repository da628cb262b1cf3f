"""Every way FastAPI runs code, on a real server and database: whose hold is it, and when?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest
from sqlalchemy import create_engine
from sqlalchemy.ext.asyncio import create_async_engine
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect as connect_websocket

from pool_observer import Hold, Phase, PoolObserver, observe
from tests.asgi.matrix import FASTAPI, Matrix
from tests.asgi.serving import serving
from tests.postgres import Postgres
from tests.support import RecordingListener, wait_until

Phases = tuple[Phase, ...]

HANDLER, RESPONSE, BACKGROUND, DETACHED = Phase
UNTIL_AFTER: Phases = (HANDLER, RESPONSE, BACKGROUND)

# The exit code of a dependency ran before the response until FastAPI 0.117, and runs after it
# since, unless `scope="function"` says otherwise (0.121 and newer).
EXITS_LATE = FASTAPI >= (0, 118)
DEPENDENCY: Phases = UNTIL_AFTER if EXITS_LATE else (HANDLER,)
EXIT_CODE: Phases = (BACKGROUND,) if EXITS_LATE else (HANDLER,)

WAYS: list[tuple[str, str, str, Phases]] = [
    # request, holder, phases
    ("GET", "/async/5", "GET /async/{order}", (HANDLER,)),
    ("GET", "/sync/5", "GET /sync/{order}", (HANDLER,)),
    ("GET", "/blocking/5", "GET /blocking/{order}", (HANDLER,)),
    ("GET", "/thread-pool/5", "GET /thread-pool/{order}", (HANDLER,)),
    ("GET", "/to-thread/5", "GET /to-thread/{order}", (HANDLER,)),
    ("GET", "/executor/5", "unattributed", ()),
    ("GET", "/named-executor/5", "export", ()),
    ("GET", "/task/5", "GET /task/{order}", (HANDLER,)),
    ("GET", "/holding/5", "chat:retrieval", (HANDLER,)),
    ("WS", "/ws/5", "WS /ws/{order}", (HANDLER,)),
    ("GET", "/dependency/5", "GET /dependency/{order}", (HANDLER,)),
    ("GET", "/session/5", "GET /session/{order}", DEPENDENCY),
    ("GET", "/thread-session/5", "GET /thread-session/{order}", DEPENDENCY),
    ("GET", "/teardown/5", "GET /teardown/{order}", EXIT_CODE),
    ("GET", "/thread-teardown/5", "GET /thread-teardown/{order}", EXIT_CODE),
    ("POST", "/background/5", "POST /background/{order}", (BACKGROUND,)),
    ("POST", "/thread-background/5", "POST /thread-background/{order}", (BACKGROUND,)),
    ("GET", "/stream/5", "GET /stream/{order}", (RESPONSE,)),
    ("GET", "/thread-stream/5", "GET /thread-stream/{order}", (RESPONSE,)),
    (
        "GET",
        "/stream-of-the-handler/5",
        "GET /stream-of-the-handler/{order}",
        (HANDLER, RESPONSE),
    ),
    ("POST", "/detached/5", "POST /detached/{order}", (DETACHED,)),
    ("POST", "/handed-over/5", "POST /handed-over/{order}", (*UNTIL_AFTER, DETACHED)),
    ("GET", "/expected/5", "GET /expected/{order}", (HANDLER,)),
    ("GET", "/unexpected/5", "GET /unexpected/{order}", (HANDLER,)),
    ("GET", "/raises-holding/5", "GET /raises-holding/{order}", (HANDLER,)),
    ("GET", "/nowhere/5", "unmatched", (HANDLER,)),
    ("GET", "/mounted/acme/nowhere/5", "unmatched", UNTIL_AFTER),
    ("DELETE", "/async/5", "DELETE /async/{order}", (HANDLER,)),
    ("PUT", "/api/v1/orders/5", "PUT /api/v1/orders/{order}", (HANDLER,)),
    ("GET", "/mounted/acme/5", "GET /mounted/{tenant}/{order}", (HANDLER,)),
    ("GET", "/starlette/5", "GET /starlette/{order}", (HANDLER,)),
    ("GET", "/middleware/5", "GET /middleware/{order}", UNTIL_AFTER),
    ("GET", "/base-http/before/5", "GET /base-http/before/{order}", (HANDLER,)),
    ("GET", "/base-http/after/5", "GET /base-http/after/{order}", (RESPONSE,)),
]
if FASTAPI >= (0, 121):
    WAYS += [
        ("GET", "/function-session/5", "GET /function-session/{order}", (HANDLER,)),
        ("GET", "/function-thread-session/5", "GET /function-thread-session/{order}", (HANDLER,)),
        ("GET", "/function-teardown/5", "GET /function-teardown/{order}", (HANDLER,)),
    ]


@dataclass
class Service:
    """The application, observed and served."""

    matrix: Matrix
    observers: list[PoolObserver]
    heard: RecordingListener
    address: str

    def holds(self) -> list[Hold]:
        """What has been held until now."""
        for observer in self.observers:
            observer.deliver()
        return self.heard.holds

    def request(self, method: str, path: str) -> None:
        """One request, and when it is over, whatever it has left behind."""
        over = self.matrix.over
        if method == "WS":
            address = f"ws{self.address.removeprefix('http')}{path}"
            with connect_websocket(address) as websocket, pytest.raises(ConnectionClosed):
                websocket.recv()
        else:
            httpx.request(method, f"{self.address}{path}")
        wait_until(lambda: self.matrix.over > over)
        for task in self.matrix.tasks:
            task.get_loop().call_soon_threadsafe(self.matrix.go_on.set)


@pytest.fixture(scope="module")
def service(postgres: Postgres) -> Iterator[Service]:
    asynchronous = create_async_engine(postgres.url("asyncpg"))
    synchronous = create_engine(postgres.url("psycopg"))
    matrix = Matrix(asynchronous, synchronous)
    observers = [
        observe(asynchronous, matrix.app, name="asynchronous"),
        observe(synchronous, matrix.app, name="synchronous"),
    ]
    heard = RecordingListener()
    for observer in observers:
        observer.subscribe(heard)
    with serving(matrix) as address:
        yield Service(matrix, observers, heard, address)
    synchronous.dispose()
    for observer in observers:
        state = observer.snapshot()
        assert (state.used, state.waiting, state.drift) == (0, 0, 0)
        assert not state.totals.internal_errors
        observer.close()


def test_lifespan_code_is_unattributed_unless_it_is_named(service: Service) -> None:
    assert [(hold.holder, hold.phase) for hold in service.holds()[:2]] == [
        ("unattributed", None),
        ("start-up", None),
    ]


@pytest.mark.parametrize(("method", "path", "holder", "phases"), WAYS, ids=lambda value: str(value))
def test_a_hold_is_named_and_split_by_phase(
    service: Service, method: str, path: str, holder: str, phases: Phases
) -> None:
    before = len(service.holds())
    service.request(method, path)
    wait_until(lambda: len(service.holds()) > before)
    (hold,) = service.holds()[before:]
    assert hold.holder == holder
    assert tuple(phase for phase, time in hold.phase_ns.items() if time) == phases
    assert hold.phase is (phases[-1] if phases else None)
    if phases:
        assert sum(hold.phase_ns.values()) == hold.duration_ns


def test_the_totals_add_up_to_what_was_held(service: Service) -> None:
    holds = service.holds()
    for observer in service.observers:
        for holder, totals in observer.snapshot().totals.holders.items():
            held = [h for h in holds if h.pool == observer.name and h.holder == holder]
            assert totals.checkouts == len(held)
            for phase in Phase:
                assert totals.phase_ns[phase] == sum(h.phase_ns.get(phase, 0) for h in held)
