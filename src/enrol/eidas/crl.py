"""Certificate revocation lists: read, and held against a certificate (RFC 5280 §5, §6.3)."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from types import MappingProxyType
from typing import Final, Self

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PSS, PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512
from cryptography.hazmat.primitives.serialization import Encoding

from enrol.eidas.certificate import Certificate
from enrol.eidas.der import first_within, integer
from enrol.eidas.loading import find_extension, issuer_of, subject_of, without_warnings
from enrol.eidas.path import STRONG_HASHES
from enrol.errors import CertificateError, UnavailableError

_PEM_MARK: Final = b"-----BEGIN"
_BEGINNING: Final = 1024
_CERTIFICATE_ISSUER: Final = b"\x06\x03\x55\x1d\x1d"
"""DER of id-ce-certificateIssuer, by which an entry speaks of another CA's certificate."""

_MOST_SIGNATURES: Final = 32
_HASHES: Final = {each.name: each for each in (SHA256(), SHA384(), SHA512())}


@dataclass(frozen=True, slots=True, eq=False)
class RevocationList:
    """One CRL, read and not yet believed; `issuer` is the DER of a Name, times are aware UTC.

    Two are equal only when they are the same object: comparing long lists takes long.
    """

    der: bytes = field(repr=False)
    issuer: bytes = field(repr=False)
    this_update: datetime
    next_update: datetime
    scope: x509.IssuingDistributionPoint | None
    is_complete: bool
    signature_hash: str | None
    loaded: x509.CertificateRevocationList = field(repr=False)


@dataclass(frozen=True, slots=True)
class RevocationLists:
    """CRLs by the DER of their issuer's name."""

    by_issuer: Mapping[bytes, tuple[RevocationList, ...]] = field(
        default_factory=lambda: MappingProxyType({})
    )

    @classmethod
    def of(cls, lists: Iterable[RevocationList]) -> Self:
        """Collect lists that were read one by one."""
        by_issuer: dict[bytes, tuple[RevocationList, ...]] = {}
        for one in lists:
            by_issuer[one.issuer] = (*by_issuer.get(one.issuer, ()), one)
        return cls(MappingProxyType(by_issuer))

    def with_more(self, lists: Iterable[RevocationList]) -> Self:
        """Return these lists and more."""
        return self.of([*(one for each in self.by_issuer.values() for one in each), *lists])


def parse_revocation_lists(data: Iterable[bytes]) -> RevocationLists:
    """Read CRLs, each PEM or DER; raises like `parse_revocation_list`."""
    return RevocationLists.of(parse_revocation_list(one) for one in data)


def parse_revocation_list(data: bytes) -> RevocationList:
    """Read one CRL, PEM or DER; raises UnavailableError ``revocation_unknown`` where it cannot."""
    try:
        return without_warnings(lambda: _read(data))
    except Exception as exc:  # cryptography decodes late
        raise UnavailableError("revocation_unknown") from exc


def covering_lists(
    certificate: Certificate,
    issuer: x509.Certificate,
    lists: RevocationLists,
    *,
    at: datetime,
    tolerance: timedelta = timedelta(0),
) -> tuple[RevocationList, ...]:
    """Return the lists that speak for the certificate, signed by its issuer and current."""
    return tuple(
        one
        for one in lists.by_issuer.get(subject_of(issuer), ())
        if _covers(one, certificate) and is_believed(one, issuer, at=at, tolerance=tolerance)
    )


def is_believed(
    one: RevocationList,
    issuer: x509.Certificate,
    *,
    at: datetime,
    tolerance: timedelta = timedelta(0),
) -> bool:
    """Say whether a list is current, and signed by that issuer; whom it covers is not asked."""
    return _is_current(one, at=at, tolerance=tolerance) and _is_signed_by(one, issuer)


def check_not_listed(certificate: Certificate, covering: tuple[RevocationList, ...]) -> None:
    """Raise ``cert_revoked`` where one of the lists names the certificate."""
    if any(_names(one, certificate.serial_number) for one in covering):
        raise CertificateError("cert_revoked")


def _read(data: bytes) -> RevocationList:
    is_pem = data[:_BEGINNING].lstrip().startswith(_PEM_MARK)
    loaded = x509.load_pem_x509_crl(data) if is_pem else x509.load_der_x509_crl(data)
    extensions = loaded.extensions
    algorithm = loaded.signature_hash_algorithm
    if loaded.next_update_utc is None:
        raise ValueError("a list without nextUpdate")
    der = loaded.public_bytes(Encoding.DER) if is_pem else data
    return RevocationList(
        der=der,
        issuer=issuer_of(loaded),
        this_update=loaded.last_update_utc,
        next_update=loaded.next_update_utc,
        scope=find_extension(extensions, x509.IssuingDistributionPoint),
        is_complete=_is_complete(extensions, der),
        signature_hash=None if algorithm is None else algorithm.name,
        loaded=loaded,
    )


def _is_complete(extensions: x509.Extensions, der: bytes) -> bool:
    """Say whether the list is understood in full: no delta, no other issuers' entries."""
    unknown = any(
        extension.critical and not isinstance(extension.value, x509.IssuingDistributionPoint)
        for extension in extensions
    )
    is_delta = find_extension(extensions, x509.DeltaCRLIndicator) is not None
    return not unknown and not is_delta and _CERTIFICATE_ISSUER not in der


def _names(one: RevocationList, serial_number: int) -> bool:
    """Say whether an entry is that of the serial number: first whether its octets are there."""
    return (
        integer(serial_number) in one.der
        and one.loaded.get_revoked_certificate_by_serial_number(serial_number) is not None
    )


def _is_current(one: RevocationList, *, at: datetime, tolerance: timedelta) -> bool:
    return one.this_update <= at + tolerance and at <= one.next_update


def _covers(one: RevocationList, certificate: Certificate) -> bool:
    """Say whether the list is complete for certificates like this one (RFC 5280 §6.3.3 (b))."""
    scope = one.scope
    if not one.is_complete or scope is None:
        return one.is_complete
    if scope.only_some_reasons or scope.indirect_crl or scope.only_contains_attribute_certs:
        return False
    if scope.only_contains_user_certs if certificate.is_ca else scope.only_contains_ca_certs:
        return False
    if scope.full_name is None:
        return scope.relative_name is None
    return any(name in certificate.crl_distribution_points for name in scope.full_name)


@lru_cache(maxsize=_MOST_SIGNATURES)
def _is_signed_by(one: RevocationList, issuer: x509.Certificate) -> bool:
    usage = find_extension(issuer.extensions, x509.KeyUsage)
    if one.signature_hash not in STRONG_HASHES or not (usage is None or usage.crl_sign):
        return False
    try:
        _verify(one, issuer.public_key(), one.signature_hash)
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        return False
    return True


def _verify(one: RevocationList, key: CertificatePublicKeyTypes, hash_name: str) -> None:
    """Raise unless the key made the signature.

    The list is taken as it stands, and its digest by hashlib: cryptography would write a long list
    again and let no other thread run meanwhile.
    """
    loaded, scheme = one.loaded, one.loaded.signature_algorithm_parameters
    digest = hashlib.new(hash_name, first_within(one.der)).digest()
    prehashed = Prehashed(_HASHES[hash_name])
    match key, scheme:
        case RSAPublicKey(), PKCS1v15() | PSS():
            key.verify(loaded.signature, digest, scheme, prehashed)
        case EllipticCurvePublicKey(), ECDSA():
            key.verify(loaded.signature, digest, ECDSA(prehashed))
        case _:
            raise InvalidSignature
