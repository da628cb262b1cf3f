"""Calls and attributes that stand in a line of the documentation are those that there are."""

from __future__ import annotations

import ast
import inspect
import re
import types
import typing
from collections.abc import Iterator
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any

import pytest

import pool_observer
from pool_observer import PoolObserver, observe
from tests.examples import DOCS, PAGES, code_in_lines

CALLED = {
    name: getattr(pool_observer, name)
    for name in pool_observer.__all__
    if callable(getattr(pool_observer, name))
}
VALUES = {"observer": PoolObserver, "snapshot()": pool_observer.PoolState}
"""What a name in an example is."""


def expressions(page: Path) -> Iterator[ast.expr]:
    for code in code_in_lines(page):
        try:
            tree = ast.parse(code.removesuffix(":"), mode="eval")
        except SyntaxError:
            continue
        yield from (node for node in ast.walk(tree) if isinstance(node, ast.expr))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_call_of_ours_has_arguments_that_it_takes(page: Path) -> None:
    for node in expressions(page):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in CALLED:
            called = CALLED[ast.unparse(node.func)]
            given = [each for each in node.args if ast.unparse(each) != "..."]
            keywords = {str(each.arg): each.value for each in node.keywords}
            inspect.signature(called).bind_partial(*given, **keywords)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_an_attribute_of_ours_is_there(page: Path) -> None:
    for node in expressions(page):
        if isinstance(node, ast.Attribute):
            type_of(node)


def type_of(node: ast.expr) -> Any:
    """What an expression gives, as far as annotations tell; None where it is nothing of ours."""
    written = ast.unparse(node)
    if written in VALUES:
        return VALUES[written]
    if isinstance(node, ast.Call):
        return type_of(node.func)
    if not isinstance(node, ast.Attribute):
        return None
    owner = type_of(node.value)
    if owner is None or owner.__module__.partition(".")[0] != "pool_observer":
        return None
    return _attribute(owner, node.attr)


def _attribute(owner: Any, name: str) -> Any:
    if is_dataclass(owner):
        hints = typing.get_type_hints(owner)
        if name in hints:
            return _one(hints[name])
    found = inspect.getattr_static(owner, name)  # or it is not there
    function = found.fget if isinstance(found, property) else found
    try:
        return _one(typing.get_type_hints(function).get("return"))
    except NameError:  # what is imported for the type checker alone
        return None


def _one(annotation: Any) -> Any:
    """A class, which is perhaps not there."""
    if isinstance(annotation, types.UnionType):
        (annotation, *_) = [each for each in annotation.__args__ if each is not type(None)]
    return annotation if isinstance(annotation, type) else None


def test_what_is_not_there_is_noticed() -> None:
    type_of(ast.parse("observer.snapshot().totals.nestings", mode="eval").body)
    for code in ("observer.snap()", "observer.snapshot().total", "snapshot().totals.nesting"):
        with pytest.raises(AttributeError):
            type_of(ast.parse(code, mode="eval").body)


@pytest.mark.parametrize("page", ["attribution.md", "configuration.md", "incidents.md"])
def test_pages_name_attributes(page: str) -> None:
    assert re.search(r"`(?:observer\.|snapshot\(\)\.)\w+", (DOCS / page).read_text())


def test_every_argument_of_observe_is_called_by_its_name_somewhere() -> None:
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    for name in inspect.signature(observe).parameters:
        assert re.search(rf"`{name}`|\b{name}=|\bobserve\({name}\b", text), name
