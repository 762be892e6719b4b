"""What can go wrong on the way to a bank: it refuses, it cannot be reached, it answers nonsense."""

from dataclasses import dataclass

from enrol.errors import EnrolError, RefusalExplanation
from enrol.explanations.client import CLIENT
from enrol.explanations.explanation import Explanation


@dataclass(frozen=True, slots=True)
class RefusedFinding:
    """One rule the metadata break, as the bank says it; all is text made safe to show."""

    member: str | None
    code: str
    meaning: str | None
    remedy: str | None


class RegistrationRefusedError(EnrolError):
    """The bank answered, and refuses.

    `status` is HTTP's, `error` and `description` the bank's ``error`` and ``error_description``
    (or ``message``), `code` the last segment of its ``error_uri``, else `error`. `request_id` is
    the X-Request-ID to tell the bank; `retry_after` is in whole seconds; `explanation` is what a
    test system tells of a refused signature. All is text made safe to show.
    """

    def __init__(
        self,
        *,
        status: int,
        error: str,
        code: str,
        description: str | None = None,
        findings: tuple[RefusedFinding, ...] = (),
        request_id: str,
        retry_after: int | None = None,
        explanation: RefusalExplanation | None = None,
    ) -> None:
        super().__init__(code)
        self.explanation = explanation
        self.status = status
        self.error = error
        self.description = description
        self.findings = findings
        self.request_id = request_id
        self.retry_after = retry_after

    def __str__(self) -> str:
        return f"{self.status} {self.error} ({self.code}): {self.description or 'no description'}"


class BankError(EnrolError):
    """No usable answer came; `request_id` is the X-Request-ID of the request that asked for one.

    The bank may have done what was asked: the same call with the same `request_id` and the same
    metadata finds out, and does nothing twice.
    """

    def __init__(self, code: str, *, request_id: str) -> None:
        super().__init__(code)
        self.request_id = request_id

    @property
    def explanation(self) -> Explanation:
        """Return what happened and what to change, in plain words."""
        return CLIENT[self.code]

    def __str__(self) -> str:
        return f"{self.explanation.meaning} {self.explanation.remedy}"


class BankUnreachableError(BankError):
    """The request or its answer did not get through: network, TLS, time."""


class UnbelievedAnswerError(BankError):
    """An answer came whose signature is not the bank's; `rule` is what it breaks, if it is read."""

    def __init__(self, code: str, *, request_id: str, rule: str | None = None) -> None:
        super().__init__(code, request_id=request_id)
        self.rule = rule

    def __str__(self) -> str:
        return f"{super().__str__()} ({self.rule})" if self.rule else super().__str__()


class UnreadableAnswerError(BankError):
    """The bank says yes in a form that is not the contract's."""
