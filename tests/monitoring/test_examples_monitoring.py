"""What is in `examples/monitoring`, by the tools that read it and, where none is to be had, by what
their documentation says; and that its parts know each other's addresses."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import require
from tests.monitoring.examples_files import (
    COLLECTOR,
    COMPOSE,
    DASHBOARD_PROVIDERS,
    DASHBOARDS,
    DATASOURCES,
    KUBERNETES,
    PROMETHEUS,
    ROOT,
    RULES,
    SERVICE,
    loaded,
)

SERVICES = loaded(COMPOSE)["services"]
ABSENT = {"pgbouncer-exporter"}
"""What Prometheus looks for, and is not in the compose file."""

DATASOURCE_FIELDS = {
    *("name", "uid", "type", "access", "url", "orgId", "isDefault", "editable", "version"),
    *("basicAuth", "basicAuthUser", "withCredentials", "jsonData", "secureJsonData"),
}
JSON_DATA_FIELDS = {
    *("httpMethod", "timeInterval", "queryTimeout", "customQueryParameters", "manageAlerts"),
    *("prometheusType", "prometheusVersion", "cacheLevel", "exemplarTraceIdDestinations"),
}
PROVIDER_FIELDS = {
    *("name", "orgId", "folder", "folderUid", "type", "disableDeletion"),
    *("updateIntervalSeconds", "allowUiUpdates", "options"),
}
PROMETHEUS_EXPORTER_FIELDS = {
    *("endpoint", "const_labels", "namespace", "send_timestamps", "metric_expiration"),
    *("enable_open_metrics", "without_scope_info", "translation_strategy"),
    "resource_constant_labels",
}


# Prometheus


def test_promtool_has_nothing_to_say() -> None:
    promtool = shutil.which("promtool")
    require(promtool is not None, "promtool")
    said = subprocess.run(
        [str(promtool), "check", "config", str(PROMETHEUS)], capture_output=True, text=True
    )
    assert said.returncode == 0, said.stderr
    assert str(RULES.relative_to(ROOT)) in said.stdout  # the rules were checked as well


def test_prometheus_finds_what_the_compose_file_starts() -> None:
    scraped = {
        f"{lookup['names'][0]}:{lookup['port']}"
        for job in jobs().values()
        for lookup in job.get("dns_sd_configs", [])
    }
    given = {
        target
        for settings in (*jobs().values(), *loaded(PROMETHEUS)["alerting"]["alertmanagers"])
        for static in settings.get("static_configs", [])
        for target in static["targets"]
    }
    hosts = {address.split(":")[0] for address in scraped | given}
    assert hosts <= SERVICES.keys() | ABSENT
    assert given == {"orders:8000", "alertmanager:9093"}
    assert f"opentelemetry-collector:{port_of_the_collector()}" in scraped


def jobs() -> dict[str, dict[str, Any]]:
    return {job["job_name"]: job for job in loaded(PROMETHEUS)["scrape_configs"]}


# Compose


def test_the_compose_file_is_valid_by_the_specification() -> None:
    checker = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    said = subprocess.run([*checker, str(COMPOSE)], capture_output=True, text=True)
    assert said.returncode == 0, said.stdout


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_has_one_version_and_is_for_this_machine_alone(name: str) -> None:
    service = SERVICES[name]
    assert "build" in service or re.search(r":v?\d+\.\d+", service["image"])
    for port in service.get("ports", []):
        assert port.startswith("127.0.0.1:")


@pytest.mark.parametrize("name", SERVICES)
def test_what_a_service_is_made_of_and_depends_on_is_there(name: str) -> None:
    service = SERVICES[name]
    assert set(service.get("depends_on", [])) <= SERVICES.keys()
    for source, _ in mounts(name):
        assert source.exists()
    if "build" in service:
        context = (COMPOSE.parent / service["build"]["context"]).resolve()
        assert context == ROOT
        assert (context / service["build"]["dockerfile"]).is_file()


def mounts(name: str) -> list[tuple[Path, str]]:
    """Where the volumes of a service come from, and where they are in it."""
    return [
        ((COMPOSE.parent / source).resolve(), target)
        for source, target, _ in (each.split(":") for each in SERVICES[name].get("volumes", []))
    ]


def test_what_the_image_copies_is_there() -> None:
    copied = re.findall(r"^COPY (.*) \S+$", (SERVICE / "Dockerfile").read_text(), re.MULTILINE)
    sources = [source for line in copied for source in line.split()]
    assert sources
    for source in sources:
        assert (ROOT / source).exists()


def test_prometheus_finds_the_rules_where_its_container_has_them() -> None:
    (option,) = (each for each in SERVICES["prometheus"]["command"] if "--config.file" in each)
    folders = {target: source for source, target in mounts("prometheus")}
    configuration = Path(option.removeprefix("--config.file="))
    assert folders[str(configuration.parent)] / configuration.name == PROMETHEUS
    (rules,) = loaded(PROMETHEUS)["rule_files"]
    inside = Path(os.path.normpath(configuration.parent / rules))
    assert folders[str(inside.parent)] / inside.name == RULES
    assert (PROMETHEUS.parent / rules).resolve() == RULES


# Grafana: there is no server to ask, so this is what its documentation says of the files


def test_the_data_source_has_only_fields_that_grafana_documents() -> None:
    settings = loaded(DATASOURCES)
    (source,) = settings["datasources"]
    assert settings.keys() == {"apiVersion", "datasources"}
    assert source.keys() <= DATASOURCE_FIELDS
    assert source.keys() >= {"name", "type", "access"}
    assert source["jsonData"].keys() <= JSON_DATA_FIELDS


def test_the_data_source_is_the_prometheus_that_scrapes() -> None:
    (source,) = loaded(DATASOURCES)["datasources"]
    assert (source["type"], source["isDefault"]) == ("prometheus", True)
    assert source["url"] == "http://prometheus:9090"
    assert SERVICES["prometheus"]["ports"] == ["127.0.0.1:9090:9090"]
    assert source["jsonData"]["timeInterval"] == loaded(PROMETHEUS)["global"]["scrape_interval"]


def test_the_provider_has_only_fields_that_grafana_documents() -> None:
    settings = loaded(DASHBOARD_PROVIDERS)
    (provider,) = settings["providers"]
    assert settings.keys() == {"apiVersion", "providers"}
    assert provider.keys() <= PROVIDER_FIELDS
    assert provider["type"] == "file"
    assert provider["options"].keys() <= {"path", "foldersFromFilesStructure"}


def test_the_provider_loads_our_dashboards() -> None:
    (provider,) = loaded(DASHBOARD_PROVIDERS)["providers"]
    assert (DASHBOARDS, provider["options"]["path"]) in mounts("grafana")
    assert (DATASOURCES.parents[1], "/etc/grafana/provisioning") in mounts("grafana")
    given = [json.loads(path.read_text()) for path in DASHBOARDS.glob("*.json")]
    assert len({each["uid"] for each in given}) == len({each["title"] for each in given}) == 4


# The collector: there is none to ask either


def test_pipelines_have_all_components_and_no_others_are_there() -> None:
    settings = loaded(COLLECTOR)
    (pipeline,) = settings["service"]["pipelines"].values()
    for kind in ("receivers", "processors", "exporters"):
        assert set(pipeline[kind]) == settings[kind].keys()


def test_metrics_come_out_under_our_names() -> None:
    exporter = loaded(COLLECTOR)["exporters"]["prometheus"]
    assert exporter.keys() <= PROMETHEUS_EXPORTER_FIELDS
    # What that strategy makes of our names is tested with OpenTelemetry's exporter for Python.
    assert exporter["translation_strategy"] == "UnderscoreEscapingWithSuffixes"
    assert exporter["without_scope_info"]
    assert "namespace" not in exporter
    assert jobs()["opentelemetry-collector"]["honor_labels"]


def test_services_push_to_where_the_collector_listens() -> None:
    protocols = loaded(COLLECTOR)["receivers"]["otlp"]["protocols"]
    pushed = SERVICES["orders-pushed"]["environment"]
    address = protocols["http"]["endpoint"].replace("0.0.0.0", "http://opentelemetry-collector")
    assert pushed["OTEL_EXPORTER_OTLP_ENDPOINT"] == address
    assert "service.instance.id=" in pushed["OTEL_RESOURCE_ATTRIBUTES"]
    expiration = loaded(COLLECTOR)["exporters"]["prometheus"]["metric_expiration"]
    assert expiration == "1m"
    assert int(pushed["OTEL_METRIC_EXPORT_INTERVAL"]) < 60_000


def port_of_the_collector() -> str:
    return str(loaded(COLLECTOR)["exporters"]["prometheus"]["endpoint"].split(":")[1])


# The service


def test_nothing_is_wrong_with_the_service_as_it_is_deployed() -> None:
    deployment = loaded(KUBERNETES / "deployment.yaml")["spec"]
    (container,) = deployment["template"]["spec"]["containers"]
    workers = {each["name"]: each.get("value") for each in container["env"]}["WEB_CONCURRENCY"]
    said = subprocess.run(
        [
            *(sys.executable, "-m", "pool_observer", "check", "app:engine", "--app", "app:app"),
            *("--app-dir", str(SERVICE), "--no-connect", "--max-connections", "100"),
            *("--workers", str(workers), "--replicas", str(deployment["replicas"])),
            *("--fail-on", "info"),
        ],
        capture_output=True,
        text=True,
        env=os.environ | {"DATABASE_URL": "postgresql+asyncpg://postgres/orders"},
    )
    assert said.returncode == 0, said.stdout + said.stderr
