"""The manifests as `kubectl` puts them together, field by field by the schemas of the APIs."""

from __future__ import annotations

import copy
import importlib
import json
from typing import Any

import pytest

from tests.monitoring.examples_files import DASHBOARDS, RULES, loaded
from tests.monitoring.examples_kubernetes import (
    Resource,
    complaint,
    of_kind,
    only,
    resources,
)
from tests.monitoring.examples_stack import GUNICORN_SETTINGS, image_command

KINDS = ["ConfigMap"] * 4 + ["Deployment", "PodMonitor", "PrometheusRule", "Service"]
MOST_OF_A_CONFIG_MAP = 1024 * 1024
"""Bytes; the API server takes no more."""
GRACEFUL = 30
"""Seconds that gunicorn gives its workers to end, unless it is told otherwise."""


def test_there_is_what_there_should_be() -> None:
    assert sorted(resource["kind"] for resource in resources()) == KINDS


@pytest.mark.parametrize("kind", sorted(set(KINDS)))
def test_every_field_is_one_that_the_api_has(kind: str) -> None:
    for resource in of_kind(kind):
        assert complaint(resource) == ""


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("Deployment", ("spec", "template", "spec", "containers", 0, "readinesProbe")),
        ("Deployment", ("spec", "template", "spec", "terminationGracePeriod")),
        ("PodMonitor", ("spec", "podMetricsEndpoints", 0, "metricsPath")),
        ("PrometheusRule", ("spec", "groups", 0, "rules", 0, "keep_firing")),
        ("Service", ("spec", "ports", 0, "target")),
    ],
)
def test_a_field_that_the_api_does_not_have_is_found(kind: str, path: tuple[Any, ...]) -> None:
    resource = copy.deepcopy(only(kind))
    at(resource, path[:-1])[path[-1]] = "something"
    assert str(path[-1]) in complaint(resource)


def at(resource: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        resource = resource[step]
    return resource


def test_pods_are_found_by_the_service_the_monitor_and_the_deployment() -> None:
    pod = only("Deployment")["spec"]["template"]
    wanted = [
        only("Deployment")["spec"]["selector"]["matchLabels"],
        only("Service")["spec"]["selector"],
        only("PodMonitor")["spec"]["selector"]["matchLabels"],
    ]
    for labels in wanted:
        assert labels.items() <= pod["metadata"]["labels"].items()
    assert only("PodMonitor")["spec"]["jobLabel"] in pod["metadata"]["labels"]


def test_ports_are_those_of_the_container() -> None:
    container = the_container()
    (port,) = container["ports"]
    (endpoint,) = only("PodMonitor")["spec"]["podMetricsEndpoints"]
    (service,) = only("Service")["spec"]["ports"]
    probes = [container[name]["httpGet"] for name in ("readinessProbe", "livenessProbe")]
    used = [endpoint["port"], service["targetPort"], *(probe["port"] for probe in probes)]
    assert set(used) == {port["name"]}
    assert container["command"][-1].endswith(f":{port['containerPort']}")
    assert endpoint["path"] == "/metrics"


def test_the_command_is_that_of_the_image_which_is_run_here() -> None:
    assert the_container()["command"] == image_command()


def test_workers_have_the_time_that_they_are_given_to_end() -> None:
    pod = only("Deployment")["spec"]["template"]["spec"]
    _, pause = the_container()["lifecycle"]["preStop"]["exec"]["command"]
    assert pod["terminationGracePeriodSeconds"] > int(pause) + GRACEFUL


def test_gunicorn_waits_as_long_as_this_takes_it_to() -> None:
    config = importlib.import_module("gunicorn.config")
    assert config.Config().graceful_timeout == GRACEFUL
    assert "graceful_timeout" not in GUNICORN_SETTINGS.read_text()


def test_workers_have_somewhere_to_write_their_figures() -> None:
    pod = only("Deployment")["spec"]["template"]["spec"]
    container = the_container()
    assert container["securityContext"]["readOnlyRootFilesystem"]
    (mount,), (volume,) = container["volumeMounts"], pod["volumes"]
    assert (mount["name"], mount["mountPath"]) == (volume["name"], "/tmp")
    assert "emptyDir" in volume
    assert "PROMETHEUS_MULTIPROC_DIR" not in {each["name"] for each in container["env"]}


def the_container() -> Resource:
    (container,) = only("Deployment")["spec"]["template"]["spec"]["containers"]
    return dict(container)


def test_the_alerts_are_those_of_the_file_for_prometheus() -> None:
    assert only("PrometheusRule")["spec"]["groups"] == loaded(RULES)["groups"]


def test_whatever_prometheus_has_to_find_has_its_label() -> None:
    for kind in ("PodMonitor", "PrometheusRule"):
        assert only(kind)["metadata"]["labels"]["release"] == "kube-prometheus-stack"


def test_grafana_gets_every_dashboard_as_it_is() -> None:
    given = [json.loads(text) for each in of_kind("ConfigMap") for text in each["data"].values()]
    ours = [json.loads(path.read_text()) for path in DASHBOARDS.glob("*.json")]
    assert sorted(given, key=lambda each: str(each["uid"])) == sorted(
        ours, key=lambda each: str(each["uid"])
    )


def test_a_dashboard_is_short_enough_for_the_api_and_is_seen_by_the_sidecar() -> None:
    names = []
    for each in of_kind("ConfigMap"):
        assert each["metadata"]["labels"]["grafana_dashboard"] == "1"
        assert sum(len(text.encode()) for text in each["data"].values()) < MOST_OF_A_CONFIG_MAP
        names += each["data"]
    assert len(set(names)) == len(names)  # the sidecar writes all of them to one folder
