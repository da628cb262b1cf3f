from __future__ import annotations

import pytest

from pool_observer.terminal.fitting import cut, cut_middle, padded, tame, told_apart, width, wrapped


@pytest.mark.parametrize(
    ("text", "columns", "expected"),
    [
        ("GET /items", 10, "GET /items"),
        ("GET /items", 9, "GET /i..."),
        ("GET /items", 6, "GET..."),
        ("GET /items", 5, "GET /"),
        ("GET /items", 0, ""),
        ("\u6f22\u5b57\u6f22\u5b57", 8, "\u6f22\u5b57\u6f22\u5b57"),
        ("\u6f22\u5b57\u6f22\u5b57", 7, "\u6f22\u5b57..."),
        ("\u6f22\u5b57", 3, "\u6f22"),
        ("\u6f22", 1, ""),
    ],
)
def test_what_does_not_fit_is_cut_between_characters(
    text: str, columns: int, expected: str
) -> None:
    assert cut(text, columns) == expected
    assert width(padded(text, columns)) == columns


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\nb\x1bc\x9bd", "a\ufffdb\ufffdc\ufffdd"),
        ("e\u0301", "\u00e9"),
        ("a\u0316\u0317\u0318", "a"),
        ("\u202egnp", "\ufffdgnp"),
        ("\u2764\ufe0f", "\u2764"),
    ],
)
def test_a_tame_text_has_one_width(text: str, expected: str) -> None:
    assert tame(text) == expected


def test_lines_are_wrapped_between_words() -> None:
    assert wrapped("now app/chat.py:41 in chat", 18) == ["now app/chat.py:41", "in chat"]
    assert wrapped("interpreter", 8) == ["inter..."]
    assert wrapped("in app/chat.py:41", 8) == ["in", "...py:41"]
    assert wrapped("", 8) == []
    assert wrapped("\u6f22 \u6f22 \u6f22", 5) == ["\u6f22 \u6f22", "\u6f22"]


@pytest.mark.parametrize("columns", [30, 16, 9, 6, 5, 3])
@pytest.mark.parametrize(
    "names",
    [
        ("db-primary.eu-west-1.internal:5432/orders", "db-primary.eu-west-1.internal:5432/users"),
        ("db.eu-west-1.internal:5432/orders", "db.us-west-1.internal:5432/orders"),
        ("db-1.internal:5432/orders", "db-2.internal:5432/orders"),
        ("orders", "orders-of-the-last-year-and-of-all-before"),
    ],
)
def test_names_that_do_not_fit_are_told_apart(names: tuple[str, str], columns: int) -> None:
    shown = told_apart(names, columns)
    assert shown[names[0]] != shown[names[1]]
    assert max(map(width, shown.values())) <= columns


def test_names_that_fit_are_left_alone() -> None:
    assert told_apart(["orders", "users"], 6) == {"orders": "orders", "users": "users"}
    assert told_apart([], 6) == {}


@pytest.mark.parametrize(
    ("columns", "expected"),
    [(14, "db-1....5432/a"), (9, "db-...2/a"), (8, "...432/a"), (4, "32/a")],
)
def test_a_text_may_be_cut_in_the_middle(columns: int, expected: str) -> None:
    assert cut_middle("db-1.internal:5432/a", columns) == expected
