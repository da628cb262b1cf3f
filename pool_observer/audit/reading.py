"""What a function says of itself: its annotations, and what its code names."""

from __future__ import annotations

import dis
import inspect
from collections.abc import Callable, Iterator
from types import CodeType, ModuleType
from typing import Any, get_args

_ABSENT = object()
_ATTRIBUTES = ("LOAD_ATTR", "LOAD_METHOD")


def annotations_of(function: Callable[..., Any] | None) -> dict[str, Any]:
    """Its annotations, as far as they can be understood."""
    if function is None:
        return {}
    try:
        return inspect.get_annotations(function, eval_str=True)
    except Exception:  # one names what is only there for type checkers
        return _one_by_one(function)


def _one_by_one(function: Callable[..., Any]) -> dict[str, Any]:
    understood = {}
    for name, annotation in getattr(function, "__annotations__", {}).items():
        known = getattr(function, "__globals__", {})
        meant = known.get(annotation, _ABSENT) if isinstance(annotation, str) else annotation
        if meant is not _ABSENT:
            understood[name] = meant
    return understood


def members_of(annotation: Any) -> Iterator[Any]:
    """An annotation and what it is made of: `AsyncIterator[Session]` is of `Session` as well."""
    yield annotation
    for argument in get_args(annotation):
        yield from members_of(argument)


def globals_named(function: Callable[..., Any]) -> Iterator[Any]:
    """What the globals, variables of modules and outer variables are that its own code names."""
    code = _code(function)
    if code is None:
        return
    known = getattr(function, "__globals__", {})
    value: Any = _ABSENT
    for instruction in dis.get_instructions(code):
        if instruction.opname == "LOAD_GLOBAL":
            value = known.get(instruction.argval, _ABSENT)
        elif instruction.opname in _ATTRIBUTES and type(value) is ModuleType:
            value = vars(value).get(instruction.argval, _ABSENT)
        else:
            value = _ABSENT
        if value is not _ABSENT:
            yield value
    for cell in getattr(function, "__closure__", None) or ():
        try:
            yield cell.cell_contents
        except ValueError:  # it has no value yet
            continue


def words_of(function: Callable[..., Any]) -> frozenset[str]:
    """The names of globals, attributes and methods in its own code."""
    code = _code(function)
    return frozenset() if code is None else frozenset(code.co_names)


def _code(function: Callable[..., Any]) -> CodeType | None:
    code = getattr(function, "__code__", None)
    return code if isinstance(code, CodeType) else None
