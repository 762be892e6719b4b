"""Facts of one X.509 certificate: all it says, nothing of it believed."""

import base64
import re
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509.oid import AuthorityInformationAccessOID, NameOID

from enrol.eidas.loading import find_extension, without_warnings
from enrol.eidas.qcstatements import QC_STATEMENTS, QcStatementFacts, parse_qcstatements
from enrol.errors import CertificateError, UnreadableCertificateError

MAXIMUM_LENGTH: Final = 16 * 1024
"""How long a certificate may be, in octets of DER; as PEM twice that."""

QCSTATEMENTS_CRITICAL: Final = "qcstatements_critical"
"""The deviation of a certificate whose qcStatements are critical (EN 319 412-5 §4.1)."""

_PEM: Final = re.compile(
    rb"\s*-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----\s*"
)
_QC_STATEMENTS: Final = x509.ObjectIdentifier(QC_STATEMENTS)
_KEY_USAGES: Final = {
    "digital_signature": "digital_signature",
    "content_commitment": "non_repudiation",
    "key_encipherment": "key_encipherment",
    "data_encipherment": "data_encipherment",
    "key_agreement": "key_agreement",
    "key_cert_sign": "key_cert_sign",
    "crl_sign": "crl_sign",
}
"""What cryptography calls a key usage, and RFC 5280 §4.2.1.3 in snake case."""


@dataclass(frozen=True, slots=True)
class KeyFacts:
    """Kind and size of a key: `bits` of the modulus or the curve, `exponent` of an RSA key."""

    bits: int
    curve: str | None = None
    exponent: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Certificate:
    """What a certificate says; two are equal when their DER is.

    `sha256` is the digest of `der`, `subject` a string of RFC 4514, `issuer` the DER of a Name;
    `organization_identifiers` are the values of 2.5.4.97 as they stand, and a name is None unless
    it stands exactly once. `signature_hash` is None where the algorithm is unknown or has none.
    `key_usage` holds the names of RFC 5280 in snake case (``non_repudiation``) and
    `extended_key_usage` OIDs, each None where its extension is absent. Times are aware UTC;
    `deviations` are codes. `loaded` is the same certificate as cryptography holds it.
    """

    der: bytes = field(repr=False)
    sha256: bytes
    serial_number: int
    subject: str
    common_name: str | None
    organization_name: str | None
    organization_identifiers: tuple[str, ...]
    issuer: bytes = field(repr=False)
    not_before: datetime
    not_after: datetime
    public_key: RSAPublicKey | EllipticCurvePublicKey = field(repr=False)
    key: KeyFacts
    signature_hash: str | None
    key_usage: frozenset[str] | None
    extended_key_usage: frozenset[str] | None
    is_ca: bool
    is_precertificate: bool
    policies: tuple[str, ...]
    dns_names: tuple[str, ...]
    crl_distribution_points: tuple[x509.GeneralName, ...]
    ocsp_urls: tuple[str, ...]
    qc: QcStatementFacts | None
    deviations: tuple[str, ...]
    loaded: x509.Certificate = field(repr=False)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Certificate) and self.der == other.der

    def __hash__(self) -> int:
        return hash(self.der)


def parse_certificate(der: bytes) -> Certificate:
    """Read one certificate of at most 16 KiB of DER, all of it.

    Raises CertificateError ``cert_malformed``, ``qcstatements_malformed``, or ``cert_weak_key``
    for a key that is neither RSA nor on a named curve (RFC 5280 §4.1, §4.2).
    """
    if len(der) > MAXIMUM_LENGTH:
        raise UnreadableCertificateError("cert_malformed")
    try:
        return without_warnings(lambda: _read(der))
    except CertificateError:
        raise
    except Exception as exc:  # cryptography decodes late; no part of a certificate may do more
        raise UnreadableCertificateError("cert_malformed") from exc


def parse_pem_certificate(pem: bytes) -> Certificate:
    """Read the one certificate that is the whole of `pem` but for white space (RFC 7468 §5).

    Raises CertificateError like `parse_certificate`.
    """
    match = _PEM.fullmatch(pem) if len(pem) <= 2 * MAXIMUM_LENGTH else None
    if match is None:
        raise UnreadableCertificateError("cert_malformed")
    try:
        der = base64.b64decode(b"".join(match[1].split()), validate=True)
    except ValueError as exc:
        raise UnreadableCertificateError("cert_malformed") from exc
    return parse_certificate(der)


