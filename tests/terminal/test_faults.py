"""What is said if a live page cannot be asked: always with what mends it."""

from __future__ import annotations

import json
import socket
import ssl
import urllib.error
from typing import Any

import pytest

from pool_observer.advice.asking import Asker, NoAnswerError, NotJsonError
from pool_observer.advice.measurement import CannotMeasureError
from pool_observer.terminal.asking import document
from pool_observer.terminal.faults import PAGE, HungUpError, NobodyThereError, sendable
from tests.advice.answering import answering
from tests.advice.misbehaving import misbehaving

ASKER = Asker({}, 10.0)
TEXT = {"content-type": "text/plain"}


class Failing(Asker):
    """Asks in vain."""

    fault: Exception

    def _body(self, *_: Any) -> bytes:
        raise self.fault


def complaint(url: str, asker: Asker = ASKER) -> str:
    with pytest.raises(CannotMeasureError) as caught:
        document(asker, sendable(url))
    said = str(caught.value)
    assert said.isprintable()
    return said


@pytest.mark.parametrize("status", [404, 500])
def test_an_answer_that_is_no_page_says_what_the_address_is(status: int) -> None:
    with answering(body=b"not here", status=status, headers=TEXT) as server:
        said = complaint(server.address)
        assert said == f"{server.address} answered {status}; {PAGE}"
        with pytest.raises(NotJsonError):
            document(ASKER, server.address)


def test_an_answer_that_is_not_json_says_what_the_address_is() -> None:
    with answering(body=b"<html>") as server:
        assert complaint(server.address).endswith(f"did not answer with JSON; {PAGE}")


def test_a_service_that_is_away_for_now_may_be_asked_again() -> None:
    with answering(status=503, headers=TEXT) as server:
        with pytest.raises(NoAnswerError, match="not to be had for now"):
            document(ASKER, server.address)
        assert complaint(server.address).endswith(PAGE)


@pytest.mark.parametrize("status", [401, 403])
def test_what_has_a_mend_needs_no_other(status: int) -> None:
    with answering(status=status) as server:
        assert "debug_path" not in complaint(server.address)


def test_who_hangs_up_may_speak_tls() -> None:
    with misbehaving(lambda *_: None) as address:
        said = complaint(address)
        with pytest.raises(HungUpError):
            document(ASKER, address)
    assert "RemoteDisconnected" in said
    assert said.endswith(f"; if it speaks TLS, try https://, and {PAGE}")


def test_a_proxy_that_wants_tls_may_say_so_by_a_refusal() -> None:
    with answering(status=400, headers=TEXT) as server:
        assert "answered 400; if it speaks TLS, try https://" in complaint(server.address)


def test_who_speaks_no_tls_is_to_be_asked_without() -> None:
    with answering(body=b"{}") as server:
        said = complaint(server.address.replace("http:", "https:"))
    assert said.endswith("If it speaks no TLS, try http://")


def test_a_certificate_that_is_not_known_can_be_made_known() -> None:
    fault = ssl.SSLCertVerificationError(1, "self-signed")
    fault.verify_message = "self-signed certificate"
    Failing.fault = urllib.error.URLError(fault)
    said = complaint("https://shop.example.com/debug/pools", Failing({}, 10.0))
    assert "is not trusted here (self-signed certificate); name the file" in said
    assert said.endswith("SSL_CERT_FILE")


def test_nobody_there_is_told_from_no_answer() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        with pytest.raises(NobodyThereError, match="cannot be reached"):
            document(ASKER, f"http://127.0.0.1:{closed.getsockname()[1]}/")


def test_who_takes_the_question_and_does_not_answer_is_probably_blocked() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        address = f"http://127.0.0.1:{silent.getsockname()[1]}/debug/pools"
        with pytest.raises(NoAnswerError) as caught:
            document(Asker({}, 0.1), address)
    assert str(caught.value) == (
        f"{address} did not answer within 0.1 s: most likely its event loop is blocked, and "
        "answers nobody until that is over; if it is only slow, give it longer with --timeout"
    )


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("/debug/my pools", "/debug/my%20pools"),
        ("/caf\u00e9/pools", "/caf%C3%A9/pools"),
        ("/caf%C3%A9/pools?a=b%20c&d=\u00e9", "/caf%C3%A9/pools?a=b%20c&d=%C3%A9"),
        ("/debug/pools?token=a+b;c=/d", "/debug/pools?token=a+b;c=/d"),
    ],
)
def test_an_address_may_have_any_letters(typed: str, sent: str) -> None:
    with answering(body=json.dumps({"a": 1}).encode()) as server:
        assert sendable(f"{server.address}{typed}") == f"{server.address}{sent}"
        assert document(ASKER, sendable(f"{server.address}{typed}")) == {"a": 1}


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://localhost:99999/debug/pools", "65535 at most"),
        ("http://localhost:8O00/debug/pools", "the port of the address must be a number"),
        ("http://local host/debug/pools", "there is a space in the host"),
        ("localhost/debug/pools", "must begin with http://"),
        ("http://[::1/debug/pools", "must begin with http://"),
        ("http://u:p@localhost/debug/pools", "no name and password"),
    ],
)
def test_an_address_that_is_none_says_what_is_wrong(url: str, said: str) -> None:
    with pytest.raises(CannotMeasureError, match=said):
        sendable(url)
