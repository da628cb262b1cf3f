"""What `docs/prometheus.md` has to paste: a port of its own, and gunicorn's settings."""

from __future__ import annotations

import threading
import time
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import create_engine

from pool_observer.wiring import observers_in_use
from tests.examples import DOCS, ROOT, blocks
from tests.prometheus.prometheus_server import free_port

PASTED = [block.code for block in blocks(DOCS / "prometheus.md", "python") if not block.shows]


def test_there_is_nothing_else_to_paste() -> None:
    assert len(PASTED) == 2


# The oldest uvicorn asks the newest websockets for names that it has replaced.
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_port_of_its_own_serves_the_metrics() -> None:
    port = free_port()
    before = set(threading.enumerate())
    given: dict[str, Any] = {"app": FastAPI(), "engine": create_engine("sqlite://")}
    address = f'host="0.0.0.0", port={port}'
    (code,) = [each for each in PASTED if "uvicorn" in each and "import threading" in each]
    exec(code.replace('host="0.0.0.0", port=9100', address), given)
    assert given["observer"] in observers_in_use()
    (serving,) = [
        thread
        for thread in set(threading.enumerate()) - before
        if getattr(thread, "_target", None) == given["server"].run
    ]
    try:
        while not given["server"].started and serving.is_alive():
            time.sleep(0.01)
        text = httpx.get(f"http://127.0.0.1:{port}/", trust_env=False).text
        assert 'db_client_connection_pool_name="orders"' in text
    finally:
        given["server"].should_exit = True
        serving.join()
        given["observer"].close()


def test_the_settings_of_gunicorn_are_those_of_the_examples() -> None:
    """Which other tests run: tests/prometheus/test_gunicorn.py."""
    assert (ROOT / "examples" / "gunicorn.conf.py").read_text() in PASTED
