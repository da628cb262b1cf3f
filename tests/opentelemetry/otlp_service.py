"""A service that tells OpenTelemetry all it can, over OTLP: its routes, and who asks for them."""

from __future__ import annotations

import asyncio
import gc
import warnings
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from typing import Any

import httpx
from fastapi import BackgroundTasks, FastAPI
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.instrumentation.utils import suppress_instrumentation
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import Sampler
from sqlalchemy import URL, event, text
from sqlalchemy.exc import SAWarning
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from starlette.responses import StreamingResponse

from pool_observer import OpenTelemetry, PoolObserver, expect_long_hold, holding, observe
from tests.asgi.serving import serving
from tests.opentelemetry.receiver import Receiver
from tests.support import RecordingListener

SIZE = 2
"""The connections there are."""

LEAK_AFTER = 0.05
WARM_UP = "warm-up"
SELECT = text("SELECT 1")
NAP = text("SELECT pg_sleep(0.005)")

CHECKED_IN = ("acquired", "checkin")
"""What mostly becomes of who asks the pool: how the wait ends, and then the hold."""


class OrderService:
    """One route for each thing that may become of a connection."""

    def __init__(self, database: URL, tracer: Any) -> None:
        self.refuses = False
        """Whether the database refuses new connections."""
        self._tracer = tracer
        self._gates: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self.engine = create_async_engine(
            database, pool_size=SIZE, max_overflow=0, pool_timeout=2.0, pool_pre_ping=True
        )
        event.listen(self.engine.sync_engine, "do_connect", self._refuse)
        self.app = FastAPI(lifespan=self._lifespan)
        endpoints: dict[Callable[..., Any], str] = {
            self.read: "GET /orders/{order}",
            self.hold: "GET /held/{order}",
            self.export: "POST /export/{order}",
            self.open_gate: "POST /gates/{order}",
            self.give_up: "POST /given_up/{order}",
            self.nest: "GET /nested/{order}",
            self.fail: "GET /failed/{order}",
            self.cut: "POST /cut/{order}",
            self.invalidate: "POST /invalidated/{order}",
            self.detach: "POST /detached/{order}",
            self.lose: "POST /lost/{order}",
            self.stream: "GET /streamed/{order}",
            self.mail: "POST /mailed/{order}",
            self.charge: "POST /charged/{order}",
            self.keep_quiet: "GET /quiet/{order}",
        }
        for endpoint, names in endpoints.items():
            method, path = names.split(" ")
            self.app.add_api_route(path, endpoint, methods=[method])

    @asynccontextmanager
    async def _lifespan(self, app: FastAPI) -> AsyncIterator[None]:
        with holding(WARM_UP):  # no request, and no span that is current
            await self._use()
        yield
        await self.engine.dispose()

    def _refuse(self, *_: Any) -> None:
        if self.refuses:
            raise ConnectionRefusedError("the database refuses new connections")

    async def _use(self) -> None:
        async with self.engine.connect() as connection:
            await connection.execute(SELECT)

    async def read(self, order: str) -> None:
        async with AsyncSession(self.engine) as session:
            for statement in (SELECT, NAP, SELECT):
                await session.execute(statement)
            await session.commit()

    async def hold(self, order: str) -> None:
        async with self.engine.connect() as connection:  # held here
            await connection.execute(SELECT)
            await self._gates[order].wait()
            await connection.commit()

    async def export(self, order: str) -> None:
        with expect_long_hold(60, "nightly export"):
            async with self.engine.connect() as connection:
                await connection.execute(SELECT)
                await self._gates[order].wait()

    async def open_gate(self, order: str) -> None:
        self._gates[order].set()

    async def give_up(self, order: str) -> None:
        waiting = asyncio.create_task(self._use())
        await self._gates[order].wait()
        waiting.cancel()
        with suppress(asyncio.CancelledError):
            await waiting

    async def nest(self, order: str) -> None:
        async with self.engine.connect() as outer:
            await outer.execute(SELECT)
            await self._use()

    async def fail(self, order: str) -> None:
        async with self.engine.begin() as connection:
            await connection.execute(text("SELECT 1 / 0"))

    async def cut(self, order: str) -> None:
        async with self.engine.connect() as connection:
            await connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

    async def invalidate(self, order: str) -> None:
        async with self.engine.connect() as connection:
            await connection.invalidate()

    async def detach(self, order: str) -> None:
        async with self.engine.connect() as connection:
            await connection.execute(SELECT)
            await connection.run_sync(lambda inner: inner.detach())

    async def lose(self, order: str) -> None:
        gc.freeze()  # so that there is little to look at, and the hold is short
        try:
            connection = await self.engine.connect()
            await connection.execute(SELECT)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", SAWarning)  # which says that it was lost
                del connection
                gc.collect()
        finally:
            gc.unfreeze()

    async def stream(self, order: str) -> StreamingResponse:
        async def rows() -> AsyncIterator[str]:
            async with self.engine.connect() as connection:
                await connection.execute(SELECT)
                yield "row"

        return StreamingResponse(rows())

    async def mail(self, order: str, tasks: BackgroundTasks) -> None:
        tasks.add_task(self._use)

    async def charge(self, order: str) -> None:
        with self._tracer.start_as_current_span("charge"):
            await self._use()

    async def keep_quiet(self, order: str) -> None:
        with suppress_instrumentation():
            await self._use()


