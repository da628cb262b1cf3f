"""The README's lines, pasted into FastAPI's own tutorial on databases, as a newcomer does."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.conftest import require
from tests.examples import README, code_to_paste
from tests.prometheus.prometheus_server import free_port, program
from tests.prometheus.scraped import Scraped

APP = "app = FastAPI()\n"

ASKED = (
    ("POST", "/heroes/", {"name": "Deadpond", "secret_name": "Dive Wilson"}),
    ("GET", "/heroes/", None),
    ("GET", "/heroes/1", None),
    ("DELETE", "/heroes/1", None),
    ("GET", "/heroes/1", None),
)

CHECKOUTS = {
    "unattributed": 1,  # the tables are created before any request
    "POST /heroes/": 2,  # the second after the commit, to refresh what is answered
    "GET /heroes/": 1,
    "GET /heroes/{hero_id}": 2,
    "DELETE /heroes/{hero_id}": 1,
}


@pytest.fixture(params=["tutorial001.py", "tutorial002.py"])
def tutorial(request: pytest.FixtureRequest) -> str:
    """One of the tutorial's programs. FastAPI's wheel lacks them; `.ci/check` gets its sources."""
    sources = os.environ.get("FASTAPI_SOURCES")
    require(sources is not None, "FastAPI's tutorial (FASTAPI_SOURCES, the folder of its sources)")
    text = Path(str(sources), "docs_src", "sql_databases", str(request.param)).read_text()
    assert "from sqlmodel import" in text
    assert text.count(APP) == 1
    return text


@pytest.fixture
def service(tutorial: str, tmp_path: Path) -> Iterator[httpx.Client]:
    imports, _, calls = code_to_paste(README).partition("\n\n")
    pasted = f"{imports}\n{tutorial.replace(APP, f'{APP}{calls}')}"
    (tmp_path / "main.py").write_text(pasted)
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "uvicorn", "main:app", "--port", str(port)]
    with (
        program(command, tmp_path / "log", f"{address}/docs", folder=tmp_path),
        httpx.Client(base_url=address, trust_env=False) as client,
    ):
        yield client


def test_the_lines_work_in_fastapis_own_tutorial(service: httpx.Client) -> None:
    answers = [service.request(method, path, json=sent) for method, path, sent in ASKED]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 200, 404]
    scraped = Scraped(text_string_to_metric_families(service.get("/metrics").text))
    assert scraped.by("holder", "pool_observer_checkouts_total") == CHECKOUTS
