"""OCSP: the question to a responder, and what its answer says of a certificate (RFC 6960)."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from typing import Final

from asn1crypto import ocsp as asn1
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import SignatureAlgorithmOID

from enrol.eidas.certificate import Certificate
from enrol.eidas.loading import find_extension, without_warnings
from enrol.eidas.path import STRONG_HASHES
from enrol.errors import UnavailableError

MAXIMUM_LENGTH: Final = 64 * 1024
"""How long a response may be, in octets."""

UNTIMED_LIFETIME: Final = timedelta(hours=1)
"""How long a response without nextUpdate is current: RFC 6960 §4.2.2.1 sets no end to it."""

_CERT_ID_HASHES: Final[dict[str, hashes.HashAlgorithm]] = {
    "sha1": hashes.SHA1(),  # noqa: S303 - it names a certificate and proves nothing
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}
"""What a CertID may be made with."""

_MOST_RESPONDERS: Final = 4


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
    """A successful response, read and not yet believed."""

    der: bytes = field(repr=False)
    statements: tuple[Statement, ...]
    signature_hash: hashes.HashAlgorithm
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
    return tuple(
        one
        for one in response.statements
        if one.serial_number == certificate.serial_number
        and one.this_update <= at + tolerance
        and at <= one.until
        and _is_about(one, certificate, issuer)
    )


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
    basic = asn1.OCSPResponse.load(data, strict=True).basic_ocsp_response
    if any(_has_critical(one) for one in basic["tbs_response_data"]["responses"]):
        raise ValueError("a critical extension that is not understood")
    return OcspResponse(
        der=data,
        statements=tuple(_statements(loaded)),
        signature_hash=_signature_hash(loaded, basic),
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


def _has_critical(one: asn1.SingleResponse) -> bool:
    """Say whether a SingleResponse has a critical extension; none is understood here."""
    extensions = one["single_extensions"].native or ()
    return any(extension["critical"] for extension in extensions)


def _signature_hash(
    loaded: ocsp.OCSPResponse, basic: asn1.BasicOCSPResponse
) -> hashes.HashAlgorithm:
    """Return the digest that was signed; raises ValueError for a weak one."""
    if loaded.signature_algorithm_oid == SignatureAlgorithmOID.RSASSA_PSS:
        name = basic["signature_algorithm"].hash_algo
    else:
        algorithm = loaded.signature_hash_algorithm
        name = None if algorithm is None else algorithm.name
    if name not in STRONG_HASHES:
        raise ValueError("signed over a weak digest")
    return _CERT_ID_HASHES[name]


def _is_about(one: Statement, certificate: Certificate, issuer: x509.Certificate) -> bool:
    """Say whether the CertID is that of the certificate under this issuer (RFC 6960 §4.1.1)."""
    algorithm = _CERT_ID_HASHES.get(one.hash_algorithm)
    if algorithm is None:
        return False
    builder = ocsp.OCSPRequestBuilder().add_certificate(certificate.loaded, issuer, algorithm)
    expected = builder.build()
    return (
        one.issuer_name_hash == expected.issuer_name_hash
        and one.issuer_key_hash == expected.issuer_key_hash
    )
