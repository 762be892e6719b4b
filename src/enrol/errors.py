"""The error tree: what can be refused, and by which rule.

Every error carries a stable ``code``, the id of the rule that was broken. The words that go with
a code live in `enrol.explanations`; nothing from a request ever becomes part of an error.
"""

from dataclasses import dataclass


class EnrolError(Exception):
    """The root of every error Enrol raises on purpose."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class ConfigurationError(EnrolError):
    """A setting, a file or a folder is not as it must be; `detail` says which and what to do."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(code)
        self.detail = detail

    def __str__(self) -> str:
        return self.detail


@dataclass(frozen=True, slots=True)
class ExplainedRule:
    """A rule, what became of it (holds, fails, undecided), and that in a sentence."""

    rule: str
    verdict: str
    sentence: str


@dataclass(frozen=True, slots=True)
class RefusalExplanation:
    """Why a signature is refused, in full; only a test system tells.

    `mistakes` are sentences of what would make it verify. `signing_string` are the lines computed,
    which hold values of the request; control characters in them are escaped.
    """

    findings: tuple[ExplainedRule, ...]
    mistakes: tuple[str, ...]
    signing_string: tuple[str, ...]


class RefusalError(EnrolError):
    """A request is refused; the answer names the rule, and explains it where that is wanted."""

    def __init__(self, code: str, explanation: RefusalExplanation | None = None) -> None:
        super().__init__(code)
        self.explanation = explanation


class MalformedRequestError(RefusalError):
    """The request cannot be read: framing, header fields, Digest, grammar of Signature."""


class ClaimedCertificateError(MalformedRequestError):
    """A header field claims a certificate, which only the connection can show."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule the metadata break, and the member of the contract that breaks it."""

    code: str
    member: str | None = None


class ClientMetadataError(RefusalError):
    """The registered metadata break at least one rule (RFC 7591 §3.2.2); all are listed."""

    def __init__(self, *findings: Finding) -> None:
        super().__init__(findings[0].code)
        self.findings = findings


class PreconditionError(RefusalError):
    """The registration is not as the request says it was (RFC 9110 §13)."""


class AuthenticationError(RefusalError):
    """The caller is not believed: certificate, signature or key."""


class CertificateError(AuthenticationError):
    """A certificate fails a check of TS 119 495, EN 319 412 or RFC 5280.

    `certificate` is the one that fails, ``qwac`` or ``qsealc``, once that is known.
    """

    def __init__(self, code: str, *, certificate: str | None = None) -> None:
        super().__init__(code)
        self.certificate = certificate


class UnreadableCertificateError(CertificateError):
    """A certificate, or its qcStatements, cannot be read at all."""


class SignatureError(AuthenticationError):
    """An HTTP signature could be read and is refused; `code` is the rule id, such as ``SIG-1``."""


class TokenError(AuthenticationError):
    """The bearer token is missing, unknown, expired or bound to another certificate (RFC 6750)."""


class EntitlementError(RefusalError):
    """The caller is believed and not entitled to what it asks."""


class InsufficientScopeError(EntitlementError):
    """The token does not carry the scope this entry point needs (RFC 6750 §3.1)."""


class GrantError(RefusalError):
    """The token endpoint refuses; `error` is the code of RFC 6749 §5.2."""

    def __init__(self, code: str, *, error: str) -> None:
        super().__init__(code)
        self.error = error


class OrderError(RefusalError):
    """An order of an operator cannot be carried out."""


class EntryPointError(RefusalError):
    """There is no such entry point."""


class MethodError(RefusalError):
    """The entry point has no such method; `allowed` lists those it has."""

    def __init__(self, code: str, *, allowed: tuple[str, ...]) -> None:
        super().__init__(code)
        self.allowed = allowed


class NotAcceptableError(RefusalError):
    """The client accepts no representation the entry point can give."""


class RequestTimeoutError(RefusalError):
    """The request did not arrive in time."""


class RateLimitError(RefusalError):
    """Too many requests; `retry_after` is in whole seconds."""

    def __init__(self, code: str, *, retry_after: int) -> None:
        super().__init__(code)
        self.retry_after = retry_after


class NotOfferedError(RefusalError):
    """The entry point exists and is switched off here."""


class UnavailableError(RefusalError):
    """The desk cannot decide or store now; `retry_after` is in whole seconds."""

    def __init__(self, code: str, *, retry_after: int = 10) -> None:
        super().__init__(code)
        self.retry_after = retry_after