@dataclass(frozen=True)
class Asked:
    """A request that was answered, and what the pool was to do in it."""

    holder: str
    order: str
    sampled: bool
    trace_id: str
    client_span_id: str
    """The client's own span, which the server's is a child of."""
    claims: tuple[tuple[str, str | None], ...]
    """How each wait ended in it, and the hold after it, if there was one."""


class Client:
    """Asks for routes, each time in a trace of its own."""

    def __init__(self, address: str) -> None:
        self.asked: list[Asked] = []
        # A connection for each request: after an exception, uvicorn closes the one it came by.
        each_its_own = httpx.Limits(max_keepalive_connections=0)
        self._http = httpx.Client(
            base_url=address, timeout=30, limits=each_its_own, trust_env=False
        )
        self._threads = ThreadPoolExecutor(max_workers=8)
        self._numbers = count(1)

    def ask(
        self,
        holder: str,
        *claims: tuple[str, str | None],
        order: str | None = None,
        sampled: bool = True,
        status: int = 200,
    ) -> Asked:
        """Ask and wait for the answer. Without an order it is one that nobody has asked for."""
        number = next(self._numbers)
        order = order or str(number)
        trace_id, span_id = f"{number:032x}", f"{number:016x}"
        method, route = holder.split(" ")
        answer = self._http.request(
            method,
            route.replace("{order}", order),
            headers={"traceparent": f"00-{trace_id}-{span_id}-{sampled:02x}"},
        )
        assert answer.status_code == status, (holder, answer.text)
        asked = Asked(holder, order, sampled, trace_id, span_id, claims)
        self.asked.append(asked)
        return asked

    def begin(self, *args: Any, **options: Any) -> Any:
        """Ask, and do not wait for the answer."""
        return self._threads.submit(self.ask, *args, **options)

    def close(self) -> None:
        self._threads.shutdown()
        self._http.close()


@dataclass(frozen=True)
class Running:
    """The service as it runs, and who asks it."""

    service: OrderService
    observer: PoolObserver
    heard: RecordingListener
    """What the observer itself says about waits and holds."""
    client: Client
    tracer_provider: TracerProvider
    meter_provider: MeterProvider


@contextmanager
def running(
    database: URL, receiver: Receiver, *, sampler: Sampler | None = None, **options: Any
) -> Iterator[Running]:
    """The service under a real uvicorn, telling the receiver of everything."""
    spans = OTLPSpanExporter(f"{receiver.url}/v1/traces")
    figures = OTLPMetricExporter(
        f"{receiver.url}/v1/metrics",
        compression=Compression.Gzip,
    )
    tracer_provider = TracerProvider(sampler=sampler)
    tracer_provider.add_span_processor(BatchSpanProcessor(spans))
    meter_provider = MeterProvider([PeriodicExportingMetricReader(figures)])
    to_these: Any = {"tracer_provider": tracer_provider, "meter_provider": meter_provider}
    service = OrderService(database, tracer_provider.get_tracer("orders"))
    observer = observe(
        service.engine,
        service.app,
        name="orders",
        leak_after=LEAK_AFTER,
        registry=None,
        opentelemetry=OpenTelemetry(**to_these, **options),
    )
    FastAPIInstrumentor.instrument_app(service.app, **to_these)
    heard = RecordingListener()
    observer.subscribe(heard)
    try:
        with serving(service.app) as address:
            client = Client(address)
            try:
                yield Running(service, observer, heard, client, tracer_provider, meter_provider)
            finally:
                client.close()
    finally:
        observer.close()
        FastAPIInstrumentor.uninstrument_app(service.app)
        tracer_provider.shutdown()
        meter_provider.shutdown()
