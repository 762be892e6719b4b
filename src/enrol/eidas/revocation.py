"""Whether a certificate was revoked: what issuers were heard to say, and what follows from it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Self

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from enrol.eidas.certificate import Certificate, parse_certificate
from enrol.eidas.crl import (
    RevocationList,
    RevocationLists,
    check_not_listed,
    covering_lists,
    parse_revocation_lists,
)
from enrol.eidas.loading import find_extension
from enrol.eidas.ocsp import OcspResponse, Statement, Status, statements_about
from enrol.eidas.responder import find_signer
from enrol.errors import CertificateError

REVOCATION_UNCHECKED: Final = "revocation_unchecked"
"""The mark of a verdict made although nothing was known of revocation."""


class GroundKind(StrEnum):
    """What an issuer said it in."""

    OCSP = "ocsp"
    CRL = "crl"


Ground = tuple[GroundKind, bytes]
"""What a status rests on, and its DER."""


@dataclass(frozen=True, slots=True)
class RevocationEvidence:
    """What issuers were heard to say, read and not yet believed.

    `ask_again_at` (aware UTC) is when they are to be asked anew, None where nobody was asked.
    """

    responses: tuple[OcspResponse, ...] = ()
    lists: RevocationLists = field(default_factory=RevocationLists)
    ask_again_at: datetime | None = None

    @classmethod
    def of_lists(cls, data: Iterable[bytes]) -> Self:
        """Read CRLs, each PEM or DER; raises UnavailableError ``revocation_unknown``."""
        return cls(lists=parse_revocation_lists(data))


@dataclass(frozen=True, slots=True)
class RevocationStatus:
    """A certificate that is not revoked, as far as is known: on which grounds, and until when.

    Without grounds nothing is known, and `until` (aware UTC) is None.
    """

    grounds: tuple[Ground, ...] = ()
    until: datetime | None = None

    @property
    def is_known(self) -> bool:
        """State whether an issuer was heard."""
        return bool(self.grounds)


def judge_revocation(
    certificate: Certificate,
    issuer: x509.Certificate,
    evidence: RevocationEvidence,
    *,
    at: datetime,
    tolerance: timedelta = timedelta(0),
) -> RevocationStatus:
    """Return what the evidence says of a certificate at `at` (aware UTC).

    1. Lists that cover it, signed by its issuer and current.
    2. OCSP statements on it, current and signed by whom its issuer lets.

    Raises CertificateError ``cert_revoked`` where any of them says so, also on hold, whatever the
    others say. An OCSP ``unknown`` says nothing. `tolerance` is how far they may come from the
    future.
    """
    # (1) Lists.
    covering = covering_lists(certificate, issuer, evidence.lists, at=at, tolerance=tolerance)
    check_not_listed(certificate, covering)
    # (2) OCSP.
    stated = _believed(certificate, issuer, evidence, at=at, tolerance=tolerance)
    if any(one.status is Status.REVOKED for _, one in stated):
        raise CertificateError("cert_revoked")
    good = [(response, one) for response, one in stated if one.status is Status.GOOD]
    ends = [*(one.next_update for one in covering), *(one.until for _, one in good)]
    return RevocationStatus(
        grounds=(
            *((GroundKind.OCSP, response.der) for response, _ in good),
            *((GroundKind.CRL, one.der) for one in covering),
        ),
        until=min(ends, default=None),
    )


def _believed(
    certificate: Certificate,
    issuer: x509.Certificate,
    evidence: RevocationEvidence,
    *,
    at: datetime,
    tolerance: timedelta,
) -> list[tuple[OcspResponse, Statement]]:
    """Return what responders that are believed say of the certificate."""
    believed: list[tuple[OcspResponse, Statement]] = []
    for response in evidence.responses:
        about = statements_about(response, certificate, issuer, at=at, tolerance=tolerance)
        signer = find_signer(response, issuer, at=at, tolerance=tolerance) if about else None
        if signer is not None and (
            signer == issuer or _is_in_office(signer, issuer, evidence.lists, at=at)
        ):
            believed += [(response, one) for one in about]
    return believed


def _is_in_office(
    responder: x509.Certificate, issuer: x509.Certificate, lists: RevocationLists, *, at: datetime
) -> bool:
    """Say whether a responder is not revoked itself, by the lists at hand (RFC 6960 §4.2.2.2.1).

    With ocsp-nocheck its issuer says that it need not be looked up.
    """
    if find_extension(responder.extensions, x509.OCSPNoCheck) is not None:
        return True
    try:
        itself = parse_certificate(responder.public_bytes(Encoding.DER))
        check_not_listed(itself, covering_lists(itself, issuer, lists, at=at))
    except CertificateError:
        return False
    return True


__all__ = [
    "REVOCATION_UNCHECKED",
    "Ground",
    "GroundKind",
    "RevocationEvidence",
    "RevocationList",
    "RevocationLists",
    "RevocationStatus",
    "judge_revocation",
]
