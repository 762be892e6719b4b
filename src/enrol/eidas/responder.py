"""Who may sign an OCSP response, and whether they did (RFC 6960 §4.2.2.2)."""

from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
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
        may_sign = candidate == issuer or _is_delegated(
            candidate, issuer, at=at, tolerance=tolerance
        )
        if may_sign and _has_signed(candidate, response):
            return candidate
    return None


def _is_delegated(
    candidate: x509.Certificate,
    issuer: x509.Certificate,
    *,
    at: datetime,
    tolerance: timedelta,
) -> bool:
    """Say whether the issuer named this certificate its responder (RFC 6960 §4.2.2.2)."""
    try:
        extensions = candidate.extensions
        usage = find_extension(extensions, x509.ExtendedKeyUsage)
        algorithm = candidate.signature_hash_algorithm
        if usage is None or ExtendedKeyUsageOID.OCSP_SIGNING not in usage:
            return False
        if any(each.critical and not isinstance(each.value, _UNDERSTOOD) for each in extensions):
            return False
        if algorithm is None or algorithm.name not in STRONG_HASHES:
            return False
        candidate.verify_directly_issued_by(issuer)
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError):
        return False
    return candidate.not_valid_before_utc - tolerance <= at <= candidate.not_valid_after_utc


def _has_signed(candidate: x509.Certificate, response: OcspResponse) -> bool:
    """Say whether the response names this signer, whose key is strong and made the signature."""
    loaded, digest = response.loaded, response.signature_hash
    try:
        key = candidate.public_key()
        if not _is_named(candidate, key, loaded):
            return False
        match key:
            case rsa.RSAPublicKey() if key.key_size in _RSA_BITS:
                is_pss = loaded.signature_algorithm_oid == SignatureAlgorithmOID.RSASSA_PSS
                pss = padding.PSS(padding.MGF1(digest), padding.PSS.AUTO)
                scheme = pss if is_pss else padding.PKCS1v15()
                key.verify(loaded.signature, loaded.tbs_response_bytes, scheme, digest)
            case ec.EllipticCurvePublicKey() if key.key_size in _EC_BITS:
                key.verify(loaded.signature, loaded.tbs_response_bytes, ec.ECDSA(digest))
            case _:
                return False
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        return False
    return True


def _is_named(
    candidate: x509.Certificate, key: CertificatePublicKeyTypes, loaded: ocsp.OCSPResponse
) -> bool:
    """Say whether the ResponderID is that of the certificate, by name or by key."""
    if loaded.responder_key_hash is not None:
        identifier = x509.SubjectKeyIdentifier.from_public_key(key)
        return identifier.digest == loaded.responder_key_hash
    return without_warnings(lambda: candidate.subject == loaded.responder_name)
