"""Whom servers run as that refuse to be root: `nobody`, where root runs the demo."""

from __future__ import annotations

import os
import pwd
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pool_observer.demo.programs import CannotRunError

_NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class Account:
    """A user of this machine that is not the demo's."""

    name: str
    uid: int
    gid: int

    def may_reach(self, path: Path) -> bool:
        """Whether it may get there, and read and run what is there, as any user may."""
        wanted = stat.S_IROTH | stat.S_IXOTH
        is_open = path.stat().st_mode & wanted == wanted
        return is_open and _can_be_entered(path.absolute().parents, path.resolve().parents)

    def let_through(self, folder: Path) -> None:
        """It may enter this folder of root's, which no other user may."""
        if not _can_be_entered(folder.parents):
            raise CannotRunError(
                f"PostgreSQL refuses to run as root, and the user {self.name}, who runs it "
                f"instead, may not enter {folder.parent}; run TMPDIR=/tmp pool-observer demo"
            )
        os.chown(folder, -1, self.gid)
        folder.chmod(0o710)


def _can_be_entered(*ways: Sequence[Path]) -> bool:
    return all(each.stat().st_mode & stat.S_IXOTH for way in ways for each in way)


def account() -> Account | None:
    """Who runs PostgreSQL and PgBouncer; None if it is whoever runs the demo."""
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam(_NOBODY)
    except KeyError:
        raise CannotRunError(
            f"PostgreSQL refuses to run as root, and there is no user {_NOBODY} here; run the "
            "demo as another user"
        ) from None
    return Account(_NOBODY, entry.pw_uid, entry.pw_gid)


def private_folder(parent: Path, name: str, owner: Account | None) -> Path:
    """One for a server and its socket: no other user of this machine gets in."""
    folder = parent / name
    folder.mkdir(mode=0o700)
    if owner is not None:
        os.chown(folder, owner.uid, owner.gid)
    return folder
