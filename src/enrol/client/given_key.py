"""The key a captured signature is held against: from a certificate, a public key, or the body."""

from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_public_key
from cryptography.x509 import (
    Certificate,
    load_der_x509_certificate,
    load_pem_x509_certificates,
)

from enrol.errors import ConfigurationError, RefusalError
from enrol.httpsig import Primitive
from enrol.httpsig.explain import GivenKey
from enrol.oauth import jwk
from enrol.oauth.metadata import parse_client_metadata
from enrol.oauth.strict_json import parse_json_object


def read_octets(path: Path, option: str) -> bytes:
    """Return the octets of a file given with an option; `ConfigurationError` ``file_missing``."""
    try:
        return path.read_bytes()
    except OSError as exc:
        raise ConfigurationError(
            "file_missing", f"{option}: {path} cannot be read ({exc.strerror})."
        ) from exc


def key_of_certificate(
    path: Path, *, primitive: Primitive | None = None, keyid: str | None = None
) -> GivenKey:
    """Return the key of the first certificate in a PEM or DER file.

    Raises `ConfigurationError` ``file_missing`` or ``certificate_malformed``.
    """
    file = read_octets(path, "--certificate")
    try:
        is_pem = b"-----BEGIN" in file
        certificate = (
            load_pem_x509_certificates(file)[0] if is_pem else load_der_x509_certificate(file)
        )
        return _key_of(certificate, file=file, primitive=primitive, keyid=keyid)
    except (ValueError, UnsupportedAlgorithm) as exc:
        raise ConfigurationError(
            "certificate_malformed",
            f"--certificate: {path} holds no certificate. Give the QSealC in PEM or DER; a public "
            "key alone goes with --key.",
        ) from exc


def key_of_public_key(
    path: Path, *, primitive: Primitive | None = None, keyid: str | None = None
) -> GivenKey:
    """Return the public key in a PEM file.

    Raises `ConfigurationError` ``file_missing`` or ``key_malformed``.
    """
    file = read_octets(path, "--key")
    if b"PRIVATE KEY-----" in file:
        raise ConfigurationError(
            "key_malformed",
            f"--key: {path} holds a private key. Give the public one: openssl pkey -in {path} "
            "-pubout.",
        )
    try:
        return GivenKey(load_pem_public_key(file), primitive=primitive, keyid=keyid)
    except (ValueError, UnsupportedAlgorithm) as exc:
        raise ConfigurationError(
            "key_malformed",
            f"--key: {path} holds no public key in PEM. It must begin with "
            "-----BEGIN PUBLIC KEY-----; a certificate goes with --certificate.",
        ) from exc


def key_in_body(
    body: bytes, *, primitive: Primitive | None = None, keyid: str | None = None
) -> GivenKey | None:
    """Return the key of the first certificate a registration brings in ``jwks``, None without."""
    try:
        metadata = parse_client_metadata(parse_json_object(body))
        keys = metadata.jwks.keys if metadata.jwks is not None else ()
        chain = jwk.certificates(keys[0]) if keys else ()
        certificate = load_der_x509_certificate(chain[0]) if chain else None
    except (RefusalError, ValueError, UnsupportedAlgorithm):
        return None
    if certificate is None:
        return None
    return _key_of(certificate, file=None, primitive=primitive, keyid=keyid)


def _key_of(
    certificate: Certificate, *, file: bytes | None, primitive: Primitive | None, keyid: str | None
) -> GivenKey:
    return GivenKey(
        certificate.public_key(),
        primitive=primitive,
        certificate=certificate.public_bytes(Encoding.DER),
        file=file,
        keyid=keyid,
    )
