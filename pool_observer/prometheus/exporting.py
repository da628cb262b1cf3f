"""Chooses how a pool is exported: from one process, or together with other workers."""

from __future__ import annotations

import atexit
import logging
import os
import threading
import weakref
from contextlib import suppress
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry, values

from pool_observer.observer import PoolObserver
from pool_observer.prometheus.collector import process_collectors
from pool_observer.prometheus.mirror import Mirror
from pool_observer.prometheus.presence import process_presence

logger = logging.getLogger("pool_observer")

DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"


def check_registry(registry: object) -> CollectorRegistry:
    """Refuse what is no registry of prometheus_client's."""
    if not isinstance(registry, CollectorRegistry):
        raise TypeError(
            f"registry must be a prometheus_client.CollectorRegistry, or None for no metrics, "
            f"not {type(registry).__name__}"
        )
    return registry


def multiprocess_directory() -> Path | None:
    """Where prometheus_client keeps the figures of all workers; None in a single process.

    What counts is what it has found when it was imported.
    """
    if not getattr(values.ValueClass, "_multiprocess", False):
        return None
    return Path(os.environ.get(DIRECTORY) or os.environ.get(DIRECTORY.lower()) or "")


def prepare(registry: CollectorRegistry) -> None:
    """Raise ValueError if a pool cannot be exported there, before anything is observed."""
    if multiprocess_directory() is None:
        process_collectors.on(registry)


def export(observer: PoolObserver, registry: CollectorRegistry) -> None:
    """Export a pool until its observer is closed."""
    directory = multiprocess_directory()
    if directory is None:
        if os.environ.get(DIRECTORY):
            logger.warning(
                "%s was set after prometheus_client had been imported, which does not notice "
                "any more. Each worker answers for itself alone. Set it before the workers start.",
                DIRECTORY,
            )
        process_collectors.on(registry).observers.add(observer)
        observer.when_forking(lambda in_child: unlock(registry) if in_child else None)
        observer.when_closing(lambda: process_collectors.leave(registry, observer))
        return
    Export(observer, directory).begin()


def unlock(registry: CollectorRegistry) -> None:
    """In a child that was forked in the middle of a scrape, nobody is left who would do so."""
    lock: Any = getattr(registry, "_lock", None)
    if lock is None:
        return
    if lock.acquire(blocking=False):
        lock.release()
    else:
        is_plain = isinstance(lock, type(threading.Lock()))
        renewed: Any = threading.Lock() if is_plain else threading.RLock()
        registry._lock = renewed


def write_now() -> None:
    """Write what all pools of this process are at now."""
    for export in _exports.copy():
        export.write()


_exports: list[Export] = []
"""All that this process writes, so that a scrape finds its own worker's figures up to date."""


class Export:
    """The export of one pool to the files of prometheus_client's multi-process mode."""

    def __init__(self, observer: PoolObserver, directory: Path) -> None:
        self._observer = weakref.ref(observer)
        self._directory = directory
        self._mirror = Mirror(directory, process_presence)
        self._lock = threading.RLock()
        self._has_complained = False
        self._has_forked = False

    def begin(self) -> None:
        """Write now, and once a second, and when the process or the observer ends."""
        observer = self._observer()
        assert observer is not None
        _exports.append(self)
        self.write()
        observer.when_ticking(self._tick)
        observer.when_forking(self._forked)
        observer.when_closing(self._end)
        atexit.register(self.write)  # what has happened in a worker's last second

    def write(self) -> None:
        """Write what the pool is at now."""
        observer = self._observer()
        if observer is None:
            self._leave()
            return
        try:
            with self._lock:  # so that nobody writes what is older than what is there
                if self not in _exports:
                    return
                state = observer.snapshot()
                # A server's master loads the application too, and forks; it serves nothing.
                used = state.totals.connections_opened or state.totals.holders
                is_master = self._has_forked and not used
                self._mirror.write(state, gauges=not is_master)
        except OSError as error:
            self._complain(observer.name, error)
        except Exception:
            observer.note_failure(f"writing to {DIRECTORY}")

    def _tick(self) -> None:
        self.write()
        for export in _exports.copy():
            if export._observer() is None:  # nobody ticks for it any more
                export.write()

    def _complain(self, pool: str, error: OSError) -> None:
        if not self._has_complained:
            self._has_complained = True
            logger.warning(
                'The metrics of pool "%s" cannot be written to %s=%s: %s. Give all workers one '
                "directory that is empty when they start, can be written to and has room. Until "
                "then figures are missing from /metrics; the service is not affected.",
                pool,
                DIRECTORY,
                self._directory,
                error,
            )

    def _forked(self, in_child: bool) -> None:
        self._has_forked = not in_child
        if in_child:
            self._lock = threading.RLock()  # a thread that is not here may have held it

    def _end(self) -> None:
        self.write()
        self._leave()

    def _leave(self) -> None:
        """The observer is closed, or gone with its engine: its pool is at nothing any more."""
        atexit.unregister(self.write)
        with self._lock, suppress(Exception):  # there is no observer to tell any more
            _exports.remove(self)
            self._mirror.withdraw()
