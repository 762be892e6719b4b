"""The examination of certificates: all that is wrong with them, where `validate` stops at once."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from enrol.eidas.certificate import Certificate, parse_certificate
from enrol.eidas.checklist import (
    NOT_READ,
    NOT_REQUIRED,
    TOGETHER,
    check_of,
    checks_for,
)
from enrol.eidas.checks import check_organization_identifier
from enrol.eidas.examination import (
    CertificateReport,
    CheckReport,
    ExaminationReport,
    Status,
    facts_of,
)
from enrol.eidas.numbered_check import Check, Subject
from enrol.eidas.organization import OrganizationIdentifier
from enrol.eidas.revocation import REVOCATION_UNCHECKED, RevocationEvidence
from enrol.eidas.rules import CertificateRules, CertificateUse
from enrol.eidas.trust import TrustAnchors
from enrol.eidas.validate import (
    AssessedCertificate,
    QualifiedCertificate,
    assess,
    check_same_organization,
    check_trusted,
    conclude,
)
from enrol.errors import CertificateError, RefusalError, UnavailableError

_DEFAULT_RULES: Final = CertificateRules()
_SAME_PSP, _REVOCATION = 23, 24


@dataclass(frozen=True, slots=True)
class Named:
    """A certificate and the organisation it names, believed or not."""

    certificate: Certificate
    organization_identifier: OrganizationIdentifier


@dataclass(frozen=True, slots=True)
class Examination:
    """A certificate under examination, None where it could not be read.

    `refused_by` is the code that `validate` refuses it with. `assessed` is there once only
    revocation and entitlement are left to ask, `qualified` once they were and passed.
    """

    use: CertificateUse
    certificate: Certificate | None
    checks: tuple[CheckReport, ...]
    refused_by: str | None = None
    assessed: AssessedCertificate | None = None
    qualified: QualifiedCertificate | None = None

    @property
    def status(self) -> Status:
        """Say whether it passes, as `validate` says it: only what was decided whole does."""
        if any(check.status is Status.FAILED for check in self.checks):
            return Status.FAILED
        return Status.UNDECIDED if self.qualified is None else Status.PASSED

    def with_check(self, report: CheckReport) -> "Examination":
        """Return the examination with another report on one check."""
        checks = tuple(report if each.number == report.number else each for each in self.checks)
        return replace(self, checks=checks)

    def named(self) -> tuple[Named, ...]:
        """Return the certificate with the organisation it names; nothing where it names none."""
        if self.certificate is None:
            return ()
        try:
            identifier = check_organization_identifier(self.certificate)
        except CertificateError:
            return ()
        return (Named(self.certificate, identifier),)

    def report(self) -> CertificateReport:
        """Return what there is to tell."""
        return CertificateReport(
            use=self.use,
            status=self.status,
            refused_by=self.refused_by,
            facts=facts_of(self.certificate) if self.certificate is not None else None,
            checks=self.checks,
        )


def examine(
    der: bytes,
    *,
    use: CertificateUse,
    at: datetime,
    trust: TrustAnchors | UnavailableError | None,
    intermediates: tuple[bytes, ...] = (),
    rules: CertificateRules = _DEFAULT_RULES,
) -> Examination:
    """Run every check of a certificate (DER) but those of revocation; nothing is raised.

    `trust` may be the reason why there is none, or None where nobody says whom to trust.
    """
    try:
        certificate = parse_certificate(der)
    except CertificateError as exc:
        return _unread(exc, use)
    anchors = trust if isinstance(trust, TrustAnchors) else None
    fault: RefusalError | None = trust if isinstance(trust, UnavailableError) else None
    assessed, refusal = None, fault
    if anchors is not None:
        fault = _trust_fault(certificate, anchors, intermediates, use=use, at=at, rules=rules)
        try:
            assessed = assess(
                certificate, use=use, at=at, trust=anchors, intermediates=intermediates, rules=rules
            )
        except RefusalError as exc:
            refusal = exc
    subject = Subject(certificate, use, at, rules, anchors, fault)
    checks = tuple(check.apply(subject) for check in checks_for(use))
    return Examination(use, certificate, checks, refusal.code if refusal else None, assessed)


def conclude_examination(
    examination: Examination,
    *,
    at: datetime,
    revocation: RevocationEvidence,
    rules: CertificateRules = _DEFAULT_RULES,
) -> Examination:
    """Return the examination with what is known of revocations, where it was worth asking."""
    if examination.assessed is None:
        return examination
    revoked = check_of(_REVOCATION)
    try:
        qualified = conclude(examination.assessed, at=at, revocation=revocation, rules=rules)
    except RefusalError as exc:
        concerns = exc.code in revoked.codes
        report = revoked.refused(exc) if concerns else revoked.report(Status.PASSED)
        return replace(examination.with_check(report), refused_by=exc.code)
    report = revoked.report(Status.PASSED)
    if REVOCATION_UNCHECKED in qualified.deviations:
        report = revoked.report(Status.UNDECIDED, meaning=NOT_REQUIRED)
    return replace(examination.with_check(report), qualified=qualified)


def report_on(examinations: Sequence[Examination], *, at: datetime) -> ExaminationReport:
    """Return the report on a certificate, or on a QWAC and a QSealC and whether they agree."""
    by_use = {examination.use: examination for examination in examinations}
    pair = [named for use in CertificateUse if use in by_use for named in by_use[use].named()]
    together = tuple(_of_pair(check, pair) for check in TOGETHER)
    statuses = {examination.status for examination in examinations}
    if len(examinations) > 1:
        statuses |= {each.status for each in together if each.number == _SAME_PSP}
    return ExaminationReport(
        at=at,
        status=next(each for each in _WORST_FIRST if each in statuses),
        certificates=tuple(examination.report() for examination in examinations),
        together=together,
    )


_WORST_FIRST: Final = (Status.FAILED, Status.UNDECIDED, Status.PASSED)


def _of_pair(check: Check, pair: Sequence[Named]) -> CheckReport:
    """Return the report on a check of `TOGETHER`; the QWAC comes first."""
    if check.number != _SAME_PSP or len(pair) != len(CertificateUse):
        return check.report(Status.UNDECIDED, meaning=check.why)
    try:
        check_same_organization(*pair)
    except CertificateError as exc:
        return check.refused(exc)
    return check.report(Status.PASSED)


def _trust_fault(
    certificate: Certificate,
    trust: TrustAnchors,
    intermediates: tuple[bytes, ...],
    *,
    use: CertificateUse,
    at: datetime,
    rules: CertificateRules,
) -> RefusalError | None:
    try:
        check_trusted(certificate, trust, intermediates=intermediates, use=use, at=at, rules=rules)
    except RefusalError as exc:
        return exc
    return None


def _unread(error: CertificateError, use: CertificateUse) -> Examination:
    """Return that nothing can be said but why the certificate could not be read."""
    checks = tuple(
        check.refused(error)
        if error.code in check.codes
        else check.report(Status.UNDECIDED, meaning=NOT_READ)
        for check in checks_for(use)
    )
    return Examination(use, None, checks, error.code)
