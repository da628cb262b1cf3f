"""Alertmanager's example, by Alertmanager: who is told of what, and what is suppressed."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.monitoring.examples_alertmanager import (
    Alertmanager,
    Labels,
    amtool,
    meant,
    running_alertmanager,
)
from tests.monitoring.examples_files import ALERTMANAGER, INHIBITION, loaded, own_labels
from tests.prometheus.prometheus_server import eventually

RULES = loaded(ALERTMANAGER)["inhibit_rules"]
OF_SERVERS = '{alertname=~"Database.*"}'
POOL = "db_client_connection_pool_name"
RECEIVERS = {"critical": "page", "warning": "chat", "info": "nobody", "somebody else's": "chat"}


@pytest.fixture(scope="module")
def alertmanager(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Alertmanager]:
    with running_alertmanager(tmp_path_factory.mktemp("alertmanager")) as running:
        yield running


def run_amtool(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([amtool(), *arguments], capture_output=True, text=True)


def test_amtool_has_nothing_to_say() -> None:
    said = run_amtool("check-config", str(ALERTMANAGER))
    assert said.returncode == 0, said.stderr


def test_the_integrations_it_proposes_are_valid_once_their_mark_is_removed(tmp_path: Path) -> None:
    text = ALERTMANAGER.read_text()
    proposed = tmp_path / "alertmanager.yml"
    proposed.write_text(text.replace("#: ", ""))
    receivers = {each["name"]: each.keys() for each in loaded(proposed)["receivers"]}
    assert receivers["page"] == {"name", "pagerduty_configs"}
    assert receivers["chat"] == {"name", "slack_configs"}
    said = run_amtool("check-config", str(proposed))
    assert said.returncode == 0, said.stderr


@pytest.mark.parametrize(("severity", "receiver"), RECEIVERS.items())
def test_a_severity_goes_to_its_receiver(severity: str, receiver: str) -> None:
    said = run_amtool(
        *("config", "routes", "test", f"--config.file={ALERTMANAGER}"), f"severity={severity}"
    )
    assert said.stdout.split() == [receiver]


@pytest.mark.parametrize("alert", own_labels(), ids=lambda alert: "-".join(alert.values()))
def test_only_what_wakes_somebody_because_of_a_server_has_a_route_below(alert: Labels) -> None:
    said = run_amtool(
        *("config", "routes", "test", "--tree", f"--config.file={ALERTMANAGER}"),
        *(f"{label}={value}" for label, value in alert.items()),
    )
    is_of_a_server = alert["alertname"].startswith("Database")
    wakes = alert["severity"] == "critical"
    assert said.stdout.split()[-1] == RECEIVERS[alert["severity"]]
    assert (OF_SERVERS in said.stdout) == (is_of_a_server and wakes)


def test_a_server_that_is_full_is_one_page_and_full_pools_of_two_services_are_two(
    alertmanager: Alertmanager,
) -> None:
    def alerts(name: str) -> list[Labels]:
        return [
            {"alertname": name, "severity": "critical", "job": job, POOL: "db:5432/all"}
            for job in ("billing", "shop")
        ]

    server, pools = alerts("DatabaseConnectionsNearlyExhausted"), alerts("ConnectionPoolExhausted")
    alertmanager.post(server + pools)

    eventually(lambda: sum(map(len, alertmanager.together(*server, *pools))) == 4)
    assert alertmanager.together(*server) == [server]
    assert alertmanager.together(*pools) == [[pool] for pool in pools]


def test_every_severity_of_our_rules_has_a_route_of_its_own() -> None:
    routes = loaded(ALERTMANAGER)["route"]["routes"]
    assert {matcher for route in routes for matcher in route["matchers"]} == {
        f'severity="{alert["severity"]}"' for alert in own_labels()
    }


def test_its_inhibition_is_that_which_is_generated() -> None:
    assert loaded(INHIBITION)["inhibit_rules"] == RULES


def test_a_full_pool_needs_no_word_of_the_same_process_about_being_nearly_full_and_slow() -> None:
    symptoms = {
        symptom["alertname"]: equal
        for cause, symptom, equal in inhibited()
        if cause["alertname"] == "ConnectionPoolExhausted"
    }
    for name in ("ConnectionPoolNearlyFull", "ConnectionPoolAcquireSlow"):
        assert symptoms[name] == ["job", "instance", "db_client_connection_pool_name"]


def test_every_rule_is_about_alerts_that_there_are() -> None:
    for rule in RULES:
        assert meant(rule["source_matchers"], own_labels())
        assert meant(rule["target_matchers"], own_labels())


def test_the_cause_suppresses_the_symptom_of_the_same_pool_and_no_other(
    alertmanager: Alertmanager,
) -> None:
    suppressed: list[Labels] = []
    told: list[Labels] = []
    for number, (cause, symptom, equal) in enumerate(inhibited()):
        same = {label: f"{label} {number}" for label in equal}
        suppressed.append(same | symptom)
        told.append(same | cause)
        told += [same | symptom | {label: f"another {label} {number}"} for label in equal]
    alertmanager.post(suppressed + told)

    eventually(lambda: all(map(alertmanager.is_suppressed, suppressed)))
    assert not [alert for alert in told if alertmanager.is_suppressed(alert)]


def inhibited() -> list[tuple[Labels, Labels, list[str]]]:
    """Every cause with each symptom of its, and the labels that must be the same."""
    return [
        (cause, symptom, rule["equal"])
        for rule in RULES
        for cause in meant(rule["source_matchers"], own_labels())
        for symptom in meant(rule["target_matchers"], own_labels())
    ]
