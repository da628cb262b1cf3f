"""The troubles of the service, one after another, and which alerts each has to raise."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass

from tests.monitoring.live.service import (
    BLOCKED_LOOP,
    BROKEN_OBSERVER,
    DEAF_LISTENER,
    LONG_TRANSFER,
    SLOW_NETWORK,
)
from tests.monitoring.live.stage import PATIENCE, Stage
from tests.monitoring.live.traffic import HEALTHY
from tests.monitoring.live.watching import within

CHAT = "POST /chat/{user}"
SELL = "POST /items/{item}/sell"


@dataclass(frozen=True)
class Phase:
    name: str
    alerts: tuple[str, ...]
    """What fires in it. Nothing else does."""

    trouble: Callable[[Stage], AbstractContextManager[None]]
    """Has caused it all at the beginning of its block; what is left is to wait for the alerts."""

    traffic: tuple[str, ...] = HEALTHY
    """What else is asked for meanwhile."""


@contextmanager
def healthy(stage: Stage) -> Iterator[None]:
    stage.until_scraped_for(3)
    yield


def slow(stage: Stage) -> AbstractContextManager[None]:
    """The way to the database is slow: who asks for a connection waits for the ping."""
    return stage.service.gates.open(SLOW_NETWORK)


@contextmanager
def exhausted(stage: Stage) -> Iterator[None]:
    """First a few chat and have much of the pool, without a use for it; then many do."""
    with stage.clients.asking([CHAT], clients=5, thinks=0.4):
        stage.until_fired("ConnectionPoolIdleCapacity")
        with stage.clients.asking([CHAT], clients=60, thinks=0.4):
            yield


@contextmanager
def leaking(stage: Stage) -> Iterator[None]:
    """One after another, each before the one before it is forgotten."""
    clients = stage.clients
    # What is counted for the first time has not grown, as far as Prometheus can tell.
    clients.ask("POST /keep")
    clients.ask("POST /give-back")
    _until_counted(stage, "POST /keep", 1)
    for number in (2, 3, 4):
        clients.ask("POST /keep")
        _until_counted(stage, "POST /keep", number, "offset 900ms")
    # A connection that is out at one scrape and lost before the next looks like a return.
    stage.until_fired("ConnectionPoolReturnsBehind")
    for number in (1, 2):
        clients.ask("POST /lose")
        _until_counted(stage, "POST /lose", number)
    yield
    clients.ask("POST /give-back")


def _until_counted(stage: Stage, holder: str, number: int, ago: str = "") -> None:
    counted = f'pool_observer_checkouts_total{{holder="{holder}"}} {ago}'
    within(PATIENCE, lambda: stage.watcher.now(f"{counted} == {number}"))


def idle_in_transaction(stage: Stage) -> AbstractContextManager[None]:
    return stage.clients.asking([CHAT], thinks=2.5)


def nested(stage: Stage) -> AbstractContextManager[None]:
    return stage.clients.asking(["POST /nested"], pause=0.1)


def churning(stage: Stage) -> AbstractContextManager[None]:
    return stage.clients.asking(["POST /refresh"], clients=4)


@contextmanager
def locked(stage: Stage) -> Iterator[None]:
    with stage.service.gates.open(LONG_TRANSFER):
        transfer = stage.clients.begin_to_ask("POST /transfer/{item}")
        yield
    transfer.result()


@contextmanager
def blocked(stage: Stage) -> Iterator[None]:
    with stage.service.gates.open(BLOCKED_LOOP):
        block = stage.clients.begin_to_ask("POST /block")
        yield
    block.result()


@contextmanager
def deaf(stage: Stage) -> Iterator[None]:
    busy = stage.clients.asking(["GET /items/{item}"], clients=4)
    with stage.service.gates.open(DEAF_LISTENER), busy:
        yield


def broken(stage: Stage) -> AbstractContextManager[None]:
    return stage.service.gates.open(BROKEN_OBSERVER)


@contextmanager
def refused(stage: Stage) -> Iterator[None]:
    stage.database.refuse_the_probe()
    yield
    stage.database.accept_the_probe()


@contextmanager
def crowded(stage: Stage) -> Iterator[None]:
    """Somebody else takes all connections of the server but one, for us to come in."""
    with ExitStack() as others:
        for _ in range(stage.database.free_places() - 1):
            others.enter_context(stage.database.connect())
        yield


@contextmanager
def doubled(stage: Stage) -> Iterator[None]:
    """A second process of the service is started."""
    with stage.replica.running(stage.database):
        yield


@contextmanager
def gone(stage: Stage) -> Iterator[None]:
    stage.stop_service()
    yield
    stage.start_service()


@contextmanager
def recovered(stage: Stage) -> Iterator[None]:
    stage.until_scraped_for(4)
    yield


PHASES = (
    Phase("healthy", (), healthy),
    Phase("slow", ("ConnectionPoolAcquireSlow",), slow),
    Phase(
        "exhausted",
        (
            "ConnectionPoolIdleCapacity",
            "ConnectionPoolNearlyFull",
            "ConnectionPoolExhausted",
            "ConnectionPoolAcquireSlow",
            "ConnectionPoolQueueWait",
            "ConnectionPoolLongWaits",
            "ConnectionPoolTimeoutBudgetBurn",
        ),
        exhausted,
    ),
    Phase(
        "leaking",
        (
            "ConnectionPoolLeak",
            "ConnectionPoolReturnsBehind",
            "ConnectionPoolOverdueHolds",
            "ConnectionPoolLostConnections",
        ),
        leaking,
        # Nor do other connections come and go, in whose noise a few that do not return are lost.
        traffic=("GET /catalog",),
    ),
    Phase("idle in transaction", ("ConnectionPoolIdleInTransaction",), idle_in_transaction),
    Phase("nested", ("ConnectionPoolNestedCheckouts",), nested),
    Phase("churning", ("ConnectionPoolChurn",), churning),
    Phase("locked", ("DatabaseLockHeld",), locked),
    Phase("blocked", ("EventLoopBlocked",), blocked, traffic=()),
    Phase("broken", ("PoolObserverInternalErrors",), broken),
    Phase("deaf", ("PoolObserverDroppedEvents",), deaf),
    Phase("refused", ("DatabaseNotAnswering",), refused),
    Phase("crowded", ("DatabaseConnectionsNearlyExhausted",), crowded),
    Phase("doubled", ("DatabaseConnectionBudget",), doubled),
    Phase("gone", ("ConnectionPoolMetricsAbsent",), gone, traffic=()),
    Phase("recovered", (), recovered),
)
