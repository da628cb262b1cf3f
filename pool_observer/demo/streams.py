"""The descriptors that every program believes to be there."""

from __future__ import annotations

import os


def open_standard_streams() -> None:
    """Where one is closed, as after `<&-`: it would be given to the next file or socket."""
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest that is free, which is this one
