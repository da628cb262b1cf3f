"""`pool-observer top` where nobody looks at a screen."""

from __future__ import annotations

import os
import signal
import subprocess

import pytest

from tests.page.documents import document, pool
from tests.page.scenes import exhausted
from tests.terminal.page import page
from tests.terminal.pseudo import top

ONCE = """\
orders: all 15 connections held, 25 callers wait, the first for 4.0 s
  [###============]  # 3 executing  = 12 in transaction  loop 1 ms late
  3 gave up waiting in the last minute

CONN  EXEC TRANS  IDLE  LONGEST  HOLDER           TAKEN AT
  12          12          4.2 s  POST /chat/{id}  app/chat.py:38 in chat
      now app/chat.py:41 in chat, awaiting httpx/_client.py:1629 in send
      (anyio/_backends/_asyncio.py:1254 in receive)
      idle in transaction for 3.4 s
      -> commit or close the session before this await, which frees 90 % of this
      hold
   3     3                1.4 s  GET /reports     app/reports.py:90 in rows
      now app/reports.py:94 in rows, awaiting asyncpg/connection.py:690 in fetch
      executing for 1.3 s

WAIT  STAGE               FIRST  HOLDER           ASKED AT
  20  queue               4.0 s  GET /users/{id}  app/users.py:17 in user
   5  queue, holds one    1.9 s  POST /chat/{id}  app/chat.py:38 in chat
"""


def printed(url: str, *options: str, columns: int = 80) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"COLUMNS": str(columns)}
    return subprocess.run(
        top(url, *options), capture_output=True, text=True, env=environment, check=False
    )


def test_one_block_is_all_there_is() -> None:
    with page(document(exhausted())) as it_says:
        result = printed(it_says.url, "--once")
    assert result.returncode == 0
    title, _, block = result.stdout.partition("\n")
    assert title.startswith(f"pool-observer top  {it_says.url}")
    assert len(title) == 80
    assert block == ONCE


def test_blocks_follow_each_other_until_nobody_reads_them() -> None:
    with page(document(pool(used=3))) as it_says:
        command = top(it_says.url, "--interval", "0.01")
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as program:
            assert program.stdout is not None
            assert program.stderr is not None
            seen = [program.stdout.readline() for _ in range(12)]
            program.stdout.close()
            assert program.wait(30) == 0
            assert program.stderr.read() == ""
    assert "".join(seen).count("orders: 3 of 15 connections held") == 3
    assert "\x1b" not in "".join(seen)


def test_ctrl_c_is_no_error() -> None:
    with (
        page(document(pool(used=3))) as it_says,
        subprocess.Popen(
            top(it_says.url), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as program,
    ):
        assert program.stdout is not None
        assert program.stderr is not None
        program.stdout.readline()
        program.send_signal(signal.SIGINT)
        assert program.wait(30) == 130
        assert program.stderr.read() == ""


def test_a_service_that_goes_away_is_said_and_asked_again() -> None:
    with (
        page(document(pool(used=3))) as it_says,
        subprocess.Popen(
            top(it_says.url, "--interval", "0.05"), stdout=subprocess.PIPE, text=True
        ) as program,
    ):
        assert program.stdout is not None
        lines = iter(program.stdout.readline, "")
        assert any("3 of 15 connections" in line for line in lines)
        it_says.go()
        assert any("no answer for" in line for line in lines)
        it_says.document = document(pool(used=4))
        it_says.come()
        assert any("4 of 15 connections" in line for line in lines)
        program.kill()


def test_that_an_answer_is_outstanding_is_said_before_the_time_is_over() -> None:
    with page(document(pool(used=3))) as it_says:
        it_says.go_on.clear()
        command = top(it_says.url, "--interval", "0.05", "--timeout", "3600")
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
            assert program.stdout is not None
            lines = iter(program.stdout.readline, "")
            assert any("most likely its event loop is blocked" in line for line in lines)
            it_says.go_on.set()
            assert any("3 of 15 connections" in line for line in lines)
            program.kill()


@pytest.mark.parametrize("options", [(), ("--once",)])
def test_an_address_where_nobody_is_is_an_error(options: tuple[str, ...]) -> None:
    with page({}) as it_says:
        it_says.go()
        result = printed(it_says.url, *options)
    assert result.returncode == 2
    assert result.stdout == ""
    assert result.stderr.startswith(f"pool-observer top: {it_says.url} cannot be reached")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("options", [(), ("--once",)])
def test_one_pool_of_several(options: tuple[str, ...]) -> None:
    with page(document(pool("orders", used=3), pool("users", used=4))) as it_says:
        assert "users: 4 of 15" in printed(it_says.url, "--once").stdout
        only = printed(it_says.url, "--once", "--pool", "orders").stdout
        none = printed(it_says.url, *options, "--pool", "shop")
    assert "users" not in only
    assert "orders: 3 of 15" in only
    assert none.returncode == 2
    assert none.stdout == ""
    assert none.stderr == "pool-observer top: there is no pool 'shop'; there is orders, users\n"


def test_holders_of_several_pools_say_which() -> None:
    users = exhausted() | {"name": "users"}
    with page(document(exhausted(), users)) as it_says:
        shown = printed(it_says.url, "--once", columns=100).stdout
    assert "LONGEST  POOL    HOLDER" in shown
    assert "4.2 s  orders  POST /chat/{id}" in shown
    assert "4.2 s  users   POST /chat/{id}" in shown
