"""`pool-observer dashboards`, `rules` and `runbook`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pool_observer.__main__ import main
from pool_observer.monitoring.files import dashboard_files, rule_files
from pool_observer.monitoring.settings import Settings

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("command", "folder", "files"),
    [
        ("dashboards", "dashboards", dashboard_files(Settings())),
        ("rules", "alerts", rule_files(Settings())),
    ],
)
def test_the_files_of_the_repository_are_what_the_command_writes(
    command: str, folder: str, files: dict[str, str], tmp_path: Path
) -> None:
    assert main([command, str(tmp_path / "new")]) == 0
    assert {each.name: each.read_text() for each in (tmp_path / "new").iterdir()} == files
    assert {name: (ROOT / folder / name).read_text() for name in files} == files
    assert {each.name for each in (ROOT / folder).iterdir() if each.is_file()} == set(files)


def test_a_check_writes_nothing_and_names_the_file_that_is_stale(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["rules", str(tmp_path)])
    assert main(["rules", str(tmp_path), "--check"]) == 0
    stale = tmp_path / "runbooks.md"
    stale.write_text("mine")
    capsys.readouterr()

    assert main(["rules", str(tmp_path), "--check"]) == 1
    assert capsys.readouterr().err == f"{stale} is not what it would be\n"
    assert stale.read_text() == "mine"
    assert main(["rules", str(tmp_path / "nowhere"), "--check"]) == 1
    assert not (tmp_path / "nowhere").exists()


def test_options_are_in_what_is_written(tmp_path: Path) -> None:
    options = [
        *("--threshold", "slow_wait=1", "--threshold", "high_for=60"),
        *("--selector", 'namespace="shop"', "--keep", "cluster", "--job-label", "service"),
        *("--instance-label", "pod", "--datasource", "main", "--max-connections", "200"),
        *("--grafana-url", "https://grafana.example.com/", "--runbook-url", "https://wiki/run"),
    ]
    assert main(["rules", str(tmp_path), *options]) == 0
    assert main(["dashboards", str(tmp_path), *options]) == 0

    rules = (tmp_path / "pool_observer.rules.yaml").read_text()
    dashboard = json.loads((tmp_path / "pool.json").read_text())
    assert "by (cluster, service, pod, db_client_connection_pool_name)" in rules
    assert 'pool_observer_oldest_wait_seconds{namespace="shop"}) > 1\n' in rules
    assert "https://grafana.example.com/d/pool-observer-pool?var-datasource=main&" in rules
    assert "https://wiki/run#connectionpoolexhausted" in rules
    assert "db_client_connection_max{" in rules
    assert "\n          150 > 1\n" not in rules
    names = [each["name"] for each in dashboard["templating"]["list"]]
    assert names == ["datasource", "cluster", "job", "instance", "pool", "holder"]
    assert dashboard["templating"]["list"][0]["current"]["value"] == "main"


def test_a_runbook_is_printed_by_its_alert(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runbook", "ConnectionPoolExhausted"]) == 0
    one = capsys.readouterr().out
    assert main(["runbook"]) == 0

    assert one.startswith("## ConnectionPoolExhausted\n")
    assert one.strip() in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--threshold", "slow=1"], "nothing here has a threshold 'slow'"),
        (["--threshold", "pool_size_low=1"], "nothing here has a threshold 'pool_size_low'"),
        (["--threshold", "slow_wait=fast"], "slow_wait must be a number, not 'fast'"),
        (["--threshold", "slow_wait=-1"], "slow_wait must be 0 or more"),
        (["--threshold", "queue_wait=3"], "one of 0.001, "),
        (["--selector", "job=x"], "the selector must be label matchers"),
    ],
)
def test_a_wrong_option_is_answered_in_a_line(
    options: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        status = main(["rules", str(tmp_path / "rules"), *options])
    except SystemExit as left:
        status = int(str(left.code))

    error = capsys.readouterr().err
    assert status == 2
    assert said in error.splitlines()[-1]
    assert not (tmp_path / "rules").exists()


def test_a_folder_that_cannot_be_written_to_is_said_in_a_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")

    assert main(["dashboards", str(tmp_path / "file")]) == 2
    assert capsys.readouterr().err.startswith("pool-observer dashboards: ")
