"""Whom a sandbox certificate names: the organisation and the authority that supervises it."""

import re
import unicodedata
from dataclasses import dataclass

from enrol.eidas.organization import (
    country_of,
    nca_id_of,
    number_of,
    parse_organization_identifier,
)
from enrol.errors import CertificateError, ConfigurationError

ACME, BANK = "PSDFR-ACPR-12345", "PSDFR-ACPR-00000"
_NAMES = {ACME: "Acme Paiements", BANK: "Enrol Sandbox Bank"}
_RIVALS = ("PSDFR-ACPR-99999", "PSDFR-ACPR-88888")

_NCA_NAMES = {
    "AT-FMA": "Austria Financial Market Authority",
    "BE-NBB": "National Bank of Belgium",
    "CZ-CNB": "Czech National Bank",
    "DE-BAFIN": "Federal Financial Supervisory Authority",
    "DK-DFSA": "Danish Financial Supervisory Authority",
    "ES-BE": "Bank of Spain",
    "FI-FINFSA": "Finnish Financial Supervisory Authority",
    "FR-ACPR": "Autorité de contrôle prudentiel et de résolution",
    "HR-HNB": "Croatian National Bank",
    "IE-CBI": "Central Bank of Ireland",
    "IT-BI": "Bank of Italy",
    "LT-BL": "Bank of Lithuania",
    "LU-CSSF": "Commission de Surveillance du Secteur Financier",
    "NL-DNB": "The Netherlands Bank",
    "PT-BP": "Bank of Portugal",
    "SE-FINA": "Swedish Financial Supervision Authority",
}


@dataclass(frozen=True, slots=True)
class Organization:
    """A payment service provider as certificates name it (TS 119 495 §5.1)."""

    identifier: str
    name: str
    country: str
    nca_id: str

    @property
    def nca_name(self) -> str:
        """The name of the competent authority, or one made from its id."""
        return _NCA_NAMES.get(self.nca_id, f"Competent authority {self.nca_id}")

    @property
    def host(self) -> str:
        """A host name for its website certificate, under the reserved top level domain."""
        folded = unicodedata.normalize("NFKD", self.name).encode("ascii", "ignore").decode()
        label = re.sub(r"[^a-z0-9]+", "-", folded.lower())[:51].strip("-")  # 64 in all, for a CN
        return f"psd2.{label or 'tpp'}.example"


def organization(identifier: str) -> Organization:
    """Read an organizationIdentifier, such as ``PSDFR-ACPR-12345``, into the organisation it names.

    Raises ConfigurationError ``sandbox_organization_identifier`` for any other form.
    """
    try:
        checked = parse_organization_identifier(identifier)
    except CertificateError as exc:
        raise ConfigurationError(
            "sandbox_organization_identifier",
            "An organizationIdentifier is PSD, the two letters of a country, '-', the 2 to 8"
            " capitals of its authority, '-' and a number: PSDFR-ACPR-12345.",
        ) from exc
    nca_id = nca_id_of(checked)
    name = _NAMES.get(identifier, f"Test TPP {nca_id[3:]} {number_of(checked)}")
    name = name[:64].rstrip()  # ub-organization-name, RFC 5280 A.1
    return Organization(identifier, name, country_of(checked), nca_id)


def rival(of: Organization) -> Organization:
    """Return another organisation, under the same authority where that can be."""
    first, second = _RIVALS
    return organization(second if of.identifier == first else first)
