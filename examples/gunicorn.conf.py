"""Settings of gunicorn for a service whose `/metrics` answers for all of its workers.

    gunicorn app:app --config gunicorn.conf.py

Works with and without `preload_app`.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from typing import Any

worker_class = "uvicorn_worker.UvicornWorker"
workers = int(os.environ.get("WEB_CONCURRENCY", "4"))

# Workers find each other's figures here. It is empty for every start, because what is left in
# it would be counted again; and it stays the same when SIGHUP has these settings read again.
DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"
if DIRECTORY not in os.environ:
    os.environ[DIRECTORY] = tempfile.mkdtemp(prefix="prometheus-")
    os.environ[f"{DIRECTORY}_IS_OURS"] = "yes"


def child_exit(server: Any, worker: Any) -> None:
    """Forget the gauges of a worker at once. pool_observer would, within a second."""
    # Not further up: prometheus_client looks for the directory when it is imported.
    from prometheus_client.multiprocess import mark_process_dead

    mark_process_dead(worker.pid)


def on_exit(server: Any) -> None:
    """Remove the directory with the last of what is in it."""
    if f"{DIRECTORY}_IS_OURS" in os.environ:
        shutil.rmtree(os.environ[DIRECTORY], ignore_errors=True)
