"""How a file is seen to be another one, and how one comes to stand on disk whole."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path
from threading import get_ident
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


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal; raises `OSError`."""
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def sync(path: Path) -> None:
    """Bring a file, or the names in a folder, to disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def replace_file(path: Path, content: bytes) -> None:
    """Put bytes at `path`, durably and for the owner only: whoever reads sees old or new ones."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.{get_ident()}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(descriptor, "wb") as file:  # noqa: PTH123 - of a descriptor
            file.write(content)
        sync(draft)
        draft.replace(path)
        sync(path.parent)
    finally:
        draft.unlink(missing_ok=True)


@contextmanager
def new_file(path: Path) -> Iterator[Path]:
    """Give out an empty file of the owner's, which becomes `path` unless its user fails.

    Raises `FileExistsError` where `path` is there, which is never overwritten, and `OSError`.
    """
    if path.exists():
        raise FileExistsError(path)
    draft = path.with_name(f".{path.name}.part")
    draft.unlink(missing_ok=True)
    try:
        os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        yield draft
        sync(draft)
        _name(draft, path)
        sync(path.parent)
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


def _name(draft: Path, path: Path) -> None:
    """Give a file its name, unless it is taken; some file systems can only be looked at."""
    try:
        path.hardlink_to(draft)
    except FileExistsError:
        raise
    except OSError:
        if path.exists():
            raise FileExistsError(path) from None
        draft.rename(path)
