"""PEM files of a TPP: certificates, private keys, and whether they belong together."""

from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509 import Certificate, load_pem_x509_certificates

from enrol.errors import ConfigurationError


def read_file(path: Path, name: str) -> bytes:
    """Return the bytes of a file; `name` is what the file is to the TPP, such as ``qwac``.

    Raises `ConfigurationError` ``file_missing``.
    """
    try:
        return path.read_bytes()
    except OSError as exc:
        raise ConfigurationError(
            "file_missing",
            f"{name}: {path} cannot be read ({exc.strerror}). Write the path of a readable file, "
            "absolute or from the folder of the profile.",
        ) from exc


def read_certificates(path: Path, name: str) -> tuple[Certificate, ...]:
    """Return the certificates of a PEM file, at least one, in the order of the file.

    Raises `ConfigurationError` ``file_missing`` or ``certificate_malformed``.
    """
    try:
        return tuple(load_pem_x509_certificates(read_file(path, name)))
    except ValueError as exc:
        raise ConfigurationError(
            "certificate_malformed",
            f"{name}: {path} holds no certificate in PEM. It must begin with "
            "-----BEGIN CERTIFICATE-----; convert DER with openssl x509 -inform DER.",
        ) from exc


def read_private_key(path: Path, name: str) -> PrivateKeyTypes:
    """Return the private key in a PEM file without password.

    Raises `ConfigurationError` ``file_missing``, ``key_encrypted`` or ``key_malformed``.
    """
    pem = read_file(path, name)
    try:
        return load_pem_private_key(pem, password=None)
    except TypeError as exc:
        raise ConfigurationError(
            "key_encrypted",
            f"{name}: {path} is encrypted. Write the key without password into a file of mode "
            "0600: openssl pkey -in FILE -out NEW.",
        ) from exc
    except Exception as exc:  # ValueError, UnsupportedAlgorithm and what OpenSSL adds to them
        raise ConfigurationError(
            "key_malformed", f"{name}: {path} holds no private key in PEM that can be read."
        ) from exc


def read_pair(
    certificate: Path, key: Path, name: str
) -> tuple[tuple[Certificate, ...], PrivateKeyTypes]:
    """Return the certificates in one PEM file and the private key of the first in another.

    Raises `ConfigurationError`, with code ``key_mismatch`` where they do not belong together.
    """
    certificates = read_certificates(certificate, name)
    private_key = read_private_key(key, f"{name}_key")
    _check_pair(certificates[0], private_key, name)
    return certificates, private_key


def _check_pair(certificate: Certificate, private_key: PrivateKeyTypes, name: str) -> None:
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if certificate.public_key().public_bytes(*form) != private_key.public_key().public_bytes(*form):
        raise ConfigurationError(
            "key_mismatch",
            f"{name}: the key does not belong to the certificate. Write {name} and {name}_key of "
            "the same pair; if the file holds several certificates, its own must come first.",
        )


def validity_warning(certificate: Certificate, name: str, *, at: datetime) -> str | None:
    """Return a warning where a certificate is not valid at `at` (aware UTC)."""
    if at > certificate.not_valid_after_utc:
        return f"{name}: the certificate expired on {certificate.not_valid_after_utc:%Y-%m-%d}."
    if at < certificate.not_valid_before_utc:
        return f"{name}: the certificate is valid from {certificate.not_valid_before_utc:%Y-%m-%d}."
    return None


def exposure_warning(key: Path, name: str) -> str | None:
    """Return a warning where the file of a private key can be read or written by everybody."""
    mode = key.stat().st_mode & 0o777 if key.exists() else 0
    if not mode & 0o006:
        return None
    return f"{name}: everybody on this machine can read {key}. Run chmod 600 {key}."