def _read(der: bytes) -> Certificate:
    loaded = x509.load_der_x509_certificate(der)
    extensions = loaded.extensions
    if loaded.serial_number <= 0:
        raise UnreadableCertificateError("cert_malformed")
    subject, public_key = loaded.subject, _public_key(loaded)
    constraints = find_extension(extensions, x509.BasicConstraints)
    qc, deviations = _qc(extensions)
    return Certificate(
        der=der,
        sha256=sha256(der).digest(),
        serial_number=loaded.serial_number,
        subject=subject.rfc4514_string(),
        common_name=_only(subject, NameOID.COMMON_NAME),
        organization_name=_only(subject, NameOID.ORGANIZATION_NAME),
        organization_identifiers=_values(subject, NameOID.ORGANIZATION_IDENTIFIER),
        issuer=loaded.issuer.public_bytes(),
        not_before=loaded.not_valid_before_utc,
        not_after=loaded.not_valid_after_utc,
        public_key=public_key,
        key=_key_facts(public_key),
        signature_hash=_signature_hash(loaded),
        key_usage=_key_usage(extensions),
        extended_key_usage=_extended_key_usage(extensions),
        is_ca=constraints is not None and constraints.ca,
        is_precertificate=find_extension(extensions, x509.PrecertPoison) is not None,
        policies=_policies(extensions),
        dns_names=_dns_names(extensions),
        crl_distribution_points=_crl_distribution_points(extensions),
        ocsp_urls=_ocsp_urls(extensions),
        qc=qc,
        deviations=deviations,
        loaded=loaded,
    )


def _public_key(loaded: x509.Certificate) -> RSAPublicKey | EllipticCurvePublicKey:
    try:
        key = loaded.public_key()
    except UnsupportedAlgorithm as exc:
        raise CertificateError("cert_weak_key") from exc
    if isinstance(key, RSAPublicKey | EllipticCurvePublicKey):
        return key
    raise CertificateError("cert_weak_key")


def _key_facts(key: RSAPublicKey | EllipticCurvePublicKey) -> KeyFacts:
    if isinstance(key, RSAPublicKey):
        return KeyFacts(key.key_size, exponent=key.public_numbers().e)
    return KeyFacts(key.key_size, curve=key.curve.name)


def _signature_hash(loaded: x509.Certificate) -> str | None:
    try:
        algorithm = loaded.signature_hash_algorithm
    except UnsupportedAlgorithm:
        return None
    return None if algorithm is None else algorithm.name


def _values(name: x509.Name, oid: x509.ObjectIdentifier) -> tuple[str, ...]:
    return tuple(str(attribute.value) for attribute in name.get_attributes_for_oid(oid))


def _only(name: x509.Name, oid: x509.ObjectIdentifier) -> str | None:
    values = _values(name, oid)
    return values[0] if len(values) == 1 else None


def _key_usage(extensions: x509.Extensions) -> frozenset[str] | None:
    usage = find_extension(extensions, x509.KeyUsage)
    if usage is None:
        return None
    return frozenset(name for attribute, name in _KEY_USAGES.items() if getattr(usage, attribute))


def _extended_key_usage(extensions: x509.Extensions) -> frozenset[str] | None:
    usage = find_extension(extensions, x509.ExtendedKeyUsage)
    return None if usage is None else frozenset(oid.dotted_string for oid in usage)


def _policies(extensions: x509.Extensions) -> tuple[str, ...]:
    policies = find_extension(extensions, x509.CertificatePolicies) or ()
    return tuple(policy.policy_identifier.dotted_string for policy in policies)


def _dns_names(extensions: x509.Extensions) -> tuple[str, ...]:
    names = find_extension(extensions, x509.SubjectAlternativeName)
    return () if names is None else tuple(names.get_values_for_type(x509.DNSName))


def _crl_distribution_points(extensions: x509.Extensions) -> tuple[x509.GeneralName, ...]:
    """Return every full name of every point: one point often holds several URIs."""
    points = find_extension(extensions, x509.CRLDistributionPoints) or ()
    return tuple(name for point in points for name in point.full_name or ())


def _ocsp_urls(extensions: x509.Extensions) -> tuple[str, ...]:
    access = find_extension(extensions, x509.AuthorityInformationAccess) or ()
    return tuple(
        description.access_location.value
        for description in access
        if description.access_method == AuthorityInformationAccessOID.OCSP
        and isinstance(description.access_location, x509.UniformResourceIdentifier)
    )


def _qc(extensions: x509.Extensions) -> tuple[QcStatementFacts | None, tuple[str, ...]]:
    for extension in extensions:
        if extension.oid == _QC_STATEMENTS and isinstance(
            extension.value, x509.UnrecognizedExtension
        ):
            deviations = (QCSTATEMENTS_CRITICAL,) if extension.critical else ()
            return parse_qcstatements(extension.value.value), deviations
    return None, ()
