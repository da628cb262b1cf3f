"""What an address answers, however it does."""

from __future__ import annotations

import re
import socket

import pytest

from pool_observer.advice import asking
from pool_observer.advice.asking import Asker, NoAnswerError, NotJsonError
from pool_observer.advice.measurement import CannotMeasureError
from tests.advice.answering import answering
from tests.advice.misbehaving import (
    Behaviour,
    drips_a_body,
    drips_a_refusal,
    drips_headers,
    hangs,
    misbehaving,
)

ASKER = Asker({"X-Debug-Token": "hunter2"}, 10.0)


def refused(url: str, asker: Asker = ASKER) -> str:
    with pytest.raises(CannotMeasureError) as caught:
        asker.json(url)
    said = str(caught.value)
    assert "\n" not in said
    assert "hunter2" not in said
    return said


def test_json_is_asked_for_with_the_headers_that_were_given() -> None:
    with answering(body=b'{"a": 1}') as server:
        assert ASKER.json(server.address) == {"a": 1}
    assert server.told[0]["accept"] == "application/json"
    assert server.told[0]["x-debug-token"] == "hunter2"


@pytest.mark.parametrize("status", [401, 403])
def test_who_is_not_let_in_is_told_how_to_say_who_asks(status: int) -> None:
    with answering(status=status) as server:
        said = refused(server.address)
    assert f"does not let us in ({status})" in said
    assert "--header" in said


def test_nobody_listening_is_said() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        assert "cannot be reached" in refused(f"http://127.0.0.1:{closed.getsockname()[1]}")


@pytest.mark.parametrize(
    "behaviour", [hangs, drips_a_body, drips_headers, drips_a_refusal], ids=lambda it: it.__name__
)
def test_an_answer_that_is_not_complete_in_time_is_none(behaviour: Behaviour) -> None:
    late = r"did not answer within 0\.2 s; .* --timeout"
    with misbehaving(behaviour) as address, pytest.raises(NoAnswerError, match=late):
        Asker({}, 0.2).json(address)


def test_nobody_who_takes_the_connection_is_no_answer_in_time() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        with pytest.raises(NoAnswerError, match="--timeout"):
            Asker({}, 0.1).json(f"http://127.0.0.1:{silent.getsockname()[1]}")


@pytest.mark.parametrize(
    "body", [b"<html>", b"", b"[" * 100_000, b"9" * 5000, b'"\xff"', b"{"], ids=repr
)
def test_what_is_no_json_is_said(body: bytes) -> None:
    with answering(body=body) as server, pytest.raises(NotJsonError, match="JSON"):
        ASKER.json(server.address)


def test_an_answer_that_is_too_long_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "MOST_BYTES", 1 << 20)
    endless = {"content-length": str(1 << 40)}
    with answering(body=b"1" * ((1 << 20) + 1), headers=endless) as server:
        assert "more than 1 MiB" in refused(server.address)


def test_this_machine_is_asked_without_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    with answering() as proxy, answering(body=b"1") as server:
        monkeypatch.setenv("http_proxy", proxy.address)
        assert ASKER.json(server.address) == 1
        of_another_machine = ASKER.json("http://pool-observer.invalid/")
    assert (of_another_machine, proxy.asked) == ({}, ["http://pool-observer.invalid/"])


def test_who_does_not_speak_http_is_said() -> None:
    with answering(headers={"content-encoding": "x\r\ny" * 40_000}) as server:
        assert "does not speak HTTP" in refused(server.address)


@pytest.mark.parametrize("there", ["file:///etc/passwd", "ftp://127.0.0.1/x", "http://[", ""])
def test_no_redirect_to_anything_but_http_is_followed(there: str) -> None:
    with answering(status=302, headers={"location": there}) as server:
        assert re.search("redirects|answered 302|expected", refused(server.address))


def test_no_redirect_to_anybody_else_is_followed() -> None:
    with answering() as other, answering(status=302) as server:
        server.headers = {"location": f"{other.address}/"}
        assert f"redirects to {other.address}/; ask that address" in refused(server.address)
    assert other.asked == []


@pytest.mark.parametrize("host", ["pools.example:8443", "[::1]:8443", "pools.example"])
def test_where_a_redirect_leads_is_named_without_what_may_be_a_secret(host: str) -> None:
    there = f"https://me:hunter2@{host}/login?token=hunter2#hunter2"
    with answering(status=301, headers={"location": there}) as server:
        assert f"redirects to https://{host}/login;" in refused(server.address)


def test_a_redirect_to_the_same_server_over_https_is_named() -> None:
    with answering(status=308) as server:
        secure = server.address.replace("http:", "https:")
        server.headers = {"location": f"{secure}/debug/pools"}
        assert f"redirects to {secure}/debug/pools;" in refused(server.address)


def test_a_redirect_to_the_same_server_is_followed() -> None:
    with answering(status=307, headers={"location": "/a"}) as server:
        refused(server.address)  # it goes on and on
    assert "/a" in server.asked


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://localhost/",
        "localhost:8000",
        "http://",
        "http://[",
        "http://a:b",
        "http://localhost/\x1b[2J",
        "http://localhost/\nX: y",
    ],
)
def test_only_addresses_of_the_web_are_asked(url: str) -> None:
    assert "must begin with http" in refused(url)


def test_a_password_in_the_address_is_not_repeated() -> None:
    said = refused("http://me:hunter2@localhost/")
    assert "--header" in said


def test_what_is_asked_is_not_repeated() -> None:
    with answering(status=403) as server:
        said = refused(f"{server.address}/debug?token=hunter2")
    assert f"{server.address}/debug does not let us in" in said
