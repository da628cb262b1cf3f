"""Records how long waits and holds have lasted, each with the trace it belongs to."""

from __future__ import annotations

from opentelemetry.metrics import Histogram

from pool_observer.listener import Listener
from pool_observer.metric import POOL_LABEL
from pool_observer.model import NANOSECONDS, ConnectionOpened, Hold, Wait
from pool_observer.opentelemetry.parents import context_of

WAIT_TIME = "db.client.connection.wait_time"
USE_TIME = "db.client.connection.use_time"
CREATE_TIME = "db.client.connection.create_time"


class DurationRecorder(Listener):
    """Fills the histograms of the contract."""

    def __init__(self, histograms: dict[str, Histogram]) -> None:
        self._wait_time = histograms[WAIT_TIME]
        self._use_time = histograms[USE_TIME]
        self._create_time = histograms[CREATE_TIME]

    def wait_ended(self, wait: Wait) -> None:
        attributes = {POOL_LABEL: wait.pool, "holder": wait.holder}
        self._wait_time.record(wait.seconds, attributes, context_of(wait.trace))

    def hold_ended(self, hold: Hold) -> None:
        attributes = {POOL_LABEL: hold.pool, "holder": hold.holder}
        self._use_time.record(hold.seconds, attributes, context_of(hold.trace))

    def connection_opened(self, event: ConnectionOpened) -> None:
        if event.create_ns is not None:
            self._create_time.record(event.create_ns / NANOSECONDS, {POOL_LABEL: event.pool})
