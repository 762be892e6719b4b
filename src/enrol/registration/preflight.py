"""The examination of certificates before a registration, by all that the desk goes by."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from enrol.eidas.checklist import check_of
from enrol.eidas.examination import ExaminationReport, Status
from enrol.eidas.examine import Examination, conclude_examination, examine, report_on
from enrol.eidas.rules import CertificateRules, CertificateUse
from enrol.eidas.trust import TrustAnchors
from enrol.errors import CertificateError, EntitlementError, UnavailableError
from enrol.registration.entitlement import Entitlement
from enrol.registration.ports import RevocationSource, TrustSource

_AUTHORISED, _POSSESSION = 25, 27
_NUMBERS: Final = {"psp_not_mapped": 20, "role_insufficient": 26}


@dataclass(frozen=True, slots=True)
class Presented:
    """A certificate in DER, what it is presented for, and the CAs that came with it.

    `is_proven` tells that its key was used before our eyes, as in the handshake of a connection.
    """

    der: bytes
    use: CertificateUse
    intermediates: tuple[bytes, ...] = ()
    is_proven: bool = False


@dataclass(frozen=True, slots=True)
class PreflightDesk:
    """Examines certificates as `CertificateJudge` judges them; writes nothing, keeps nothing.

    Revocations are asked for only where everything but them and the entitlement holds, so that
    nothing is fetched for a stranger.
    """

    trust: TrustSource
    revocations: RevocationSource
    rules: CertificateRules
    entitlement: Entitlement

    async def examine_connection(
        self, qwac: bytes | None, qsealc: tuple[bytes, ...], *, at: datetime
    ) -> ExaminationReport:
        """Examine the certificate of a connection and a QSealC, where there is one.

        All are DER; CAs may follow the QSealC.

        Raises CertificateError ``client_certificate_missing``, or UnavailableError where nobody
        is asked for a certificate.
        """
        if qwac is None:
            self.trust.anchors()
            raise CertificateError("client_certificate_missing")
        presented = [Presented(qwac, CertificateUse.QWAC, is_proven=True)]
        if qsealc:
            presented.append(Presented(qsealc[0], CertificateUse.QSEALC, qsealc[1:]))
        return await self.examine(presented, at=at)

    async def examine(self, presented: Sequence[Presented], *, at: datetime) -> ExaminationReport:
        """Examine a certificate, or a QWAC and a QSealC and whether they agree."""
        return report_on([await self._examine(one, at=at) for one in presented], at=at)

    async def _examine(self, presented: Presented, *, at: datetime) -> Examination:
        examination = examine(
            presented.der,
            use=presented.use,
            at=at,
            trust=self._anchors(),
            intermediates=presented.intermediates,
            rules=self.rules,
        )
        if presented.is_proven and examination.certificate is not None:
            examination = examination.with_check(check_of(_POSSESSION).report(Status.PASSED))
        if examination.assessed is None:
            return examination
        concluded = conclude_examination(
            examination,
            at=at,
            revocation=await self.revocations.evidence_for(examination.assessed, at=at),
            rules=self.rules,
        )
        return self._entitled(concluded, at=at)

    def _entitled(self, examination: Examination, *, at: datetime) -> Examination:
        """Return the examination with what the register says of the PSP, where it is asked."""
        psp = examination.qualified
        if psp is None:
            return examination
        check = check_of(_AUTHORISED)
        try:
            licence = self.entitlement.judge(psp.organization_identifier, psp.psp_roles, at=at)
        except (EntitlementError, UnavailableError) as exc:
            check = check_of(_NUMBERS.get(exc.code, _AUTHORISED))
            doubted = examination.with_check(check.refused(exc))
            return replace(doubted, refused_by=exc.code, qualified=None)
        if not self.entitlement.is_asked:
            return examination
        if licence.doubt is not None:
            return examination.with_check(check.report(Status.UNDECIDED, code=licence.doubt))
        return examination.with_check(check.report(Status.PASSED))

    def _anchors(self) -> TrustAnchors | UnavailableError:
        try:
            return self.trust.anchors()
        except UnavailableError as exc:
            return exc
