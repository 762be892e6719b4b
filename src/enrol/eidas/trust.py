"""The CAs whose certificates are believed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Self

from cryptography import x509
from cryptography.x509.verification import Store

from enrol.eidas.loading import find_extension, subject_of, without_warnings
from enrol.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class TrustAnchors:
    """The certificates of the CAs that may issue; with none of them, nothing is believed.

    An issuing CA is an anchor itself, no root is needed above it. `by_subject` holds the same
    certificates by the DER of their subject, `store` as the path validation wants them.
    """

    certificates: tuple[x509.Certificate, ...] = ()
    by_subject: Mapping[bytes, tuple[x509.Certificate, ...]] = field(
        init=False, repr=False, compare=False
    )
    store: Store | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        by_subject: dict[bytes, tuple[x509.Certificate, ...]] = {}
        for certificate in self.certificates:
            subject = subject_of(certificate)
            by_subject[subject] = (*by_subject.get(subject, ()), certificate)
        object.__setattr__(self, "by_subject", MappingProxyType(by_subject))
        store = Store(list(self.certificates)) if self.certificates else None
        object.__setattr__(self, "store", store)

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


def _read_all(data: bytes) -> tuple[x509.Certificate, ...]:
    certificates = tuple(x509.load_pem_x509_certificates(data))
    for certificate in certificates:
        constraints = find_extension(certificate.extensions, x509.BasicConstraints)
        certificate.public_key()
        if constraints is None or not constraints.ca:
            raise ValueError("one of them is not a CA")
    return certificates
