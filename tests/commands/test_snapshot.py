from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from pool_observer.__main__ import main
from tests.page.documents import document
from tests.page.scenes import exhausted, healthy
from tests.page.servers import locked, nearly_full, silent
from tests.terminal.held import full_service
from tests.terminal.page import page
from tests.terminal.test_top_in_a_pipe import ONCE

EXHAUSTED = """\
pool "orders": all 15 connections held, 25 callers wait, the first for 4.0 s, 0 idle in the pool
  3 gave up waiting in the last minute
  12 x POST /chat/{id}, the longest for 4.2 s, in transaction, taken at app/chat.py:38 in chat
      now app/chat.py:41 in chat, awaiting httpx/_client.py:1629 in send \
(anyio/_backends/_asyncio.py:1254 in receive)
      idle in transaction for 3.4 s
      -> commit or close the session before this await, which frees 90 % of this hold
  3 x GET /reports, the longest for 1.4 s, executing, taken at app/reports.py:90 in rows
      now app/reports.py:94 in rows, awaiting asyncpg/connection.py:690 in fetch
      executing for 1.3 s
  waiting:
  20 x GET /users/{id} in the queue, the first for 4.0 s, asked at app/users.py:17 in user
  5 x POST /chat/{id} in the queue, the first for 1.9 s, asked at app/chat.py:38 in chat, \
holding one already, taken at app/chat.py:30 in chat
"""


def test_a_real_pool_is_told_as_its_observer_explains_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with full_service() as service:
        assert main(["snapshot", service.url]) == 1
        first, _, situation, *rest = capsys.readouterr().out.splitlines()
        explained = str(service.observer.explain()).splitlines()
    assert first.startswith(f"process {os.getpid()} at {service.url}, ")
    assert situation.startswith('pool "orders": all 3 connections held, 2 callers wait, the first')
    assert situation.endswith(", 0 idle in the pool")
    (holders,) = [line for line in rest if "3 x POST /chat/{user}" in line]
    assert holders.rpartition(", taken at ")[2] == explained[1].rpartition(", taken at ")[2]
    assert "2 x GET /items in the queue, the first for " in "\n".join(rest)
    mend = next(line for line in explained if "->" in line).partition(", which")[0]
    assert mend in "\n".join(rest)


def test_an_exhausted_pool_is_told_in_full(capsys: pytest.CaptureFixture[str]) -> None:
    with page(document(exhausted())) as it_says:
        assert main(["snapshot", it_says.url]) == 1
    assert capsys.readouterr().out.partition("\n\n")[2] == EXHAUSTED


def test_a_pool_that_is_well_is_no_reason_to_worry(capsys: pytest.CaptureFixture[str]) -> None:
    with page(document(healthy())) as it_says:
        assert main(["snapshot", it_says.url]) == 0
    assert 'pool "orders": 1 of 15 connections held, 4 idle' in capsys.readouterr().out


def test_the_servers_side_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with page(document(nearly_full(), silent(), locked())) as it_says:
        main(["snapshot", it_says.url])
    said = capsys.readouterr().out
    assert "  the database server has 93 of 97 sessions\n    ours: 5 active, 20 idle, " in said
    assert "    others': 8 active, 44 idle\n" in said
    assert "the database server does not answer the probe (OperationalError: " in said
    assert "waiting for a lock of POST /pay (process 7001, idle in transaction for" in said


def test_json_is_the_page_s_own(capsys: pytest.CaptureFixture[str]) -> None:
    said = document(exhausted(), healthy() | {"name": "users"})
    with page(said) as it_says:
        assert main(["snapshot", it_says.url, "--json"]) == 1
        assert json.loads(capsys.readouterr().out) == said
        assert main(["snapshot", it_says.url, "--json", "--pool", "users"]) == 0
        only = json.loads(capsys.readouterr().out)
    assert only == said | {"pools": said["pools"][1:]}


def test_one_pool_of_several(capsys: pytest.CaptureFixture[str]) -> None:
    with page(document(exhausted(), healthy() | {"name": "users"})) as it_says:
        assert main(["snapshot", it_says.url, "--pool", "users"]) == 0
        assert "orders" not in capsys.readouterr().out
        assert main(["snapshot", it_says.url, "--pool", "shop"]) == 2
    assert capsys.readouterr().err == (
        "pool-observer snapshot: there is no pool 'shop'; there is orders, users\n"
    )


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        (document(), "no pool is observed there; have the service call observe(engine)"),
        ({"detail": "Not Found"}, "there is no live page at this address; it is the debug_path"),
        ({"schema": 9, "pools": []}, "this page speaks another schema; use a pool-observer of"),
    ],
)
def test_what_is_no_live_page_is_an_error_in_one_line(
    said: object, complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with page(said) as it_says:
        assert main(["snapshot", it_says.url]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith(f"pool-observer snapshot: {complaint}")
    assert printed.err.count("\n") == 1


@pytest.mark.parametrize("command", [["snapshot"], ["top", "--once"]])
def test_an_address_is_asked_whatever_letters_it_has(
    command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with page(document(healthy())) as it_says:
        assert main([*command, f"{it_says.url}/of my caf\u00e9"]) == 0
    assert "1 of 15 connections held" in capsys.readouterr().out
    assert main([*command, "http://localhost:99999/debug/pools"]) == 2
    assert "65535 at most" in capsys.readouterr().err


def test_a_service_that_does_not_answer_is_probably_blocked(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with page(document(healthy())) as it_says:
        it_says.go_on.clear()
        assert main(["snapshot", it_says.url, "--timeout", "0.1"]) == 2
    assert "within 0.1 s: most likely its event loop is blocked" in capsys.readouterr().err


def test_what_is_documented_is_what_they_print() -> None:
    documented = (Path(__file__).parents[2] / "docs" / "cli.md").read_text()
    assert EXHAUSTED in documented
    assert ONCE in documented
