"""What a user's exception says is shown, and their passwords are not."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest
from pydantic import BaseModel, ValidationError, field_validator

from pool_observer.audit.complaints import in_a_line, masked


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://app:s3cret@db/orders", "postgresql://app:***@db/orders"),
        ("postgresql://app:s3/cret@db/orders", "postgresql://app:***@db/orders"),
        ("postgresql://app:s3@s3/cret@db/orders", "postgresql://app:***@db/orders"),
        ("postgresql://app:s3cret:s3@db/orders", "postgresql://app:***@db/orders"),
        ("postgresql://app:s3 cret@db/orders", "postgresql://app:***@db/orders"),
        ("redis://:s3cret@cache", "redis://:***@cache"),
        ("bad dsn host=db password=s3cret user=app", "bad dsn host=db password=*** user=app"),
        ("host=db PASSWORD='s3 cret' user=app", "host=db PASSWORD=*** user=app"),
        (r"password='s3\' cret' user=app", "password=*** user=app"),
        ("password = 's3 cret", "password = ***"),
        ("{'password': 's3 cret', 'port': 1}", "{'password': ***, 'port': 1}"),
        ('{"DB_PASSWORD": "s3 cret"}', '{"DB_PASSWORD": ***}'),
        ("postgresql://db/orders?password=s3,c)r;et&x=1", "postgresql://db/orders?password=***"),
        ("API_TOKEN=s3cret", "API_TOKEN=***"),
    ],
)
def test_what_looks_like_a_password_is_not_shown(text: str, shown: str) -> None:
    assert masked(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "'DATABASE_URL'",
        "password authentication failed",
        "postgresql://db:5432/orders",
        "http://localhost:8000",
    ],
)
def test_what_does_not_is(text: str) -> None:
    assert masked(text) == text


def test_the_beginning_of_a_password_that_was_taken_for_a_port_is_not_shown() -> None:
    with pytest.raises(ValueError, match="s3") as error:
        _ = urlsplit("postgresql://app:s3/cret@db/orders").port
    assert "s3" not in in_a_line(error.value)


def test_a_line_is_what_a_traceback_ends_with() -> None:
    assert in_a_line(KeyError("DATABASE_URL")) == "KeyError: 'DATABASE_URL'"
    assert in_a_line(RuntimeError("one\ntwo\n")) == "RuntimeError: two"
    assert in_a_line(SystemExit()) == "SystemExit"


def test_an_error_that_cannot_say_what_it_is_has_a_name() -> None:
    class TheirsError(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    assert in_a_line(TheirsError()) == "TheirsError"


class Nested(BaseModel):
    port: int


class Settings(BaseModel):
    url: str
    database: Nested
    secret: str = ""

    @field_validator("secret")
    @classmethod
    def long_enough(cls, value: str) -> str:
        raise ValueError(f"{value} is too short")


def refused(**settings: Any) -> str:
    with pytest.raises(ValidationError) as error:
        Settings(**settings)
    return in_a_line(error.value)


def test_settings_that_pydantic_refuses_are_named() -> None:
    assert refused(database={"port": 1}) == "ValidationError: url: Field required"
    said = refused(url="u", database={"port": "s3cret"})
    assert said.startswith("ValidationError: database.port: Input should be a valid integer")
    assert "s3cret" not in said


def test_what_a_validator_says_of_its_input_is_not_shown() -> None:
    said = refused(url="u", database={"port": 1}, secret="s3cret")
    assert said == "ValidationError: secret: it was refused by its validator"


def test_of_many_settings_three_are_named() -> None:
    class Many(BaseModel):
        a: int
        b: int
        c: int
        d: int
        e: int

    with pytest.raises(ValidationError) as error:
        Many()  # type: ignore[call-arg]
    assert in_a_line(error.value) == (
        "ValidationError: a: Field required; b: Field required; c: Field required; and 2 more"
    )
