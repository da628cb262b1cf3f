"""`observe()`: puts an observer together and sets it to work."""

from __future__ import annotations

import gc
import logging
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from prometheus_client import REGISTRY, CollectorRegistry
from sqlalchemy.engine import Engine

from pool_observer.asgi.endpoints import checked_path
from pool_observer.asgi.installing import answering_at, check_app, check_endpoints, install
from pool_observer.asgi_types import App
from pool_observer.hooks.creators import engine_proper
from pool_observer.hooks.naming import default_name
from pool_observer.names import checked_name
from pool_observer.observer import PoolObserver, StandIn
from pool_observer.prometheus.app import metrics_app
from pool_observer.prometheus.exporting import check_registry, export, prepare
from pool_observer.thresholds import Thresholds
from pool_observer.watchdog import process_messenger, process_reporter, process_watchdog

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

    from pool_observer.audit.facts import Deployment
    from pool_observer.opentelemetry.settings import OpenTelemetry
    from pool_observer.page.access import Auth
    from pool_observer.page.showing import PoolsPage
    from pool_observer.probe.settings import ServerProbe

Start = Callable[[PoolObserver], object]
"""Sets something to work for an observer. What is not wanted is not imported."""

logger = logging.getLogger("pool_observer")

HOLDER_LIMIT = 200
_DEFAULTS = Thresholds()


def observe(
    engine: Engine | AsyncEngine,
    app: object = None,
    *,
    name: str | None = None,
    leak_after: float = _DEFAULTS.leak_after,
    holder_limit: int = HOLDER_LIMIT,
    skip_callers: Iterable[str] = (),
    server_timing: bool = False,
    registry: CollectorRegistry | None = REGISTRY,
    metrics_path: str | None = "/metrics",
    debug_path: str | None = None,
    debug_auth: Auth | None = None,
    opentelemetry: bool | OpenTelemetry | None = None,
    server_probe: bool | ServerProbe = False,
    audit: bool | Deployment = False,
) -> PoolObserver:
    """Observe the connection pool of an engine, from now until `close()`.

    :param engine: what `create_engine()` or `create_async_engine()` returned.
    :param app: the FastAPI or Starlette application whose routes hold the connections. Several
        engines may be observed with the same application.
    :param name: the pool's name in everything we show; by default `host:port/database`.
    :param leak_after: seconds after which a connection that is still out is overdue.
    :param holder_limit: how many holders are told apart before the rest becomes `other`.
    :param skip_callers: modules that are never a call site themselves, such as the one with
        your session helper: the line that called the helper is shown instead.
    :param server_timing: whether responses of `app` tell, in a `Server-Timing` header, how
        long their request has waited for connections and held them.
    :param registry: the Prometheus registry that the pool's metrics are added to; by default
        prometheus_client's own. `None` for no metrics.
    :param metrics_path: where `app` shows that registry to Prometheus; `None` for nowhere. If
        the application answers on this path itself, it keeps doing so.
    :param debug_path: where `app` shows its pools live, who holds them and why; by default
        nowhere. Asked for JSON, it gives the same as JSON.
    :param debug_auth: says who may see that page: called with the `Visitor`, sync or async. By
        default only those on this machine may.
    :param opentelemetry: whether OpenTelemetry is told as well, in metrics and in spans of waits
        and holds that are long or go wrong; an `OpenTelemetry(...)` says which, and to whom. By
        default only where `PoolObserverInstrumentor` is in use.
    :param server_probe: whether the database server is asked every ten seconds, on a connection
        of its own, what it knows of our connections; a `ServerProbe(...)` says as whom, and how
        often.
    :param audit: whether what is wrong with the configuration is logged once at the start; a
        `Deployment(...)` says what the audit cannot know, such as how many workers there are.

    >>> from sqlalchemy import create_engine, text
    >>> engine = create_engine("sqlite:///:memory:")
    >>> observer = observe(engine, name="orders")
    >>> with engine.connect() as connection:
    ...     observer.snapshot().used
    1
    >>> observer.close()
    """
    sync_engine = engine_proper(engine, "observe()")
    if (
        isinstance(leak_after, bool)
        or not isinstance(leak_after, int | float)
        or not leak_after >= 0
    ):
        raise ValueError(f"leak_after must be a number of seconds, 0 or more, not {leak_after!r}")
    if isinstance(holder_limit, bool) or not isinstance(holder_limit, int) or holder_limit < 1:
        raise ValueError(f"holder_limit must be a whole number, 1 or more, not {holder_limit!r}")
    if isinstance(skip_callers, str):
        raise TypeError(f"skip_callers takes a list of module names: [{skip_callers!r}]")
    skip_callers = tuple(skip_callers)
    if not all(isinstance(prefix, str) and prefix for prefix in skip_callers):
        raise TypeError(f"skip_callers takes module names, not {list(skip_callers)!r}")
    name = (
        default_name(sync_engine.url)
        if name is None
        else checked_name(name, "a pool's name", 'observe(engine, name="orders")')
    )
    if app is not None:
        check_app(app)
    elif server_timing:
        raise ValueError("server_timing needs the application: observe(engine, app, ...)")
    endpoints: dict[str, App] = {}
    if metrics_path is not None:
        metrics_path = checked_path(metrics_path, "metrics_path")
    if registry is not None:
        check_registry(registry)
        if app is not None and metrics_path is not None:
            endpoints[metrics_path] = metrics_app(registry)
            check_endpoints(app, endpoints)
    page = _page(app, debug_path, debug_auth)
    if page is not None:
        debug_path = checked_path(debug_path, "debug_path")
        if debug_path in endpoints:
            raise ValueError(f"debug_path must be another path than metrics_path: {debug_path!r}")
        endpoints[debug_path] = page
    tell_opentelemetry = _teller(opentelemetry)
    start_probe = _prober(sync_engine, server_probe)
    start_audit = _auditor(audit)
    _refuse_a_second(sync_engine, name)
    if registry is not None:
        prepare(registry)

    stand_ins = _make_room(sync_engine, name)

    observer = PoolObserver(
        sync_engine,
        name,
        leak_after=leak_after,
        holder_limit=holder_limit,
        skip_callers=skip_callers,
    )
    if app is not None:
        installation = install(app, observer, server_timing=server_timing, endpoints=endpoints)
        observer.when_closing(lambda: installation.remove(observer))
        observer.serve(app)
    if registry is not None:
        export(observer, registry)
    if page is not None:
        page.show(observer)
        if debug_auth is None:
            logger.warning(
                '%s of this application shows who holds the connections of pool "%s", to whoever '
                "comes from this machine. Behind a reverse proxy on this machine that may be "
                "anybody: say who may see it, observe(..., debug_auth=...).",
                debug_path,
                name,
            )
    observer.deliver_through(process_messenger)
    observer.report_through(process_reporter)
    if tell_opentelemetry is not None:
        tell_opentelemetry(observer)
    if start_probe is not None:
        start_probe(observer)
    if start_audit is not None:
        start_audit(observer)
    observer.beside = observers_in_use
    observer.when_backlog_grows(process_watchdog.wake)
    observer.when_closing(lambda: process_watchdog.unwatch(observer))
    process_watchdog.watch(observer)
    for stand_in in stand_ins:
        stand_in.observe_again()
        if opentelemetry is None:
            stand_in.tell(observer)
    return observer


