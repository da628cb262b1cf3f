"""What a function says of itself: its annotations, and what its code names."""

from __future__ import annotations

import dis
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import CodeType, ModuleType
from typing import Any, get_args

_ABSENT = object()
_ATTRIBUTES = ("LOAD_ATTR", "LOAD_METHOD")
_CALLS = ("CALL", "CALL_KW", "CALL_FUNCTION_EX")


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


@dataclass(frozen=True, slots=True)
class Named:
    """A global, a variable of a module or an outer variable that a function's own code names."""

    value: Any
    attribute: str | None
    """What is taken from it there."""
    called: bool
    """Whether it is called there itself; being handed to somebody else is not."""


def named_in(function: Callable[..., Any]) -> Iterator[Named]:
    """What its own code names, and what it does with that as far as it is plain to see."""
    code = _code(function)
    if code is None:
        return
    known, outer = getattr(function, "__globals__", {}), _outer_variables(function)
    instructions = [each for each in dis.get_instructions(code) if each.opname != "PUSH_NULL"]
    # A call begins where what it calls does, and its arguments begin further on.
    calls = {_beginning(each) for each in instructions if each.opname in _CALLS} - {None}
    value: Any = _ABSENT
    for index, instruction in enumerate(instructions):
        name = instruction.argval
        if instruction.opname == "LOAD_GLOBAL":
            value = known.get(name, _ABSENT)
        elif instruction.opname == "LOAD_DEREF":
            value = outer.get(name, _ABSENT)
        elif instruction.opname in _ATTRIBUTES and type(value) is ModuleType:
            value = vars(value).get(name, _ABSENT)
        else:
            value = _ABSENT
        if value is not _ABSENT:
            following = instructions[index + 1]  # a function ends with a return
            taken = following.argval if following.opname in _ATTRIBUTES else None
            yield Named(value, taken, called=taken is None and _beginning(instruction) in calls)


def parameters_kept(function: Callable[..., Any]) -> frozenset[str]:
    """The parameters that it stores in attributes as they are: `self.session = session`."""
    code = _code(function)
    kept = set()
    loaded: list[str] = []
    for instruction in () if code is None else dis.get_instructions(code):
        if instruction.opname.startswith("LOAD_FAST"):
            # Two at once have a pair of names.
            names = instruction.argval
            loaded.extend([names] if isinstance(names, str) else names)
            continue
        if instruction.opname == "STORE_ATTR" and len(loaded) > 1:
            kept.add(loaded[-2])
        loaded.clear()
    return frozenset(kept)


def words_of(function: Callable[..., Any]) -> frozenset[str]:
    """The names of globals, attributes and methods in its own code."""
    code = _code(function)
    return frozenset() if code is None else frozenset(code.co_names)


def _outer_variables(function: Callable[..., Any]) -> dict[str, Any]:
    variables = {}
    names = function.__code__.co_freevars
    for name, cell in zip(names, getattr(function, "__closure__", None) or (), strict=False):
        try:
            variables[name] = cell.cell_contents
        except ValueError:  # it has no value yet
            continue
    return variables


def _beginning(instruction: dis.Instruction) -> tuple[int | None, int] | None:
    """Line and column of what it was compiled from; None where Python was told not to keep it."""
    place = instruction.positions
    if place is None or place.col_offset is None:
        return None
    return place.lineno, place.col_offset


def _code(function: Callable[..., Any]) -> CodeType | None:
    code = getattr(function, "__code__", None)
    return code if isinstance(code, CodeType) else None
