"""Importing us is quick, as it brings only what every service needs."""

from __future__ import annotations

import subprocess
import sys
import types

import pytest

import pool_observer

OURS_ON_DEMAND = {"advice", "audit", "demo", "monitoring", "opentelemetry", "page", "probe"}
OTHERS_ON_DEMAND = {"asyncpg", "fastapi", "opentelemetry", "sqlalchemy.ext.asyncio", "starlette"}

OBSERVE = """
import sys
from sqlalchemy import create_engine
from pool_observer import observe
with observe(create_engine("sqlite://")):
    print(*sys.modules)
"""


def test_a_service_imports_only_what_it_uses() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", OBSERVE], check=True, capture_output=True, text=True
    )
    imported = set(ran.stdout.split())
    assert {"pool_observer", "pool_observer.wiring", "prometheus_client"} <= imported
    assert not {f"pool_observer.{name}" for name in OURS_ON_DEMAND} & imported
    assert not OTHERS_ON_DEMAND & imported


@pytest.mark.parametrize("name", pool_observer.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert not isinstance(getattr(pool_observer, name), types.ModuleType)
    assert name in dir(pool_observer)


def test_a_star_import_brings_all_public_names() -> None:
    namespace: dict[str, object] = {}
    exec("from pool_observer import *", namespace)
    assert namespace.keys() >= set(pool_observer.__all__)


def test_a_name_that_is_not_there_is_an_error_as_in_any_module() -> None:
    with pytest.raises(AttributeError, match="module 'pool_observer' has no attribute 'observer_'"):
        pool_observer.observer_  # type: ignore[attr-defined]  # noqa: B018
    with pytest.raises(ImportError, match="cannot import name 'observer_'"):
        exec("from pool_observer import observer_")
