"""How a file is seen to be another one, and brought to disk."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Self


@dataclass(frozen=True, slots=True)
class Stamp:
    """What tells one state of a file from another; all None when it cannot be looked at."""

    inode: int | None = None
    modified: int | None = None
    size: int | None = None

    @property
    def exists(self) -> bool:
        """Whether there was a file to look at."""
        return self.inode is not None

    @classmethod
    def of(cls, path: Path) -> Self:
        """Look at a file."""
        try:
            status = path.stat()
        except OSError:
            return cls()
        return cls(status.st_ino, status.st_mtime_ns, status.st_size)


def sync(path: Path) -> None:
    """Bring a file, or the names in a folder, to disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
