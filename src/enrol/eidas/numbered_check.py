"""One check by its number: what it is asked of, what it refuses with, and how that is told."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from enrol.eidas.certificate import Certificate
from enrol.eidas.examination import CheckReport, Status
from enrol.eidas.qcstatements import Psd2Statement, QcStatementFacts
from enrol.eidas.rules import CertificateRules, CertificateUse
from enrol.eidas.trust import TrustAnchors
from enrol.errors import RefusalError, UnavailableError
from enrol.explanations import explain


class UndecidedError(Exception):
    """A check cannot be decided; the text says why, in one sentence."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A certificate under examination, and what it is held against.

    `trust` is None where nobody said whom to trust; `trust_fault` is what became of its path.
    """

    certificate: Certificate
    use: CertificateUse
    at: datetime
    rules: CertificateRules
    trust: TrustAnchors | None
    trust_fault: RefusalError | None

    @property
    def qc(self) -> QcStatementFacts:
        """The qcStatements; without them what they would say is not decided."""
        if self.certificate.qc is None:
            raise UndecidedError("The certificate has no qcStatements.")
        return self.certificate.qc

    @property
    def psd2(self) -> Psd2Statement:
        """The PSD2 statement; without it what it would say is not decided."""
        if self.qc.psd2 is None:
            raise UndecidedError("The certificate has no PSD2 statement.")
        return self.qc.psd2


def _pass(_: object) -> None:
    """Raise nothing."""


@dataclass(frozen=True, slots=True)
class Check:
    """One check: `run` raises the refusal with one of `codes`, `UndecidedError`, or nothing.

    `use` is the one it is asked of, None being both; `clause` is by default that of the first
    code. `why` is why a certificate alone leaves it undecided.
    """

    number: int
    title: str
    codes: tuple[str, ...] = ()
    run: Callable[[Subject], object] = _pass
    use: CertificateUse | None = None
    clause: str = ""
    why: str = ""

    def report(
        self, status: Status, *, code: str | None = None, meaning: str | None = None
    ) -> CheckReport:
        """Return what became of it, in the words of the code where there is one."""
        words = explain(code) if code is not None else None
        clause = self.clause or explain(self.codes[0]).clause
        return CheckReport(
            number=self.number,
            title=self.title,
            clause=words.clause if words else clause,
            status=status,
            code=code,
            meaning=words.meaning if words else meaning,
            remedy=words.remedy if words else None,
        )

    def refused(self, error: RefusalError) -> CheckReport:
        """Return that it failed, or cannot be decided now."""
        is_unknown = isinstance(error, UnavailableError)
        return self.report(Status.UNDECIDED if is_unknown else Status.FAILED, code=error.code)

    def apply(self, subject: Subject) -> CheckReport:
        """Run it."""
        if self.why:
            return self.report(Status.UNDECIDED, meaning=self.why)
        try:
            self.run(subject)
        except UndecidedError as exc:
            return self.report(Status.UNDECIDED, meaning=str(exc))
        except RefusalError as exc:
            return self.refused(exc)
        return self.report(Status.PASSED)
