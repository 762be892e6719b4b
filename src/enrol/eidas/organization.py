"""The organizationIdentifier of a PSP: ``PSD`` country ``-`` authority ``-`` number, or others."""

import re
from typing import Final, NewType

from enrol.errors import CertificateError

OrganizationIdentifier = NewType("OrganizationIdentifier", str)

NUMBER_LENGTH: Final = 60

_FORM: Final = re.compile(
    rf"PSD[A-Z]{{2}}-[A-Z]{{2,8}}-(?=[!-~])[ -~]{{1,{NUMBER_LENGTH}}}(?<=[!-~])"
)

_OTHER_FORM: Final = re.compile(
    rf"(?:(?:NTR|VAT)[A-Z]{{2}}|LEIXG)-(?=[!-~])[ -~]{{1,{NUMBER_LENGTH}}}(?<=[!-~])"
)


def parse_organization_identifier(text: str) -> OrganizationIdentifier:
    """Return `text` as the identifier of a PSP, such as ``PSDFR-ACPR-12345``.

    The number is 1 to 60 printable ASCII characters without space at its ends. Raises
    CertificateError ``organization_identifier_malformed`` for any other form (TS 119 495 §5.2.1).
    """
    if _FORM.fullmatch(text) is None:
        raise CertificateError("organization_identifier_malformed")
    return OrganizationIdentifier(text)


def parse_legal_identifier(text: str) -> OrganizationIdentifier:
    """Return `text` as the identifier of a PSP, or of a legal person: ``VATDE-123456789``.

    Credit institutions have used the forms of EN 319 412-1 §5.1.4, ``NTR`` and ``VAT`` with a
    country, and ``LEIXG``; TS 119 495 §5.2.1 says only "should" for ``PSD``. What such a name leads
    to is for a bank to say. Raises as `parse_organization_identifier`.
    """
    if _OTHER_FORM.fullmatch(text) is not None:
        return OrganizationIdentifier(text)
    return parse_organization_identifier(text)


def names_authority(identifier: OrganizationIdentifier) -> bool:
    """Tell whether an identifier is of the form ``PSD…``, which names authority and number."""
    return _OTHER_FORM.fullmatch(identifier) is None


def country_of(identifier: OrganizationIdentifier) -> str:
    """Return the country of the authority, two capitals: ``FR`` of ``PSDFR-ACPR-12345``."""
    return identifier[3:5]


def nca_id_of(identifier: OrganizationIdentifier) -> str:
    """Return the authority as nCAId spells it: ``FR-ACPR`` of ``PSDFR-ACPR-12345``."""
    return identifier[3 : identifier.index("-", 6)]


def number_of(identifier: OrganizationIdentifier) -> str:
    """Return the authorisation number: ``12345`` of ``PSDFR-ACPR-12345`` (RTS art. 34(2))."""
    return identifier[identifier.index("-", 6) + 1 :]
