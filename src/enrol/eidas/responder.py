"""Who may sign an OCSP response, and whether they did (RFC 6960 §4.2.2.2)."""

from datetime import datetime, timedelta
from functools import partial
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID, SignatureAlgorithmOID

from enrol.eidas.loading import find_extension, without_warnings
from enrol.eidas.ocsp import OcspResponse
from enrol.eidas.path import STRONG_HASHES

_RSA_BITS: Final = range(2048, 8192 + 1)
_EC_BITS: Final = range(256, 521 + 1)
_UNDERSTOOD: Final = (
    *(x509.BasicConstraints, x509.ExtendedKeyUsage, x509.KeyUsage),
    *(x509.OCSPNoCheck, x509.SubjectAlternativeName),
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
    for candidate in (issuer, *response.certificates):
        if _is_signer(candidate, issuer, response, at=at, tolerance=tolerance):
            return candidate
    return None


def _is_signer(
    candidate: x509.Certificate,
    issuer: x509.Certificate,
    response: OcspResponse,
    *,
    at: datetime,
    tolerance: timedelta,
) -> bool:
    try:
        without_warnings(partial(_check, candidate, issuer, response, at, tolerance))
    except Exception:  # cryptography decodes late, and anybody may have sent the certificate
        return False
    return True


def _check(
    candidate: x509.Certificate,
    issuer: x509.Certificate,
    response: OcspResponse,
    at: datetime,
    tolerance: timedelta,
) -> None:
    """Raise unless the candidate may sign for the issuer, and signed the response."""
    if candidate != issuer:
        _check_delegated(candidate, issuer, at=at, tolerance=tolerance)
    key = candidate.public_key()
    if not _is_named(candidate, key, response.loaded):
        raise ValueError("the response names another signer")
    _verify(key, response)


def _check_delegated(
    candidate: x509.Certificate,
    issuer: x509.Certificate,
    *,
    at: datetime,
    tolerance: timedelta,
) -> None:
    """Raise unless the issuer named this certificate its responder (RFC 6960 §4.2.2.2)."""
    extensions = candidate.extensions
    usage = find_extension(extensions, x509.ExtendedKeyUsage)
    algorithm = candidate.signature_hash_algorithm
    if usage is None or ExtendedKeyUsageOID.OCSP_SIGNING not in usage:
        raise ValueError("not for OCSP")
    if any(each.critical and not isinstance(each.value, _UNDERSTOOD) for each in extensions):
        raise ValueError("a critical extension that is not understood")
    if algorithm is None or algorithm.name not in STRONG_HASHES:
        raise ValueError("signed over a weak digest")
    if not candidate.not_valid_before_utc - tolerance <= at <= candidate.not_valid_after_utc:
        raise ValueError("not valid now")
    candidate.verify_directly_issued_by(issuer)


def _verify(key: CertificatePublicKeyTypes, response: OcspResponse) -> None:
    """Raise unless the key is strong and made the signature."""
    loaded, digest = response.loaded, response.signature_hash
    match key:
        case rsa.RSAPublicKey() if key.key_size in _RSA_BITS:
            is_pss = loaded.signature_algorithm_oid == SignatureAlgorithmOID.RSASSA_PSS
            pss = padding.PSS(padding.MGF1(digest), padding.PSS.AUTO)
            scheme = pss if is_pss else padding.PKCS1v15()
            key.verify(loaded.signature, loaded.tbs_response_bytes, scheme, digest)
        case ec.EllipticCurvePublicKey() if key.key_size in _EC_BITS:
            key.verify(loaded.signature, loaded.tbs_response_bytes, ec.ECDSA(digest))
        case _:
            raise ValueError("a weak key")


def _is_named(
    candidate: x509.Certificate, key: CertificatePublicKeyTypes, loaded: ocsp.OCSPResponse
) -> bool:
    """Say whether the ResponderID is that of the certificate, by name or by key."""
    if loaded.responder_key_hash is not None:
        identifier = x509.SubjectKeyIdentifier.from_public_key(key)
        return identifier.digest == loaded.responder_key_hash
    return candidate.subject == loaded.responder_name
