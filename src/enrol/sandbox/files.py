"""Files of the sandbox: never over another, and keys private from the first byte."""

import os
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from enrol.errors import ConfigurationError
from enrol.sandbox.ca import PrivateKey
from enrol.sandbox.pki import Issued

PRIVATE, PUBLIC = 0o600, 0o644
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True, slots=True)
class PairPaths:
    """Where a certificate (PEM, its chain after it) and its private key (PKCS#8 PEM) go."""

    certificate: Path
    key: Path


def new_pair(folder: Path, name: str) -> PairPaths:
    """Return the paths of ``name.pem`` and ``name.key``, of which neither exists yet.

    Raises ConfigurationError ``sandbox_name`` or ``sandbox_file_exists``.
    """
    if not _NAME.fullmatch(name):
        raise ConfigurationError(
            "sandbox_name",
            "A name is 1 to 100 letters, digits, '.', '_' and '-', and does not begin with"
            " '.' or '-'; the folder goes into --out.",
        )
    pair = PairPaths(folder / f"{name}.pem", folder / f"{name}.key")
    for path in (pair.certificate, pair.key):
        if path.exists() or path.is_symlink():
            raise _exists(path)
    return pair


def write_pair(pair: PairPaths, issued: Issued) -> None:
    """Write key and certificate, or neither; the folder is made where there is none."""
    pair.certificate.parent.mkdir(parents=True, exist_ok=True)
    write_new(pair.key, key_pem(issued.private_key), mode=PRIVATE)
    try:
        write_new(pair.certificate, certificates_pem(issued.certificate, *issued.chain))
    except BaseException:
        pair.key.unlink(missing_ok=True)
        raise


def write_new(path: Path, data: bytes, *, mode: int = PUBLIC) -> None:
    """Write a file that does not exist yet; raises ConfigurationError ``sandbox_file_exists``."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    except FileExistsError as exc:
        raise _exists(path) from exc
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        with suppress(OSError):
            path.unlink()
        raise


def replace_file(path: Path, data: bytes) -> None:
    """Put new content at `path` in one step: a reader sees the old file or the new one, whole."""
    staged = path.with_name(f".{path.name}.{os.getpid()}")
    staged.unlink(missing_ok=True)
    write_new(staged, data)
    staged.replace(path)


def certificates_pem(*certificates: x509.Certificate) -> bytes:
    """Return the certificates as PEM, one after the other."""
    return b"".join(certificate.public_bytes(Encoding.PEM) for certificate in certificates)


def key_pem(key: PrivateKey) -> bytes:
    """Return the key as unencrypted PKCS#8 PEM."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _exists(path: Path) -> ConfigurationError:
    return ConfigurationError(
        "sandbox_file_exists",
        f"{path} exists and is not written over; remove it, or choose another --name or --out.",
    )
