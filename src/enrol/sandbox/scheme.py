"""The sandbox's scheme: who signs its trusted lists, and what they say of the test QTSP's CAs.

Two lists in XML, as the EU has them: a list of the lists that points to one territory's list
(TS 119 612), both signed in XAdES by the sandbox's own scheme operator. No list of the EU names
any of it.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.x509.oid import NameOID

from enrol.sandbox.ca import YEAR, sign, signer, start_of_day
from enrol.sandbox.pki import Authority, Issued, OtherCa
from enrol.sandbox.seed import KeySource
from enrol.sandbox.xmllist import ListedCa, ListedState, list_of_lists, national_list, signed

TERRITORY: Final = "FR"
_ESEAL, _WEB = "ForeSeals", "ForWebSiteAuthentication"
_USES: Final = {
    OtherCa.WITHDRAWN: (_ESEAL, _WEB),
    OtherCa.SEAL_ONLY: (_ESEAL,),
    OtherCa.WEB_ONLY: (_WEB,),
}


_NUMBER: Final = re.compile(rb"<TSLSequenceNumber>([0-9]{1,9})</TSLSequenceNumber>")


@dataclass(frozen=True, slots=True)
class Lists:
    """The two signed lists, XML."""

    lotl: bytes
    national: bytes


def create_operator(keys: KeySource, *, at: datetime) -> Issued:
    """Make the scheme operator, whose certificate is the anchor of the sandbox's lists."""
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, TERRITORY),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Enrol Sandbox (not qualified)"),
            x509.NameAttribute(NameOID.COMMON_NAME, "Enrol Sandbox Scheme Operator"),
        ]
    )
    itself = signer(name, keys.rsa_key("scheme"))
    unsigned = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(itself.key.public_key())
        .serial_number(keys.serial_number("scheme"))
        .not_valid_before(start_of_day(at) - 5 * YEAR)
        .not_valid_after(start_of_day(at) + 10 * YEAR)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(
            x509.SubjectKeyIdentifier.from_public_key(itself.key.public_key()), critical=False
        )
    )
    return Issued(sign(unsigned, itself.key), itself.key)


def publish(
    authority: Authority,
    operator: Issued,
    *,
    number: int = 1,
    withdrawn_at: datetime | None = None,
    at: datetime,
) -> Lists:
    """Sign both lists as of `at` (aware UTC), good for a year, as number `number`.

    Every CA is granted from a year after its own beginning on; `withdrawn_at` ends that for the
    issuing CA.
    """
    listed = [
        _listed(authority.issuing, (_ESEAL, _WEB), withdrawn_at),
        _listed(authority.root, (_ESEAL, _WEB, "RootCA-QC"), None),
    ]
    for other, issued in authority.others.items():
        ended = start_of_day(at) - YEAR if other is OtherCa.WITHDRAWN else None
        listed.append(_listed(issued, _USES[other], ended))
    until = at + YEAR
    national = national_list(listed, territory=TERRITORY, number=number, at=at, until=until)
    lotl = list_of_lists(
        operator.certificate, territories=(TERRITORY,), number=number, at=at, until=until
    )
    return Lists(
        lotl=signed(lotl, operator, at=at),
        national=signed(national, operator, at=at),
    )


def number_of_list(xml: bytes) -> int:
    """Return the sequence number in a list of a sandbox; raises ValueError."""
    match = _NUMBER.search(xml)
    if match is None:
        raise ValueError("not a list")
    return int(match[1])


def _listed(issued: Issued, uses: tuple[str, ...], withdrawn_at: datetime | None) -> ListedCa:
    granted = ListedState("granted", issued.certificate.not_valid_before_utc + YEAR)
    if withdrawn_at is None:
        return ListedCa(issued.certificate, uses, (granted,))
    return ListedCa(issued.certificate, uses, (ListedState("withdrawn", withdrawn_at), granted))
