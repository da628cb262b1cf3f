"""Which line of the application asked for a connection.

Finding it happens on every checkout, so the walk stores a raw pair (code object, instruction)
and formats nothing. Turning the pair into a file, a line and a name waits until someone
looks: `resolve()`.
"""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Callable, Iterable, Iterator
from enum import Enum, auto
from functools import lru_cache
from itertools import islice
from types import CodeType, FrameType

from pool_observer.model import CallSite

RawSite = tuple[CodeType, int]
"""Where a frame stood: its code and the offset of the instruction it was executing."""

LIBRARIES = (
    "anyio",
    "greenlet",
    "opentelemetry",
    "pool_observer.hooks",
    "sqlalchemy",
    "sqlmodel",
    "wrapt",
)
"""Modules that ask for connections on behalf of the code that called them."""

LOOPS = ("asyncio.base_events", "asyncio.events", "asyncio.runners", "uvloop")
"""Modules that run tasks: what calls them has not asked for what a task asks for."""

SERVERS = ("granian", "gunicorn", "hypercorn", "uvicorn")
"""Modules that are called by an application to be called back."""

DEEPEST_WALK = 200
"""Frames looked at before giving up, so that deep recursion costs a bounded time."""

_MOST_FILES = 10_000
_STDLIB = os.path.normcase(sysconfig.get_path("stdlib")) + os.sep
OURSELVES = os.path.normcase(os.path.dirname(__file__)) + os.sep
_SITE_PACKAGES = tuple(f"{os.sep}{name}{os.sep}" for name in ("site-packages", "dist-packages"))


class _Kind(Enum):
    APPLICATION = auto()
    LIBRARY = auto()
    LOOP = auto()
    SERVER = auto()


def no_frames() -> Iterator[FrameType]:
    """No stack goes on beyond the end of this one."""
    return iter(())


class SiteFinder:
    """Walks the stack to the innermost frame that is nobody's library.

    `skip` names modules (with everything below them) to walk past besides SQLAlchemy, the
    standard library and ourselves: a team's own session helper, for example.
    `stacks_beyond` gives the frames where the stack goes on when it seems to end, which is
    what a greenlet's stack does; `awaiting` those of whoever awaits the task that runs.
    """

    def __init__(
        self,
        skip: Iterable[str] = (),
        stacks_beyond: Callable[[], Iterator[FrameType]] = no_frames,
        awaiting: Callable[[], Iterator[FrameType]] = no_frames,
    ) -> None:
        self._skip = (*LIBRARIES, *skip)
        self._stacks_beyond = stacks_beyond
        self._awaiting = awaiting
        self._kinds: dict[str, _Kind] = {}

    def find(self, frame: FrameType | None) -> RawSite | None:
        """The call site, walking outward from `frame`."""
        kinds, library, application = self._kinds, _Kind.LIBRARY, _Kind.APPLICATION
        beyond: Iterator[FrameType] | None = None
        has_left_task = False
        for _ in range(DEEPEST_WALK):
            if frame is None:
                beyond = beyond or self._stacks_beyond()
                frame = next(beyond, None)
                if frame is None:
                    return None
            code = frame.f_code
            try:
                kind = kinds[code.co_filename]
            except KeyError:
                kind = self._judge(frame)
            if kind is application:
                return code, frame.f_lasti
            if kind is not library:
                if not has_left_task:
                    has_left_task = True
                    site = self._first_site(self._awaiting())
                    if site is not None:
                        return site
                if kind is _Kind.SERVER:
                    return None
            frame = frame.f_back
        return None

    def _first_site(self, frames: Iterator[FrameType]) -> RawSite | None:
        for frame in islice(frames, DEEPEST_WALK):
            kind = self._kinds.get(frame.f_code.co_filename) or self._judge(frame)
            if kind is _Kind.APPLICATION:
                return frame.f_code, frame.f_lasti
        return None

    def _judge(self, frame: FrameType) -> _Kind:
        """What the frame's file is; asked once for each file."""
        filename = frame.f_code.co_filename
        verdict = self._kind_of(filename, str(frame.f_globals.get("__name__", "")))
        if len(self._kinds) < _MOST_FILES:
            self._kinds[filename] = verdict
        return verdict

    def _kind_of(self, filename: str, module: str) -> _Kind:
        if is_installed(filename):  # or it is somebody's own module of that name
            if _is_one_of(module, SERVERS):
                return _Kind.SERVER
            if _is_one_of(module, LOOPS):
                return _Kind.LOOP
        if self._belongs_to_a_library(filename, module):
            return _Kind.LIBRARY
        return _Kind.APPLICATION

    def _belongs_to_a_library(self, filename: str, module: str) -> bool:
        if filename.startswith("<"):
            # Generated code: dataclasses, frozen modules, and SQLAlchemy 2.1's own methods.
            return True
        if _is_one_of(module, self._skip):
            return True
        # A module of the standard library is one that is called so *and* lies there: people
        # do name their own modules `queue` or `platform`.
        root = module.partition(".")[0]
        return root in sys.stdlib_module_names and _lies_in_stdlib(filename)


def _is_one_of(module: str, names: Iterable[str]) -> bool:
    return any(module == name or module.startswith(f"{name}.") for name in names)


@lru_cache(maxsize=_MOST_FILES)
def is_installed(filename: str) -> bool:
    """Whether the file came with Python or with a package, or was generated."""
    return (
        filename.startswith("<")
        or filename.endswith(".pyx")  # a driver's, compiled, whose path says nothing
        or package_of(filename) is not None
        or _lies_in_stdlib(filename)
    )


@lru_cache(maxsize=_MOST_FILES)
def package_of(filename: str) -> str | None:
    """Where the package begins that the file was installed with; None if it was not installed.

    Applications are installed too: then their package is not a library.
    """
    path = os.path.normcase(filename)
    for directory in _SITE_PACKAGES:
        before, found, inside = path.rpartition(directory)
        if found:
            return before + found + inside.partition(os.sep)[0]
    return OURSELVES if path.startswith(OURSELVES) else None


def _lies_in_stdlib(filename: str) -> bool:
    return os.path.normcase(filename).startswith(_STDLIB) and package_of(filename) is None


@lru_cache(maxsize=2048)
def resolve(site: RawSite | None) -> CallSite | None:
    """The file, line and function of a raw site, as a person would write them."""
    if site is None:
        return None
    code, instruction = site
    # An instruction is two bytes; co_positions() yields one position for each.
    at = max(instruction, 0) // 2  # it is negative before the first
    line, *_ = next(islice(code.co_positions(), at, None), (None,))
    return CallSite(
        file=_relative(code.co_filename),
        line=line or code.co_firstlineno,
        function=code.co_qualname.rpartition("<locals>.")[2],
    )


def _relative(filename: str) -> str:
    """The path as an import would find it: `app/routers/chat.py` rather than a home directory."""
    try:
        bases = {os.path.abspath(entry) for entry in (os.getcwd(), *sys.path)}
    except (OSError, TypeError):  # the directory is gone, or somebody put a Path into sys.path
        bases = {entry for entry in sys.path if isinstance(entry, str) and os.path.isabs(entry)}
    inside = [base for base in bases if filename.startswith(base.rstrip(os.sep) + os.sep)]
    return os.path.relpath(filename, max(inside, key=len)) if inside else filename
