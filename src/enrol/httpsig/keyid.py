"""What a keyId may be, and whether a certificate is the one it names.

A keyId is an identifier; nothing here visits it.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha1, sha256
from typing import Final

from enrol.httpsig.crypto import VerificationKey
from enrol.httpsig.errors import SignatureError
from enrol.httpsig.octets import encode_base64

MAXIMUM_LENGTH: Final = 1024
"""Characters a keyId may have (KEY-4)."""

_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*+:")
_FINGERPRINT: Final = re.compile(
    r"(?:[0-9A-Fa-f]{2}:){19}(?:(?:[0-9A-Fa-f]{2}:){12})?[0-9A-Fa-f]{2}"
)
_URL: Final = re.compile(
    r"[Hh][Tt][Tt][Pp][Ss]://([^/:]++)(?::443)?(/[!$%&'()*+,\-./\w:;=@~]*+)?", re.ASCII
)
_LABEL: Final = re.compile(r"[0-9a-z](?:[0-9a-z\-]{0,61}[0-9a-z])?")
_LETTER: Final = re.compile(r"[a-z]")
_SHA256: Final = re.compile(r"_([0-9a-f]{64})\Z")
_SHA1: Final = re.compile(r"/((?:[0-9A-Fa-f]{2}:){19}[0-9A-Fa-f]{2})(?:\.[A-Za-z]{1,4})?\Z")


@dataclass(frozen=True, slots=True)
class KeyName:
    """A name given to a key before: a kid, a serial number, a fingerprint."""

    text: str


@dataclass(frozen=True, slots=True)
class CertificateUrl:
    """The URL of a certificate: https, a public DNS name, port 443, no query, no fragment.

    `host` is in lower case. `sha256` is the hexadecimal suffix after ``_`` (STET 1.6.3 §3.5.1.2),
    `sha1` a fingerprint with colons as the last part of the path; None where there is none.
    """

    url: str
    host: str
    sha256: str | None
    sha1: str | None


@dataclass(frozen=True, slots=True)
class KnownKey:
    """A key and the keyId it was registered under; `certificate` is DER."""

    keyid: str
    key: VerificationKey
    certificate: bytes | None = None


def parse_keyid(text: str) -> KeyName | CertificateUrl:
    """Read a keyId; whatever begins like a URI must be the URL of a certificate.

    Raises `SignatureError` with KEY-1 or KEY-4.
    """
    if len(text) > MAXIMUM_LENGTH:
        raise SignatureError("KEY-4")
    if not _SCHEME.match(text) or _FINGERPRINT.fullmatch(text):
        return KeyName(text)
    match = _URL.fullmatch(text)
    if match is None:
        raise SignatureError("KEY-1")
    host, path = match.group(1).lower(), match.group(2) or ""
    if not _is_public_name(host):
        raise SignatureError("KEY-1")
    by_sha256, by_sha1 = _SHA256.search(path), _SHA1.search(path)
    return CertificateUrl(
        text,
        host,
        by_sha256.group(1) if by_sha256 else None,
        by_sha1.group(1).lower() if by_sha1 else None,
    )


def matches_certificate(
    url: CertificateUrl, der: bytes, *, file: bytes | None = None
) -> bool | None:
    """Say whether a certificate is the one a URL names, or None when the URL holds no fingerprint.

    The SHA-256 may be that of the DER or of the PEM file (KEY-3): of `file`, the octets served, or
    of the usual PEM text of `der` with either line end.
    """
    if url.sha256 is not None:
        return url.sha256 in {sha256(octets).hexdigest() for octets in _encodings(der, file)}
    if url.sha1 is not None:
        digest = sha1(der, usedforsecurity=False).hexdigest()
        return url.sha1.replace(":", "") == digest
    return None


def check_certificate(url: CertificateUrl, der: bytes, *, file: bytes | None = None) -> None:
    """Refuse a certificate that a URL does not name by fingerprint.

    Raises `SignatureError` with KEY-3.
    """
    if not matches_certificate(url, der, file=file):
        raise SignatureError("KEY-3")


def find_key(text: str, known: Iterable[KnownKey]) -> VerificationKey:
    """Return the key that a keyId names among those known.

    A name must be equal; a URL must hold the fingerprint of the certificate, whatever its host.
    Raises `SignatureError` with KEY-1 to KEY-4.
    """
    keyid, known = parse_keyid(text), tuple(known)
    if isinstance(keyid, KeyName):
        for entry in known:
            if entry.keyid == keyid.text:
                return entry.key
        raise SignatureError("KEY-2")
    for entry in known:
        if entry.certificate is not None and matches_certificate(keyid, entry.certificate):
            return entry.key
    if _without_suffix(text) in {_without_suffix(entry.keyid) for entry in known}:
        raise SignatureError("KEY-3")
    raise SignatureError("KEY-3" if keyid.sha256 is None and keyid.sha1 is None else "KEY-2")


def _is_public_name(host: str) -> bool:
    """Say whether a host is a DNS name with a dot, neither an address nor of this machine."""
    labels = host.split(".")
    return (
        len(host) <= 253
        and len(labels) > 1
        and labels[-1] != "localhost"
        and _LETTER.match(labels[-1]) is not None
        and all(_LABEL.fullmatch(label) for label in labels)
    )


def _encodings(der: bytes, file: bytes | None) -> Iterator[bytes]:
    yield der
    if file is not None:
        yield file
        return
    text = encode_base64(der).encode()
    lines = [text[start : start + 64] for start in range(0, len(text), 64)]
    for end in (b"\n", b"\r\n"):
        pem = end.join([b"-----BEGIN CERTIFICATE-----", *lines, b"-----END CERTIFICATE-----"])
        yield pem
        yield pem + end


def _without_suffix(url: str) -> str:
    return _SHA256.sub("", url)
