"""That the series of the exporters beside us are those that the programs give."""

from __future__ import annotations

import os
import socket
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import closing

import pytest
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from tests.databases.mariadb import found
from tests.monitoring.known_series import Series, other_series, scraped
from tests.postgres import Postgres
from tests.support import wait_until

EXPORTER = "prometheus-postgres-exporter"
needs_exporter = pytest.mark.skipif(found(EXPORTER) is None, reason=f"{EXPORTER} is not installed")


def _free_port() -> int:
    with closing(socket.socket()) as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port


@pytest.fixture(scope="module")
def exported(postgres: Postgres) -> Iterator[dict[str, Metric]]:
    """What postgres_exporter says of a real PostgreSQL."""
    url, port = postgres.url("psycopg"), _free_port()
    place = f"host={url.query.get('host', url.host)} port={url.port or 5432}"
    source = f"{place} user={url.username} dbname={url.database} sslmode=disable"
    exporter = subprocess.Popen(
        [found(EXPORTER) or "", f"--web.listen-address=127.0.0.1:{port}"],
        env={**os.environ, "DATA_SOURCE_NAME": source},
        stderr=subprocess.DEVNULL,
    )
    families: dict[str, Metric] = {}

    def asked() -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
                text = answer.read().decode()
        except OSError:
            return False
        families.update({each.name: each for each in text_string_to_metric_families(text)})
        return "pg_stat_activity_count" in families

    try:
        wait_until(asked)
        yield families
    finally:
        exporter.terminate()
        exporter.wait()


POSTGRES = {name: series for name, series in other_series().items() if name.startswith("pg_")}


@needs_exporter
@pytest.mark.parametrize("name", POSTGRES)
def test_postgres_exporter_gives_what_we_ask_for(name: str, exported: dict[str, Metric]) -> None:
    family, series = exported[name], POSTGRES[name]
    assert (family.type == "counter") == series.counter
    for sample in family.samples:
        # Newer releases leave out `server`, so we must not ask by it.
        assert sample.labels.keys() - {"server"} == series.labels


def test_what_is_scraped_has_the_labels_of_its_target() -> None:
    series = scraped({"m": Series(frozenset({"a"}))}, frozenset({"job"}))
    assert series["m"].labels == {"a", "job"}
    assert series["up"].labels == {"job"}
