"""Refusals on the wire: the one place that knows status codes (STET 1.0.5, RFC 7591 §3.2.2)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Literal

import msgspec

from enrol.errors import (
    AuthenticationError,
    CertificateError,
    ClientMetadataError,
    EntitlementError,
    EntryPointError,
    Finding,
    GrantError,
    InsufficientScopeError,
    MalformedRequestError,
    MethodError,
    NotAcceptableError,
    NotOfferedError,
    PreconditionError,
    RateLimitError,
    RefusalError,
    RequestTimeoutError,
    SignatureError,
    TokenError,
    UnavailableError,
    UnreadableCertificateError,
)
from enrol.explanations import explain
from enrol.server.answer import CLOSE, Answer, Fields, answer

LONGEST_TEXT = 140  # STET ErrorModel: maxLength of error, message and error_description
_SIGNATURE_CHALLENGE = (
    b'Signature realm="psd2-setup", headers="(request-target) digest x-request-id"'
)
_UNAPPROVED = frozenset({"member_refused", "statement_issuer"})
_BEARER = b'Bearer realm="psd2-setup"'
_MANAGE = b', scope="manageRegistration"'
_BASIC: Fields = ((b"www-authenticate", b'Basic realm="psd2-setup", charset="UTF-8"'),)
_OF_BASIC = frozenset(
    {
        *("client_credentials_malformed", "client_secret_missing"),
        *("client_secret_wrong", "client_secret_expired"),
    }
)
"""The codes of clients that are known by their secret (RFC 6749 §5.2)."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Status, RFC error and extra header fields of one kind of refusal."""

    status: int
    error: str
    fields: Fields = ()


class ProblemFinding(msgspec.Struct, frozen=True, kw_only=True):
    """One metadata rule that was broken."""

    member: str | None
    code: str
    meaning: str
    remedy: str
    error_uri: str


class ExplainedRuleBody(msgspec.Struct, frozen=True, kw_only=True):
    """One rule of signatures, and what became of it."""

    rule: str
    verdict: str
    sentence: str


class ExplanationBody(msgspec.Struct, frozen=True, kw_only=True):
    """Why a signature is refused, in full; test systems only."""

    findings: tuple[ExplainedRuleBody, ...]
    mistakes: tuple[str, ...]
    signing_string: tuple[str, ...]


class Problem400Body(msgspec.Struct, frozen=True, kw_only=True):
    """STET ``ErrorModel_400``; `findings` has one entry a metadata rule broken."""

    error: str
    error_description: str
    error_uri: str
    findings: tuple[ProblemFinding, ...] | msgspec.UnsetType = msgspec.UNSET
    certificate: Literal["qwac", "qsealc"] | msgspec.UnsetType = msgspec.UNSET
    explanation: ExplanationBody | msgspec.UnsetType = msgspec.UNSET


class ProblemBody(msgspec.Struct, frozen=True, kw_only=True):
    """STET ``ErrorModel`` on top of the members of RFC 7591.

    `certificate` is the one that is refused, where a certificate is.
    """

    error: str
    error_description: str
    error_uri: str
    timestamp: str
    status: int
    message: str
    path: str
    certificate: Literal["qwac", "qsealc"] | msgspec.UnsetType = msgspec.UNSET
    explanation: ExplanationBody | msgspec.UnsetType = msgspec.UNSET


def _challenge(value: bytes) -> Fields:
    return ((b"www-authenticate", value),)


def _token_problem(error: TokenError) -> Problem:
    if error.code == "token_missing":  # RFC 6750 §3.1: no error attribute without credentials
        return Problem(401, "invalid_request", _challenge(_BEARER + _MANAGE))
    return Problem(401, "invalid_token", _challenge(_BEARER + b', error="invalid_token"'))


def _metadata_error(finding: Finding) -> str:
    """Return the code of RFC 7591 §3.2.2 that fits the first rule broken."""
    match finding.member:
        case "redirect_uris":
            return "invalid_redirect_uri"
        case "software_statement" if finding.code in _UNAPPROVED:
            return "unapproved_software_statement"
        case "software_statement" if finding.code != "member_missing":
            return "invalid_software_statement"
        case _:
            return "invalid_client_metadata"


def _retry(seconds: int) -> Fields:
    return ((b"retry-after", b"%d" % seconds),)


