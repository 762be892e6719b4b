"""The path from a certificate to an anchor, every signature verified (RFC 5280 §6)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509.oid import ExtendedKeyUsageOID, SignatureAlgorithmOID
from cryptography.x509.verification import (
    Criticality,
    ExtensionPolicy,
    Policy,
    PolicyBuilder,
    Store,
)

from enrol.eidas.certificate import MAXIMUM_LENGTH, QCSTATEMENTS_CRITICAL, Certificate
from enrol.eidas.loading import find_extension, issuer_of, subject_of, without_warnings
from enrol.eidas.qcstatements import QC_STATEMENTS
from enrol.eidas.trust import TrustAnchors
from enrol.errors import CertificateError, UnavailableError, UnreadableCertificateError

MAXIMUM_INTERMEDIATES: Final = 5
STRONG_HASHES: Final = frozenset({"sha256", "sha384", "sha512"})
"""What certificates and CRLs may be signed over (TS 119 312)."""

Path = tuple[x509.Certificate, ...]
"""The certificate first, each followed by its issuer, an anchor last."""

_Link = tuple[x509.Certificate, bytes, bytes]
"""An intermediate CA, and the DER of its subject and of its issuer."""

_CA_RSA_BITS: Final = range(2048, 8192 + 1)
_CA_RSA_EXPONENTS: Final = range(3, 2**32)
_CA_EC_BITS: Final = range(256, 521 + 1)
_PROCESSED_CONSTRAINTS: Final = (x509.DNSName, x509.IPAddress, x509.RFC822Name)
_PROCESSED_EXTENSIONS: Final = frozenset(
    {
        x509.BasicConstraints.oid,
        x509.ExtendedKeyUsage.oid,
        x509.KeyUsage.oid,
        x509.SubjectAlternativeName.oid,
        x509.ObjectIdentifier(QC_STATEMENTS),
    }
)


def verify_path(
    certificate: Certificate,
    trust: TrustAnchors,
    *,
    intermediates: Sequence[bytes],
    at: datetime,
    purpose: x509.ObjectIdentifier | None,
) -> Path:
    """Return the verified path, the certificate and at least one CA above it.

    `intermediates` are DER, from whoever presented the certificate. A CA that limits its
    extendedKeyUsage must allow `purpose`. Constraints on directory names are not processed, a
    path under them is refused. Raises UnavailableError ``trust_list_unavailable`` where there is
    no anchor at all; CertificateError ``cert_issuer_not_listed`` where names do not lead to one,
    ``cert_path_invalid`` where they do and nothing verifies.
    """
    if not trust.certificates:
        raise UnavailableError("trust_list_unavailable")
    between = _load_intermediates(intermediates)
    reachable = _reachable_anchors(certificate, trust, between)
    if not reachable:
        raise CertificateError("cert_issuer_not_listed")
    moment = min(max(at, certificate.not_before), certificate.not_after)
    verifier = (
        PolicyBuilder()
        .store(Store(reachable))
        .time(moment)
        .extension_policies(ca_policy=_ca_policy(purpose), ee_policy=ExtensionPolicy.permit_all())
        .build_client_verifier()
    )
    usable = [ca for ca, _, _ in between if _is_strong(ca)]
    try:
        path = tuple(without_warnings(lambda: verifier.verify(certificate.loaded, usable)).chain)
    except Exception as exc:  # also what cryptography finds only now in a CA's certificate
        if not _is_beyond_the_verifier(certificate):
            raise CertificateError("cert_path_invalid") from exc
        return _verify_direct_issue(certificate, trust, at=moment, purpose=purpose)
    if len(path) < 2 or not all(_are_constraints_processed(authority) for authority in path[1:]):
        raise CertificateError("cert_path_invalid")
    return path


def _load_intermediates(intermediates: Sequence[bytes]) -> list[_Link]:
    if len(intermediates) > MAXIMUM_INTERMEDIATES:
        raise CertificateError("cert_path_invalid")
    if any(len(der) > MAXIMUM_LENGTH for der in intermediates):
        raise UnreadableCertificateError("cert_malformed")
    try:
        between = [x509.load_der_x509_certificate(der) for der in intermediates]
        return [(ca, subject_of(ca), issuer_of(ca)) for ca in between]
    except Exception as exc:  # cryptography decodes late
        raise UnreadableCertificateError("cert_malformed") from exc


def _reachable_anchors(
    certificate: Certificate, trust: TrustAnchors, between: Sequence[_Link]
) -> list[x509.Certificate]:
    """Return the anchors that names lead to: a search among all of them would be slow."""
    names = {certificate.issuer: None}
    for _ in between:
        names |= {issuer: None for _, subject, issuer in between if subject in names}
    return [anchor for name in names for anchor in trust.by_subject.get(name, ())]


def _ca_policy(purpose: x509.ObjectIdentifier | None) -> ExtensionPolicy:
    def check(_: Policy, __: x509.Certificate, usage: x509.ExtendedKeyUsage | None) -> None:
        if not _allows(usage, purpose):
            raise ValueError("the CA does not issue for this purpose")

    return ExtensionPolicy.webpki_defaults_ca().may_be_present(
        x509.ExtendedKeyUsage, Criticality.AGNOSTIC, check
    )


def _allows(usage: x509.ExtendedKeyUsage | None, purpose: x509.ObjectIdentifier | None) -> bool:
    if usage is None or purpose is None:
        return True
    return purpose in usage or ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE in usage


def _are_constraints_processed(authority: x509.Certificate) -> bool:
    constraints = find_extension(authority.extensions, x509.NameConstraints)
    if constraints is None:
        return True
    subtrees = [*(constraints.permitted_subtrees or ()), *(constraints.excluded_subtrees or ())]
    return all(isinstance(subtree, _PROCESSED_CONSTRAINTS) for subtree in subtrees)


def _is_beyond_the_verifier(certificate: Certificate) -> bool:
    """Say whether cryptography refuses the certificate for what is right under eIDAS.

    It knows no critical qcStatements, and RSASSA-PSS only with a salt as long as the hash.
    """
    is_pss = certificate.loaded.signature_algorithm_oid == SignatureAlgorithmOID.RSASSA_PSS
    return is_pss or QCSTATEMENTS_CRITICAL in certificate.deviations


def _verify_direct_issue(
    certificate: Certificate,
    trust: TrustAnchors,
    *,
    at: datetime,
    purpose: x509.ObjectIdentifier | None,
) -> Path:
    """Return the path of one link: an anchor issued the certificate itself."""
    critical = (extension for extension in certificate.loaded.extensions if extension.critical)
    if not all(extension.oid in _PROCESSED_EXTENSIONS for extension in critical):
        raise CertificateError("cert_path_invalid")
    if certificate.signature_hash not in STRONG_HASHES:
        raise CertificateError("cert_path_invalid")
    for anchor in trust.by_subject.get(certificate.issuer, ()):
        if _has_issued(anchor, certificate, at=at, purpose=purpose):
            return certificate.loaded, anchor
    raise CertificateError("cert_path_invalid")


def _may_issue(
    anchor: x509.Certificate, *, at: datetime, purpose: x509.ObjectIdentifier | None
) -> bool:
    """Say whether the anchor is a CA now, without constraints to be processed."""
    constraints = find_extension(anchor.extensions, x509.BasicConstraints)
    usage = find_extension(anchor.extensions, x509.KeyUsage)
    return (
        anchor.not_valid_before_utc <= at <= anchor.not_valid_after_utc
        and constraints is not None
        and constraints.ca
        and usage is not None
        and usage.key_cert_sign
        and _allows(find_extension(anchor.extensions, x509.ExtendedKeyUsage), purpose)
        and find_extension(anchor.extensions, x509.NameConstraints) is None
        and _is_strong(anchor)
    )


def _is_strong(ca: x509.Certificate) -> bool:
    """Say whether signatures under the key of a CA are strong, and not made to be slow."""
    try:
        key = ca.public_key()
    except (UnsupportedAlgorithm, ValueError):
        return False
    match key:
        case RSAPublicKey():
            return key.key_size in _CA_RSA_BITS and key.public_numbers().e in _CA_RSA_EXPONENTS
        case EllipticCurvePublicKey():
            return key.key_size in _CA_EC_BITS
        case _:
            return False


def _has_issued(
    anchor: x509.Certificate,
    certificate: Certificate,
    *,
    at: datetime,
    purpose: x509.ObjectIdentifier | None,
) -> bool:
    try:
        if not _may_issue(anchor, at=at, purpose=purpose):
            return False
        certificate.loaded.verify_directly_issued_by(anchor)
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError):
        return False
    return True
