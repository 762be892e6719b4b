"""The Unix socket that a proxy on the same machine connects to."""

import os
import socket
import stat
from pathlib import Path

from enrol.errors import ConfigurationError

_OTHERS_LOCKED_OUT = 0o117  # the umask that leaves 0660: owner and group


def bind_unix_socket(path: Path) -> socket.socket:
    """Return a socket bound to `path`, which owner and group may connect to and nobody else.

    The file that a server left there is replaced, never one that a server listens on. Raises
    `ConfigurationError`, also where others may write to the folder: they could put a socket of
    their own in the place of this one.
    """
    listening = socket.socket(socket.AF_UNIX)
    try:
        _check_folder(path.parent)
        if path.is_socket() and not _is_in_use(path):
            path.unlink()
        before = os.umask(_OTHERS_LOCKED_OUT)
        try:
            listening.bind(str(path))
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


def _check_folder(folder: Path) -> None:
    mode = folder.stat().st_mode
    if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
        raise ConfigurationError(
            "hop_exposed", f"{folder}: others can write to it; run chmod o-w {folder}"
        )


def _is_in_use(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) == 0