def problem_of(error: RefusalError) -> Problem:  # noqa: C901, PLR0911, PLR0912 - one row a kind
    """Return what a refusal is on the wire."""
    match error:
        case GrantError():
            status = 401 if error.error == "invalid_client" else 400
            return Problem(status, error.error, _BASIC if error.code in _OF_BASIC else ())
        case ClientMetadataError():
            return Problem(400, _metadata_error(error.findings[0]))
        case TokenError():
            return _token_problem(error)
        case SignatureError():
            return Problem(401, "invalid_client", _challenge(_SIGNATURE_CHALLENGE))
        case UnreadableCertificateError():
            return Problem(400, "invalid_request", CLOSE)
        case AuthenticationError():
            return Problem(401, "invalid_client", CLOSE)  # STET §3.2: the connection is closed
        case InsufficientScopeError():
            value = _BEARER + b', error="insufficient_scope"' + _MANAGE
            return Problem(403, "insufficient_scope", _challenge(value))
        case EntitlementError():
            return Problem(403, "access_denied")
        case MethodError():
            return Problem(405, "invalid_request", ((b"allow", ", ".join(error.allowed).encode()),))
        case NotAcceptableError():
            return Problem(406, "invalid_request")
        case RequestTimeoutError():
            return Problem(408, "invalid_request", CLOSE)
        case RateLimitError():
            return Problem(429, "too_many_requests", _retry(error.retry_after))
        case NotOfferedError():
            return Problem(501, "not_implemented")
        case UnavailableError():
            closing = CLOSE if error.code == "draining" else ()
            return Problem(503, "temporarily_unavailable", _retry(error.retry_after) + closing)
        case MalformedRequestError() | EntryPointError() | PreconditionError():
            return Problem(400, "invalid_request")
        case _:
            return Problem(500, "server_error")


def describe(error: RefusalError) -> str:
    """Return what is said of a refusal: members and rules, at most 140 characters."""
    if isinstance(error, ClientMetadataError):
        text = "; ".join(_describe_finding(finding) for finding in error.findings)
    else:
        text = explain(error.code).meaning
    return text if len(text) <= LONGEST_TEXT else text[: LONGEST_TEXT - 1] + "…"


def _describe_finding(finding: Finding) -> str:
    meaning = explain(finding.code).meaning
    return f"{finding.member}: {meaning}" if finding.member else meaning


def wire_findings(findings: Iterable[Finding], error_base: str) -> tuple[ProblemFinding, ...]:
    """Return rules that are broken, in words; `error_base` is the URI a code is appended to."""
    return tuple(
        [
            ProblemFinding(
                member=finding.member,
                code=finding.code,
                meaning=explain(finding.code).meaning,
                remedy=explain(finding.code).remedy,
                error_uri=error_base + finding.code,
            )
            for finding in findings
        ]
    )


def _wire_explanation(error: RefusalError) -> ExplanationBody | msgspec.UnsetType:
    """Return the explanation a refusal carries; in production it carries none."""
    explanation = error.explanation
    if explanation is None:
        return msgspec.UNSET
    return ExplanationBody(
        findings=tuple(
            ExplainedRuleBody(rule=each.rule, verdict=each.verdict, sentence=each.sentence)
            for each in explanation.findings
        ),
        mistakes=explanation.mistakes,
        signing_string=explanation.signing_string,
    )


def _wire_certificate(error: RefusalError) -> Literal["qwac", "qsealc"] | msgspec.UnsetType:
    """Return which of the two certificates is refused, where it is one of them."""
    match error:
        case CertificateError(certificate="qwac"):
            return "qwac"
        case CertificateError(certificate="qsealc"):
            return "qsealc"
        case _:
            return msgspec.UNSET


def answer_refusal(
    error: RefusalError, *, request_id: str, path: str, at: datetime, error_base: str
) -> Answer:
    """Return the answer to a refused request.

    `path` is the template of the entry point, never the path received; `error_base` is the URI
    that a code is appended to.
    """
    problem = problem_of(error)
    text = describe(error)
    error_uri = error_base + error.code
    body: msgspec.Struct
    if problem.status == 400:
        body = Problem400Body(
            error=problem.error,
            error_description=text,
            error_uri=error_uri,
            findings=wire_findings(error.findings, error_base)
            if isinstance(error, ClientMetadataError)
            else msgspec.UNSET,
            certificate=_wire_certificate(error),
            explanation=_wire_explanation(error),
        )
    else:
        body = ProblemBody(
            error=problem.error,
            error_description=text,
            error_uri=error_uri,
            timestamp=at.isoformat(timespec="milliseconds"),
            status=problem.status,
            message=HTTPStatus(problem.status).phrase,
            path=path,
            certificate=_wire_certificate(error),
            explanation=_wire_explanation(error),
        )
    return answer(
        problem.status, msgspec.json.encode(body), request_id=request_id, fields=problem.fields
    )
