"""What the test QTSP answers about its certificates: OCSP, rightly or with a fault, and the CRL.

Which fault is asked for by the path, which is in the certificate: there is nothing to remember.
"""

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import unquote

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from enrol.sandbox.ca import YEAR, sign, signer, start_of_day
from enrol.sandbox.draft import CRL_PATH, OcspPath
from enrol.sandbox.pki import Authority, Issued

ISSUER_PATH: Final = "/issuing.cer"
OCSP_TYPE, CRL_TYPE, CERTIFICATE_TYPE = (
    *("application/ocsp-response", "application/pkix-crl"),
    "application/pkix-cert",
)
_GOOD_FOR: Final = timedelta(hours=1)
_Status = ocsp.OCSPCertStatus


@dataclass(frozen=True, slots=True)
class Page:
    """What is at a path."""

    content_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class _Answer:
    """What is said of a certificate, by whom and for when."""

    status: ocsp.OCSPCertStatus
    this_update: datetime
    next_update: datetime
    by: Issued


class Responder:
    """The web site of the test QTSP; `crl` returns the revocation list as it is now."""

    def __init__(
        self, authority: Authority, *, crl: Callable[[], x509.CertificateRevocationList]
    ) -> None:
        self._authority = authority
        self._crl = crl
        self._responders: dict[bool, Issued] = {}

    def get(self, path: str, *, at: datetime) -> Page | None:
        """Return what a GET of the path is answered, None for nothing (RFC 6960 A.1)."""
        if path == CRL_PATH:
            return Page(CRL_TYPE, self._crl().public_bytes(Encoding.DER))
        if path == ISSUER_PATH:
            der = self._authority.issuing.certificate.public_bytes(Encoding.DER)
            return Page(CERTIFICATE_TYPE, der)
        place, _, encoded = path.rpartition("/")
        try:
            request = base64.b64decode(unquote(encoded), validate=True)
        except (ValueError, binascii.Error):
            return None
        return self.post(place, request, at=at)

    def post(self, path: str, request: bytes, *, at: datetime) -> Page | None:
        """Return the answer to an OCSP request at `at` (aware UTC), None where nobody listens."""
        if path not in set(OcspPath):
            return None
        try:
            asked = ocsp.load_der_ocsp_request(request)
            extensions = list(asked.extensions)
        except ValueError:
            return _no_answer(ocsp.OCSPResponseStatus.MALFORMED_REQUEST)
        if not self._is_ours(asked):
            return _no_answer(ocsp.OCSPResponseStatus.UNAUTHORIZED)
        answer = self._answer(OcspPath(path), asked.serial_number, at)
        builder = (
            ocsp.OCSPResponseBuilder()
            .add_response_by_hash(
                issuer_name_hash=asked.issuer_name_hash,
                issuer_key_hash=asked.issuer_key_hash,
                serial_number=asked.serial_number,
                algorithm=asked.hash_algorithm,
                cert_status=answer.status,
                this_update=answer.this_update,
                next_update=answer.next_update,
                revocation_time=answer.this_update if answer.status is _Status.REVOKED else None,
                revocation_reason=None,
            )
            .responder_id(ocsp.OCSPResponderEncoding.HASH, answer.by.certificate)
            .certificates([answer.by.certificate])
        )
        for extension in extensions:
            if isinstance(extension.value, x509.OCSPNonce):
                builder = builder.add_extension(extension.value, critical=False)
        signed = builder.sign(answer.by.private_key, hashes.SHA256())
        return Page(OCSP_TYPE, signed.public_bytes(Encoding.DER))

    def _is_ours(self, asked: ocsp.OCSPRequest) -> bool:
        """Say whether the issuing CA is asked about, whatever the digest."""
        issuing, algorithm = self._authority.issuing.certificate, asked.hash_algorithm
        own = ocsp.OCSPRequestBuilder().add_certificate(issuing, issuing, algorithm).build()
        name = hashes.Hash(algorithm)
        name.update(issuing.subject.public_bytes())
        is_named = asked.issuer_name_hash == name.finalize()
        return is_named and asked.issuer_key_hash == own.issuer_key_hash

    def _answer(self, path: OcspPath, serial_number: int, at: datetime) -> _Answer:
        crl = self._crl()
        is_listed = crl.get_revoked_certificate_by_serial_number(serial_number) is not None
        end = min(at + _GOOD_FOR, crl.next_update_utc or at + _GOOD_FOR)
        status = _Status.REVOKED if is_listed else _Status.GOOD
        usual = _Answer(status, at, end, self._responder(at))
        match path:
            case OcspPath.HONEST:
                return usual
            case OcspPath.REVOKED:
                return replace(usual, status=_Status.REVOKED)
            case OcspPath.UNKNOWN:
                return replace(usual, status=_Status.UNKNOWN)
            case OcspPath.STALE:
                return replace(usual, this_update=at - 2 * _GOOD_FOR, next_update=at - _GOOD_FOR)
            case OcspPath.FORGED:
                return replace(usual, by=self._responder(at, is_stranger=True))

    def _responder(self, at: datetime, *, is_stranger: bool = False) -> Issued:
        """Return who signs: named by the issuing CA, or by a stranger of its name."""
        if is_stranger not in self._responders:
            self._responders[is_stranger] = _create_responder(
                self._authority, at=at, is_stranger=is_stranger
            )
        return self._responders[is_stranger]


def _create_responder(authority: Authority, *, at: datetime, is_stranger: bool) -> Issued:
    """Issue a responder's certificate (RFC 6960 §4.2.2.2), on P-256: that costs nothing."""
    keys = authority.keys
    key = keys.ec_key("qtsp/responder")
    issuing = signer(authority.issuing.certificate.subject, authority.issuing.private_key)
    by = replace(issuing, key=keys.ec_key("impostor/responder")) if is_stranger else issuing
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Enrol Sandbox OCSP")])
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.OCSP_SIGNING])
    unsigned = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(by.name)
        .public_key(key.public_key())
        .serial_number(keys.serial_number("qtsp/responder"))
        .not_valid_before(start_of_day(at) - YEAR)
        .not_valid_after(start_of_day(at) + YEAR)
        .add_extension(usage, critical=False)
        .add_extension(x509.OCSPNoCheck(), critical=False)
        .add_extension(by.key_identifier, critical=False)
    )
    return Issued(sign(unsigned, by.key), key)


def _no_answer(status: ocsp.OCSPResponseStatus) -> Page:
    response = ocsp.OCSPResponseBuilder.build_unsuccessful(status)
    return Page(OCSP_TYPE, response.public_bytes(Encoding.DER))
