"""Writes files that belong together, or says which of them are not what they would be."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from pool_observer.commands.parsing import DONE, FOUND, complain, put
from pool_observer.commands.writing import cannot_be


def write_files(command: str, files: Mapping[Path, str]) -> int:
    """Write them, and print their names; returns the exit status."""
    try:
        for file, text in files.items():
            _make_folder(file.parent)
            _write_whole(file, text)
    except OSError as error:
        return complain(command, cannot_be("written", error))
    return put(command, "".join(f"{file}\n" for file in files))


def compare_files(command: str, files: Mapping[Path, str]) -> int:
    """Name those that are not there, or have another content; returns the exit status."""
    try:
        stale = [file for file, text in files.items() if not _is_there(file, text)]
    except OSError as error:
        return complain(command, cannot_be("read", error))
    for file in stale:
        print(f"{file} is not what it would be", file=sys.stderr)
    return FOUND if stale else DONE


def _is_there(file: Path, text: str) -> bool:
    return file.is_file() and file.read_bytes() == text.encode()


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), folder) from None


def _write_whole(file: Path, text: str) -> None:
    """Whoever reads the file meanwhile reads the old or the new, and no half of it."""
    beside = file.with_name(f".{file.name}.new")
    try:
        beside.write_bytes(text.encode())
        beside.replace(file)
    except OSError as error:
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)
        raise OSError(error.errno, error.strerror, file) from error
