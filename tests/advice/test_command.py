"""`pool-observer advise`, as it is typed."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from typing import IO, Any

import pytest

from pool_observer.advice.asking import Asker
from tests.advice.answering import answering
from tests.advice.commanding import command
from tests.advice.misbehaving import Behaviour, answers, hangs, misbehaving, refuses
from tests.page.documents import document, pool, route


def page(window: float = 300.0, **changes: Any) -> dict[str, Any]:
    rows = [route("POST /chat", 10.0, checkouts=1000)]
    holders = {"window_seconds": window, "rows": rows}
    return document(pool(**{"peak_demand": 12, "holders": holders, **changes}))


def test_a_live_page_is_found_out(capsys: pytest.CaptureFixture[str]) -> None:
    with answering(answers=[page()]) as server:
        assert command(f"{server.address}/debug/pools", "--header", "X-Token: abc") == 0
    said = capsys.readouterr()
    assert said.out.startswith("Asked a live page.\n  Met one worker process in ")
    assert "12 connections, pool_size=12, max_overflow=0" in said.out
    assert said.err == ""
    assert {each["x-token"] for each in server.told} == {"abc"}
    assert set(server.asked) == {"/debug/pools"}


def test_scripts_get_json(capsys: pytest.CaptureFixture[str]) -> None:
    with answering(answers=[page()]) as server:
        assert command(server.address, "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == 1
    assert document["pools"][0]["size"]["connections"] == 12


def test_routes_are_mended_that_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    with answering(answers=[page()]) as server:
        assert command(server.address, "--if-released", "POST /chat") == 0
        assert "POST /chat: frees 9 of its 10" in capsys.readouterr().out
        assert command(server.address, "--if-released", "POST /\x1b[2J") == 2
        assert "nothing was measured of" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (page(window=20.0), "measured for 20 s only"),
        (page(holders={"window_seconds": 300.0, "rows": []}), "nobody held a connection"),
        (document(), "no pool is observed there"),
    ],
)
def test_too_little_is_an_exit_status_of_its_own(
    answer: Any, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with answering(answers=[answer]) as server:
        assert command(server.address) == 1
    assert reason in "".join(capsys.readouterr())


@pytest.mark.parametrize(
    ("server", "reason"),
    [
        ({"status": 403}, "does not let us in"),
        ({"status": 500, "headers": {"content-type": "text/plain"}}, "nor a Prometheus: .* 500"),
        ({"body": b"<html>"}, "is neither a live page"),
        ({"body": b'{"detail": "Not Found"}', "status": 404}, "is neither a live page"),
        ({"answers": [page() | {"schema": 7}]}, "speaks schema 7"),
        ({"answers": [{"schema": 1, "pools": 3}]}, "has no 'process'"),
        ({"answers": [{"status": "error", "error": "x\x1b\n" * 99}]}, "refuses the question: x"),
        ({"answers": [{"status": "success", "data": {"result": []}}]}, "has no pool_observer_peak"),
        ({"answers": [{"status": "success", "data": {"result": [{}]}}]}, "has no 'metric'"),
        ({"answers": [{"status": "success"}]}, "has no 'data'"),
    ],
)
def test_what_goes_wrong_is_one_line(
    server: dict[str, Any], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with answering(**server) as it:
        assert command(it.address) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert re.search(reason, said.err)
    assert said.err.startswith("pool-observer advise: ")
    assert said.err.count("\n") == 1
    assert said.err[:-1].isprintable()


@pytest.mark.parametrize("fault", [hangs, refuses], ids=lambda it: it.__name__)
def test_a_worker_that_fails_does_not_fail_the_command(
    fault: Behaviour, capsys: pytest.CaptureFixture[str]
) -> None:
    one, other = answers(page()), answers(page() | {"process": {"pid": 2}})
    with misbehaving(one, other, fault) as address:
        assert command(address, "--timeout", "0.3", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert sorted(document["pools"][0]["sources"]) == ["pid 2", "pid 4121"]
    assert re.match(r"No answer to \d+ of \d+ questions, such as: http", document["remarks"][1])


@pytest.mark.parametrize(
    ("fault", "expected"),
    [(hangs, "did not answer within 0.3 s"), (refuses, "is not to be had for now (503)")],
)
def test_one_that_fails_when_it_is_asked_first_does_not_fail_the_command(
    fault: Behaviour, expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with misbehaving(fault, *[answers(page())] * 200) as address:
        assert command(address, "--timeout", "0.3") == 0
    assert expected in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ("fault", "expected"),
    [(hangs, "did not answer within 0.3 s"), (refuses, "is not to be had for now (503)")],
)
def test_a_service_that_fails_altogether_is_said(
    fault: Behaviour, expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with misbehaving(fault) as address:
        assert command(address, "--timeout", "0.3") == 2
    assert expected in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ["--workers", "0"],
        ["--workers", "x"],
        ["--header", "hunter2"],
        ["--header", "A b: hunter2"],
        ["--header", "A: hunter2\nB: c"],
        ["--header", "A: hunter2\N{SNOWMAN}"],
        ["--window", "1"],
        ["--window", "0s"],
        ["--window", "91d"],
        ["--timeout", "0"],
        ["--timeout", "nan"],
    ],
)
def test_options_that_cannot_be_are_refused(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        command("http://localhost/", *arguments)
    assert caught.value.code == 2
    said = capsys.readouterr().err
    assert arguments[0] in said
    assert "hunter2" not in said


def test_who_does_not_want_to_wait_gets_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(Asker, "json", interrupted)
    assert command("http://localhost/") == 130
    assert capsys.readouterr().err == ""


def test_what_the_terminal_lacks_is_written_in_its_stead(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = [route("GET /stra\N{LATIN SMALL LETTER SHARP S}e", 10.0, checkouts=1000)]
    stdout = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    with answering(answers=[page(holders={"window_seconds": 300.0, "rows": rows})]) as server:
        monkeypatch.setattr(sys, "stdout", stdout)
        assert command(server.address) == 0
    assert b"GET /stra\\xdfe" in stdout.buffer.getvalue()


PROGRAM = "import sys; from pool_observer.__main__ import main; sys.exit(main(sys.argv[1:]))"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no full device")
def test_what_cannot_be_written_is_said() -> None:
    with answering(answers=[page()]) as server, open("/dev/full", "w") as full:
        ended = run_to(full, server.address)
    assert ended.returncode == 2
    assert ended.stderr.startswith("pool-observer advise: cannot be written: ")
    assert ended.stderr.count("\n") == 1


def test_who_reads_no_further_has_had_enough() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with answering(answers=[page()]) as server, open(writing, "w") as nobody:
        ended = run_to(nobody, server.address)
    assert (ended.returncode, ended.stderr) == (0, "")


def run_to(stdout: IO[str], address: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, "advise", address],
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )


def test_help_has_examples(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        command("--help")
    assert caught.value.code == 0
    said = capsys.readouterr().out
    assert "pool-observer advise http://localhost:8000/debug/pools --workers 4\n" in said
