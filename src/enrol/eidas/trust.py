"""The CAs whose certificates are believed."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from types import MappingProxyType
from typing import Final, Self

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from enrol.eidas.listed import ListedService
from enrol.eidas.loading import find_extension, subject_of, without_warnings
from enrol.eidas.trustlist import TrustedList, TrustSnapshot
from enrol.errors import ConfigurationError

_NEVER: Final = datetime.max.replace(tzinfo=UTC)
_NO_GRACE: Final = timedelta(0)
_ISO_COUNTRIES: Final = {"EL": "GR", "UK": "GB"}
"""Territories that the lists spell otherwise than certificates do."""

Identity = tuple[bytes, bytes]
"""What tells one CA from another: DER of its subject and of its public key."""


@dataclass(frozen=True, slots=True)
class Listing:
    """What the trusted lists say of the anchors.

    `believed_until` is the end of the list of the lists (aware UTC), `missing` the countries, as
    certificates spell them, of which no list could be had.
    """

    believed_until: datetime
    services: Mapping[Identity, tuple[ListedService, ...]] = field(repr=False)
    missing: frozenset[str] = frozenset()

    def services_of(self, path: Iterable[x509.Certificate]) -> tuple[ListedService, ...]:
        """Return the services of the first CA on the path that is listed."""
        found = (self.services.get(identity_of(authority)) for authority in path)
        return next((each for each in found if each), ())

    def is_missing_issuer_of(self, certificate: x509.Certificate) -> bool:
        """Say whether the issuer may be on a list that could not be had."""
        issuer = without_warnings(lambda: certificate.issuer)
        countries = issuer.get_attributes_for_oid(NameOID.COUNTRY_NAME)
        return any(str(country.value).upper() in self.missing for country in countries)


@dataclass(frozen=True, slots=True)
class TrustAnchors:
    """The certificates of the CAs that may issue; with none of them, nothing is believed.

    An issuing CA is an anchor itself, no root is needed above it. `by_subject` holds the same
    certificates by the DER of their subject. Without a `listing` every anchor is believed for
    everything; with one, for what the trusted lists say of it.
    """

    certificates: tuple[x509.Certificate, ...] = ()
    listing: Listing | None = None
    by_subject: Mapping[bytes, tuple[x509.Certificate, ...]] = field(
        init=False, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        by_subject: dict[bytes, tuple[x509.Certificate, ...]] = {}
        for certificate in self.certificates:
            subject = subject_of(certificate)
            by_subject[subject] = (*by_subject.get(subject, ()), certificate)
        object.__setattr__(self, "by_subject", MappingProxyType(by_subject))

    @classmethod
    def from_pem(cls, data: bytes) -> Self:
        """Read one or more CA certificates, PEM one after another.

        Raises ConfigurationError ``trust_anchors_malformed`` where one cannot be read, is not
        a CA, or there is none.
        """
        try:
            certificates = without_warnings(lambda: _read_all(data))
        except Exception as exc:  # cryptography decodes late
            raise ConfigurationError(
                "trust_anchors_malformed", f"The trust anchors are not CA certificates: {exc}"
            ) from exc
        return cls(certificates)

    @classmethod
    def from_snapshot(cls, snapshot: TrustSnapshot, *, grace: timedelta = _NO_GRACE) -> Self:
        """Return the CAs of all trusted lists, believed for `grace` after the end of their list.

        A certificate that cannot be read is left out by itself.
        """
        certificates: dict[x509.Certificate, None] = {}
        services: dict[Identity, tuple[ListedService, ...]] = {}
        for one in snapshot.lists:
            for listed in _listed(one, grace):
                for certificate, identity in _load_all(listed.service.certificates):
                    certificates.setdefault(certificate)
                    known = services.get(identity, ())
                    if listed not in known[-1:]:
                        services[identity] = (*known, listed)
        until = snapshot.lotl.next_update or snapshot.lotl.issued
        listing = Listing(
            until + grace,
            MappingProxyType(services),
            frozenset(_ISO_COUNTRIES.get(one.territory, one.territory) for one in snapshot.missing),
        )
        return cls(tuple(certificates), listing)


def identity_of(certificate: x509.Certificate) -> Identity:
    """Return the name and the key of a CA: all its certificates are the same CA."""
    spki = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return subject_of(certificate), spki


def _listed(one: TrustedList, grace: timedelta) -> list[ListedService]:
    head = one.head
    is_closed = head.next_update is None
    until = _NEVER if head.next_update is None else head.next_update + grace
    return [ListedService(service, head.territory, until, is_closed) for service in one.services]


def _load_all(ders: Iterable[bytes]) -> Iterator[tuple[x509.Certificate, Identity]]:
    """Load what can be loaded: the lists hold certificates that no library takes."""
    for der in ders:
        with suppress(Exception):  # cryptography decodes late; the refresh reported it
            yield without_warnings(partial(_load, der))


def _load(der: bytes) -> tuple[x509.Certificate, Identity]:
    certificate = x509.load_der_x509_certificate(der)
    _ = certificate.extensions, certificate.not_valid_after_utc
    return certificate, identity_of(certificate)


def _read_all(data: bytes) -> tuple[x509.Certificate, ...]:
    certificates = tuple(x509.load_pem_x509_certificates(data))
    for certificate in certificates:
        constraints = find_extension(certificate.extensions, x509.BasicConstraints)
        certificate.public_key()
        if constraints is None or not constraints.ca:
            raise ValueError("one of them is not a CA")
    return certificates
