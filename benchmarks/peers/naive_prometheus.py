"""What people write by hand: event listeners that call prometheus_client as things happen."""

from __future__ import annotations

from time import perf_counter
from typing import Any

from prometheus_client import CollectorRegistry, Gauge, Histogram
from sqlalchemy import Engine, event

from benchmarks.attached import Attached

POOL = "orders"


def attach(engine: Engine) -> Attached:
    """With a registry that nobody asks for anything."""
    return attach_to(engine, CollectorRegistry())


def attach_to(engine: Engine, registry: CollectorRegistry) -> Attached:
    """Connections in use, how long they were, and how long statements took."""
    in_use = Gauge("db_connections_in_use", "Connections in use", ["pool"], registry=registry)
    held = Histogram("db_connection_seconds", "Time in use", ["pool"], registry=registry)
    query = Histogram("db_query_seconds", "Time to execute", ["pool"], registry=registry)

    def checkout(dbapi_connection: Any, record: Any, proxy: Any) -> None:
        in_use.labels(POOL).inc()
        record.info["checked_out_at"] = perf_counter()

    def checkin(dbapi_connection: Any, record: Any) -> None:
        in_use.labels(POOL).dec()
        began = record.info.pop("checked_out_at", None)
        if began is not None:
            held.labels(POOL).observe(perf_counter() - began)

    def before_cursor_execute(
        conn: Any, cursor: Any, statement: str, parameters: Any, context: Any, executemany: bool
    ) -> None:
        context.query_began = perf_counter()

    def after_cursor_execute(
        conn: Any, cursor: Any, statement: str, parameters: Any, context: Any, executemany: bool
    ) -> None:
        query.labels(POOL).observe(perf_counter() - context.query_began)

    event.listen(engine, "checkout", checkout)
    event.listen(engine, "checkin", checkin)
    event.listen(engine, "before_cursor_execute", before_cursor_execute)
    event.listen(engine, "after_cursor_execute", after_cursor_execute)
    return Attached()
