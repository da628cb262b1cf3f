from __future__ import annotations

import pytest

from pool_observer.terminal.fitting import cut, padded, tame, width, wrapped


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
    assert wrapped("app/chat.py:41", 8) == ["app/c..."]
    assert wrapped("", 8) == []
    assert wrapped("\u6f22 \u6f22 \u6f22", 5) == ["\u6f22 \u6f22", "\u6f22"]
