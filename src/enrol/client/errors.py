"""What can go wrong on the way to a bank: it refuses, it cannot be reached, it answers nonsense."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum

from enrol.errors import EnrolError, RefusalExplanation
from enrol.explanations.client import CLIENT
from enrol.explanations.explanation import Explanation


class Purpose(StrEnum):
    """What a request to a bank asks for."""

    TOKEN = "token"  # noqa: S105 - a name
    REGISTER = "register"
    SHOW = "show"
    UPDATE = "update"
    DELETE = "delete"
    CHECK = "check"
    REHEARSE = "dry-run"
    LIST = "list"


@dataclass(frozen=True, slots=True)
class Call:
    """A request that was sent: what for, how and to which url."""

    purpose: Purpose
    method: str
    url: str

    @property
    def can_be_repeated(self) -> bool:
        """Whether the same X-Request-ID makes the bank tell what it did with the first one."""
        return self.purpose in {Purpose.REGISTER, Purpose.UPDATE, Purpose.DELETE}


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
    test system tells of a refused signature; `certificate` is the one refused, ``qwac`` or
    ``qsealc``, where the bank tells. All is text made safe to show. `call` is what it refuses.
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
        certificate: str | None = None,
    ) -> None:
        super().__init__(code)
        self.call: Call | None = None
        self.certificate = certificate
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
    """No usable answer came; `request_id` is the X-Request-ID of `call`, which asked for one.

    The bank may have done what was asked: the same call with the same `request_id` and the same
    metadata finds out, and does nothing twice.
    """

    def __init__(self, code: str, *, request_id: str) -> None:
        super().__init__(code)
        self.call: Call | None = None
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


@contextmanager
def telling(call: Call) -> Iterator[None]:
    """Note in what goes wrong which call it was."""
    try:
        yield
    except (BankError, RegistrationRefusedError) as exc:
        exc.call = exc.call or call
        raise
