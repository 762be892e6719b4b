"""What an examination tells: every check by its number, what became of it, and the facts."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from enrol.eidas.certificate import Certificate
from enrol.eidas.loading import without_warnings
from enrol.eidas.rules import CertificateUse


class Status(StrEnum):
    """What became of a check, or of all of them."""

    PASSED = "passed"
    FAILED = "failed"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReport:
    """One check and what became of it.

    `meaning` says why it failed or could not be decided, `remedy` what to change; `code` is the
    rule it fails by, or that keeps it undecided.
    """

    number: int
    title: str
    clause: str
    status: Status
    code: str | None = None
    meaning: str | None = None
    remedy: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateFacts:
    """What a certificate says of itself, as text; nothing of it is judged here.

    `serial_number` and `sha256` are hexadecimal, names strings of RFC 4514, times aware UTC;
    `psp_roles` are those that carry a right. `deviations` are codes of what was written against
    a standard and could be read.
    """

    subject: str
    issuer: str
    serial_number: str
    sha256: str
    not_before: datetime
    not_after: datetime
    key: str
    signature_hash: str | None
    organization_identifiers: tuple[str, ...]
    psp_roles: tuple[str, ...]
    nca_id: str | None
    nca_name: str | None
    qc_types: tuple[str, ...]
    qscd: bool
    key_usage: tuple[str, ...]
    extended_key_usage: tuple[str, ...] | None
    policies: tuple[str, ...]
    deviations: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateReport:
    """The examination of one certificate; `refused_by` is the code a bank would answer with."""

    use: CertificateUse
    status: Status
    refused_by: str | None
    facts: CertificateFacts | None
    checks: tuple[CheckReport, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExaminationReport:
    """The examination of one certificate or of a pair, at a moment (aware UTC).

    `together` holds the checks that need both, or a registration.
    """

    at: datetime
    status: Status
    certificates: tuple[CertificateReport, ...]
    together: tuple[CheckReport, ...]

    @property
    def checks(self) -> tuple[CheckReport, ...]:
        """All checks, one certificate after the other."""
        own = (check for one in self.certificates for check in one.checks)
        return (*own, *self.together)


def facts_of(certificate: Certificate) -> CertificateFacts:
    """Return what a certificate says, as text."""
    qc, key = certificate.qc, certificate.key
    psd2 = qc.psd2 if qc is not None else None
    extended = certificate.extended_key_usage
    return CertificateFacts(
        subject=certificate.subject,
        issuer=without_warnings(lambda: certificate.loaded.issuer).rfc4514_string(),
        serial_number=f"{certificate.serial_number:x}",
        sha256=certificate.sha256.hex(),
        not_before=certificate.not_before,
        not_after=certificate.not_after,
        key=f"RSA {key.bits}" if key.curve is None else f"EC {key.curve}",
        signature_hash=certificate.signature_hash,
        organization_identifiers=certificate.organization_identifiers,
        psp_roles=tuple(sorted(psd2.roles)) if psd2 is not None else (),
        nca_id=psd2.nca_id if psd2 is not None else None,
        nca_name=psd2.nca_name if psd2 is not None else None,
        qc_types=qc.qc_types if qc is not None else (),
        qscd=qc is not None and qc.qscd,
        key_usage=tuple(sorted(certificate.key_usage or ())),
        extended_key_usage=None if extended is None else tuple(sorted(extended)),
        policies=certificate.policies,
        deviations=certificate.deviations + (qc.deviations if qc is not None else ()),
    )
