"""Unix sockets that people and programs on the same machine connect to."""

import os
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from enrol.errors import ConfigurationError

OWNER: Final = 0o600
"""Only the account of the server may connect, and root."""

OWNER_AND_GROUP: Final = 0o660

_LONGEST_NAME: Final = 107


def bind_unix_socket(path: Path, *, mode: int = OWNER_AND_GROUP) -> socket.socket:
    """Return a socket bound to `path`, which those of `mode` may connect to and nobody else.

    The file that a server left there is replaced, never one that a server listens on. Raises
    `ConfigurationError`, also where others may write to the folder: they could put a socket of
    their own in the place of this one.
    """
    listening = socket.socket(socket.AF_UNIX)
    try:
        _check_folder(path.parent)
        if path.is_socket() and not _is_in_use(path):
            path.unlink()
        before = os.umask(0o777 & ~mode)
        try:
            with address_of(path) as address:
                listening.bind(address)
        finally:
            os.umask(before)
    except OSError as error:
        listening.close()
        raise ConfigurationError(
            "listen_address_unavailable", f"cannot listen on {path}: {error.strerror or error}"
        ) from error
    except ConfigurationError:
        listening.close()
        raise
    return listening


@contextmanager
def address_of(path: Path) -> Iterator[str]:
    """Give out what to bind or connect to for `path`, also where it is too long for an address."""
    if len(os.fsencode(path)) <= _LONGEST_NAME:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def _check_folder(folder: Path) -> None:
    mode = folder.stat().st_mode
    if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
        raise ConfigurationError(
            "hop_exposed", f"{folder}: others can write to it; run chmod o-w {folder}"
        )


def _is_in_use(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe, address_of(path) as address:
        return probe.connect_ex(address) == 0
