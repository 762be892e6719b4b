"""The snapshot as a file: written in one step, and read again only if it is whole."""

import os
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Final

from enrol.eidas.trustlist import TrustSnapshot, decode_snapshot, encode_snapshot
from enrol.errors import ConfigurationError

_MARK: Final = b"enrol-trust-snapshot sha256="


def write_snapshot(path: Path, snapshot: TrustSnapshot) -> None:
    """Put the snapshot at `path`: a reader sees the one before or this one, whole."""
    body = encode_snapshot(snapshot)
    data = _MARK + sha256(body).hexdigest().encode() + b"\n" + body
    path.parent.mkdir(parents=True, exist_ok=True)
    staged = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with staged.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        staged.replace(path)
    except BaseException:
        with suppress(OSError):
            staged.unlink()
        raise
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def read_snapshot(path: Path) -> TrustSnapshot:
    """Read a snapshot; raises ConfigurationError ``trust_snapshot_unreadable``."""
    try:
        return _decode(path.read_bytes())
    except (OSError, ValueError) as exc:
        raise ConfigurationError(
            "trust_snapshot_unreadable", f"{path} cannot be read as a trust snapshot: {exc}"
        ) from exc


def _decode(data: bytes) -> TrustSnapshot:
    first, _, body = data.partition(b"\n")
    if first != _MARK + sha256(body).hexdigest().encode():
        raise ValueError("its digest is another")
    return decode_snapshot(body)


def find_snapshot(path: Path) -> TrustSnapshot | None:
    """Read the snapshot at `path`, None where there is none that can be read."""
    try:
        return read_snapshot(path)
    except ConfigurationError:
        return None
