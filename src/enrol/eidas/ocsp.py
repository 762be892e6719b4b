"""OCSP: the question to a responder, and what its answer says of a certificate (RFC 6960)."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from typing import Final

from asn1crypto import ocsp as asn1
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID, SignatureAlgorithmOID

from enrol.eidas.certificate import Certificate
from enrol.eidas.loading import find_extension, without_warnings
from enrol.eidas.path import STRONG_HASHES
from enrol.errors import UnavailableError

MAXIMUM_LENGTH: Final = 64 * 1024
"""How long a response may be, in octets."""

UNTIMED_LIFETIME: Final = timedelta(hours=1)
"""How long a response without nextUpdate is current: RFC 6960 §4.2.2.1 sets no end to it."""

_CERT_ID_HASHES: Final[dict[str, hashes.HashAlgorithm]] = {
    each.name: each for each in (hashes.SHA1(), hashes.SHA256(), hashes.SHA384(), hashes.SHA512())
}
"""What a CertID may be made with: it names a certificate and proves nothing, so SHA-1 is fit."""

_RSA_BITS: Final = range(2048, 8192 + 1)
_EC_BITS: Final = range(256, 521 + 1)
_MOST_RESPONDERS: Final = 4
_UNDERSTOOD: Final = (
    *(x509.BasicConstraints, x509.ExtendedKeyUsage, x509.KeyUsage),
    *(x509.OCSPNoCheck, x509.SubjectAlternativeName),
)


class Status(Enum):
    """What a responder says of a certificate."""

    GOOD = "good"
    REVOKED = "revoked"
    UNKNOWN = "unknown"


_STATUS: Final = {
    ocsp.OCSPCertStatus.GOOD: Status.GOOD,
    ocsp.OCSPCertStatus.REVOKED: Status.REVOKED,
    ocsp.OCSPCertStatus.UNKNOWN: Status.UNKNOWN,
}


@dataclass(frozen=True, slots=True)
class Statement:
    """One SingleResponse; `until` is nextUpdate, or an hour after thisUpdate where there is none.

    Times are aware UTC. The certificate is named by serial number and by two digests.
    """

    status: Status
    serial_number: int
    hash_algorithm: str
    issuer_name_hash: bytes
    issuer_key_hash: bytes
    this_update: datetime
    until: datetime


@dataclass(frozen=True, slots=True, eq=False)
class OcspResponse:
    """A successful response, read and not yet believed; `produced_at` is aware UTC."""

    der: bytes = field(repr=False)
    produced_at: datetime
    statements: tuple[Statement, ...]
    certificates: tuple[x509.Certificate, ...] = field(repr=False)
    loaded: ocsp.OCSPResponse = field(repr=False)


def ocsp_request(
    certificate: Certificate, issuer: x509.Certificate, *, nonce: bytes | None = None
) -> bytes:
    """Return the DER of a request for one certificate, with a SHA-1 CertID (RFC 6960 §4.1).

    Responders index by that digest. `nonce` is 1 to 32 random octets (RFC 9654 §2.1).
    """
    builder = ocsp.OCSPRequestBuilder().add_certificate(
        certificate.loaded, issuer, _CERT_ID_HASHES["sha1"]
    )
    if nonce is not None:
        builder = builder.add_extension(x509.OCSPNonce(nonce), critical=False)
    return builder.build().public_bytes(Encoding.DER)


def parse_ocsp_response(data: bytes, *, nonce: bytes | None = None) -> OcspResponse:
    """Read a response of at most 64 KiB of DER.

    Where a nonce was sent and another comes back, the response answers somebody else; many
    responders send none (RFC 9654 §2.1). Raises UnavailableError ``revocation_unknown``, also for
    a response that only says why there is none (RFC 6960 §2.3).
    """
    try:
        return without_warnings(lambda: _read(data, nonce))
    except Exception as exc:  # cryptography and asn1crypto decode late
        raise UnavailableError("revocation_unknown") from exc


def statements_about(
    response: OcspResponse,
    certificate: Certificate,
    issuer: x509.Certificate,
    *,
    at: datetime,
    tolerance: timedelta = timedelta(0),
) -> tuple[Statement, ...]:
    """Return what the response says of the certificate and is current; nothing where not believed.

    `at` is aware UTC; `tolerance` is how far a response may come from the future. Who signed it is
    asked of `find_signer`.
    """
    if response.produced_at > at + tolerance:
        return ()
    return tuple(
        one
        for one in response.statements
        if one.serial_number == certificate.serial_number
        and one.this_update <= at + tolerance
        and at <= one.until
        and _is_about(one, certificate, issuer)
    )


def find_signer(
    response: OcspResponse,
    issuer: x509.Certificate,
    *,
    at: datetime,
    tolerance: timedelta = timedelta(0),
) -> x509.Certificate | None:
    """Return the certificate whose key signed the response and may: the issuer, or its responder.

    A responder has its certificate from the issuer itself, for OCSP, valid at `at`; it is among
    those of the response (RFC 6960 §4.2.2.2). None is anybody else.
    """
    if response.loaded.signature_hash_algorithm is None:
        return None
    for candidate in (issuer, *response.certificates):
        if not _is_named(candidate, response.loaded):
            continue
        if candidate != issuer and not _is_delegated(candidate, issuer, at=at, tolerance=tolerance):
            continue
        if _has_signed(candidate, response.loaded):
            return candidate
    return None


def _read(data: bytes, nonce: bytes | None) -> OcspResponse:
    if len(data) > MAXIMUM_LENGTH:
        raise ValueError("the response is too long")
    loaded = ocsp.load_der_ocsp_response(data)
    if loaded.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
        raise ValueError("the responder gives no answer")
    extensions = loaded.extensions
    known = find_extension(extensions, x509.OCSPNonce)
    if any(each.critical and each.value is not known for each in extensions):
        raise ValueError("a critical extension that is not understood")
    if nonce is not None and known is not None and known.nonce != nonce:
        raise ValueError("another nonce than the one that was sent")
    statements = tuple(_statements(loaded))
    if any(_single_criticals(data)):
        raise ValueError("a critical extension that is not understood")
    algorithm = loaded.signature_hash_algorithm
    if algorithm is None or algorithm.name not in STRONG_HASHES:
        raise ValueError("signed over a weak digest")
    return OcspResponse(
        der=data,
        produced_at=loaded.produced_at_utc,
        statements=statements,
        certificates=tuple(loaded.certificates[:_MOST_RESPONDERS]),
        loaded=loaded,
    )


def _statements(loaded: ocsp.OCSPResponse) -> Iterator[Statement]:
    for one in loaded.responses:
        begin = one.this_update_utc
        yield Statement(
            status=_STATUS[one.certificate_status],
            serial_number=one.serial_number,
            hash_algorithm=one.hash_algorithm.name,
            issuer_name_hash=one.issuer_name_hash,
            issuer_key_hash=one.issuer_key_hash,
            this_update=begin,
            until=one.next_update_utc or begin + UNTIMED_LIFETIME,
        )