def _page(app: object, path: object, auth: object) -> PoolsPage | None:
    """The live page that this observer's pool is to be shown on, if one is wanted."""
    if path is None:
        if auth is not None:
            raise ValueError('debug_auth needs a page to guard: observe(..., debug_path="/debug")')
        return None
    if app is None:
        raise ValueError("debug_path needs the application: observe(engine, app, ...)")
    from pool_observer.page.showing import PoolsPage, checked_auth

    allowed = checked_auth(auth, "debug_auth")
    page = answering_at(app, checked_path(path, "debug_path"))
    if page is None:
        return PoolsPage(allowed)
    if isinstance(page, PoolsPage) and page.auth == allowed:
        return page
    raise ValueError(
        f"{path} of this application is taken by another observer, which shows something else "
        "there, or to others; give this one the same debug_auth, or a path of its own"
    )


def _teller(opentelemetry: object) -> Start | None:
    """What tells OpenTelemetry of a pool, if that is wanted."""
    if opentelemetry is None or opentelemetry is False:
        return None
    from pool_observer.opentelemetry.settings import OpenTelemetry

    settings = OpenTelemetry() if opentelemetry is True else opentelemetry
    if not isinstance(settings, OpenTelemetry):
        raise TypeError(
            f"opentelemetry must be True, False or pool_observer.OpenTelemetry(...), not "
            f"{type(opentelemetry).__name__}"
        )
    try:
        from pool_observer.opentelemetry.exporting import export
    except ModuleNotFoundError as error:
        raise ImportError(
            f"observe(engine, opentelemetry=...) needs OpenTelemetry, and there is no "
            f'{error.name}: pip install "pool-observer[otel]"'
        ) from error
    return lambda observer: export(observer, settings)


def _prober(engine: Engine, wanted: object) -> Start | None:
    """What asks the engine's server, if that is wanted."""
    if wanted is None or wanted is False:
        return None
    from pool_observer.probe.settings import ServerProbe
    from pool_observer.probe.starting import check_probe, start_probe

    settings = ServerProbe() if wanted is True else wanted
    if not isinstance(settings, ServerProbe):
        raise TypeError(
            "server_probe must be True, False or pool_observer.ServerProbe(...), not "
            f"{type(wanted).__name__}"
        )
    check_probe(engine, settings)
    return lambda observer: start_probe(observer, engine, settings)


def _auditor(wanted: object) -> Start | None:
    """What has the findings of an audit logged, if that is wanted."""
    if wanted is None or wanted is False:
        return None
    from pool_observer.audit.at_start import start_audit
    from pool_observer.audit.facts import Deployment

    deployment = Deployment() if wanted is True else wanted
    if not isinstance(deployment, Deployment):
        raise TypeError(
            "audit must be True, False or pool_observer.Deployment(...), not "
            f"{type(wanted).__name__}"
        )
    return lambda observer: start_audit(observer, deployment)


def _refuse_a_second(engine: Engine, name: str) -> None:
    for observer in _asked_for():
        if observer.observes(engine.pool):
            raise ValueError(
                f'pool "{observer.name}" is already observed; close() the first observer'
            )
    if any(observer.name == name for observer in _asked_for()):
        gc.collect()  # an engine that was simply dropped may linger as garbage
    if any(observer.name == name for observer in _asked_for()):
        raise ValueError(
            f'a pool named "{name}" is already observed; give this one a name of its own: '
            'observe(engine, name="...")'
        )


def _asked_for() -> list[PoolObserver]:
    return [observer for observer in observers_in_use() if observer.stand_in is None]


def _make_room(engine: Engine, name: str) -> list[StandIn]:
    """Have those leave that observe only because nobody else did."""
    made = []
    for observer in observers_in_use():
        if observer.stand_in and (observer.name == name or observer.observes(engine.pool)):
            observer.close()
            made.append(observer.stand_in)
    return made


def observers_in_use() -> list[PoolObserver]:
    """All observers of this process whose engines are still there."""
    return [
        observer
        for observer in process_watchdog.watched()
        if isinstance(observer, PoolObserver) and not observer.engine_is_gone
    ]
