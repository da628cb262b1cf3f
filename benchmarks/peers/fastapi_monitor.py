"""fastapi-sqlalchemy-monitor's engine listeners, in one long request."""

from __future__ import annotations

from sqlalchemy import Engine

from benchmarks.attached import Attached, peer_module


def attach(engine: Engine) -> Attached:
    """What its middleware registers on the engine; the middleware's own cost is left out."""
    monitor = peer_module("fastapi_sqlalchemy_monitor").SQLAlchemyMonitor(app=None, engine=engine)
    monitor.init_statistics()
    return Attached(
        # Each request starts with empty statistics; without that, the list of timings that it
        # keeps for every statement would grow through the whole run.
        afterwards=monitor.init_statistics,
        remark="its middleware (a BaseHTTPMiddleware) is left out",
    )
