"""The examples, running: a service fills its pool, and its page is on the way."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.monitoring.examples_alertmanager import running_alertmanager
from tests.monitoring.examples_files import own_labels
from tests.monitoring.examples_stack import (
    CONNECTIONS,
    Stack,
    full_pool,
    running_prometheus,
    running_service,
    standing_in_for_a_collector,
)
from tests.postgres import Postgres
from tests.prometheus.prometheus_server import eventually

POOL = "db_client_connection_pool_name"


@pytest.fixture(scope="module")
def stack(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("stack")
    with ExitStack() as running:
        start = running.enter_context
        service = start(running_service(postgres.url("asyncpg"), folder))
        collector = start(standing_in_for_a_collector())
        alertmanager = start(running_alertmanager(folder))
        prometheus = start(running_prometheus(service, collector, alertmanager, folder))
        eventually(lambda: len(prometheus.query("up == 1")) == 2)
        yield Stack(service, prometheus, alertmanager)


def test_targets_are_those_that_there_are(stack: Stack) -> None:
    jobs = [target["labels"]["job"] for target in stack.asked("targets")["activeTargets"]]
    # No target of an exporter that has no address.
    assert sorted(jobs) == ["opentelemetry-collector", "orders"]


def test_the_pool_is_found_under_its_job_and_its_instance(stack: Stack) -> None:
    labels = {"__name__": "db_client_connection_max", "job": "orders", POOL: "orders"}
    series = frozenset({**labels, "instance": stack.service}.items())
    assert stack.prometheus.query('db_client_connection_max{job="orders"}') == {series: CONNECTIONS}


def test_what_services_push_keeps_their_own_job_and_instance(stack: Stack) -> None:
    (series,) = stack.prometheus.query('db_client_connection_max{job!="orders"}')
    assert dict(series) == {
        "__name__": "db_client_connection_max",
        "job": "pushed",
        "instance": "one",
        POOL: "a",
    }


def test_every_rule_is_evaluated_and_none_fails(stack: Stack) -> None:
    def all_evaluated() -> list[dict[str, str]] | None:
        rules = [rule for group in stack.asked("rules")["groups"] for rule in group["rules"]]
        return None if any(rule["health"] == "unknown" for rule in rules) else rules

    rules = eventually(all_evaluated)
    assert {rule.get("lastError") for rule in rules} == {None}
    alerts = [rule["name"] for rule in rules if rule["type"] == "alerting"]
    assert sorted(alerts) == sorted(each["alertname"] for each in own_labels())


def test_nobody_is_told_of_a_pool_at_rest(stack: Stack) -> None:
    eventually(lambda: stack.prometheus.query('db_client_connection_max{job="orders"}'))
    assert stack.alertmanager.alerts(severity="critical", job="orders") == []


def test_a_full_pool_pages_somebody_with_where_to_read_on(stack: Stack) -> None:
    exhausted = {"alertname": "ConnectionPoolExhausted", "job": "orders", POOL: "orders"}
    with full_pool(stack.service):
        (alert,) = eventually(lambda: stack.alertmanager.alerts(**exhausted))
    assert alert["labels"] == exhausted | {"instance": stack.service, "severity": "critical"}
    assert alert["status"]["state"] != "suppressed"
    assert alert["receivers"] == [{"name": "page"}]
    assert alert["annotations"].keys() >= {"summary", "description", "runbook_url"}
    assert "/d/pool-observer-pool?" in alert["annotations"]["dashboard_url"]
