"""What a bank answers, read: a token, a registration, a refusal."""

import re
from dataclasses import dataclass
from typing import Final

import httpx
import msgspec

from enrol.client.errors import RefusedFinding, RegistrationRefusedError, UnreadableAnswerError
from enrol.client.printable import printable_line
from enrol.eidas.examination import ExaminationReport
from enrol.errors import ClientMetadataError, ExplainedRule, RefusalExplanation
from enrol.oauth.strict_json import JsonObject, parse_json_object
from enrol.oauth.types import ClientId

_CODE: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_TOKEN: Final = re.compile(r"[A-Za-z0-9._~+/-]{1,8192}=*")
CLIENT_ID: Final = re.compile(r"[\x20-\x7e]{1,256}")
_SECONDS: Final = re.compile(r"[0-9]{1,9}")
_DEFAULT_LIFETIME = 300
_MOST_LINES: Final = 200


@dataclass(frozen=True, slots=True)
class Registration:
    """A registration as the bank answers it; `document` is the whole answer.

    After an update that the bank only notes, `document` has no ``client_id``. It may hold
    secrets: ``registration_access_token``, and at some banks ``client_secret``.
    """

    client_id: ClientId
    document: JsonObject
    request_id: str

    @property
    def is_whole(self) -> bool:
        """Whether the bank answered the registration, and not only that it noted something."""
        return "client_id" in self.document

    @property
    def registration_access_token(self) -> str | None:
        """Return the token for calls on this registration, where the bank gives one."""
        token = self.document.get("registration_access_token")
        return token if isinstance(token, str) and _TOKEN.fullmatch(token) else None

    @property
    def registration_client_uri(self) -> str | None:
        """Return where the bank says the registration can be read; some say nothing."""
        return printable_line(self.document.get("registration_client_uri"))


@dataclass(frozen=True, slots=True)
class Token:
    """An access token and its lifetime in seconds."""

    access_token: str
    lifetime: int


def parse_registration(response: httpx.Response, *, request_id: str) -> Registration:
    """Return the registration in an answer of status 200 or 201; banks differ in which.

    Raises `RegistrationRefusedError` for other statuses and `UnreadableAnswerError`.
    """
    return _registration(parse_document(response, (200, 201), request_id), request_id)


def _registration(document: JsonObject, request_id: str) -> Registration:
    client_id = document.get("client_id")
    if not isinstance(client_id, str) or not CLIENT_ID.fullmatch(client_id):
        raise UnreadableAnswerError("bank_answer_unreadable", request_id=request_id)
    return Registration(ClientId(client_id), document, request_id)


def parse_update(response: httpx.Response, client_id: ClientId, *, request_id: str) -> Registration:
    """Return the registration in the answer to an update, as `parse_registration`.

    Some banks only note an update and say so: 204, or a ``message`` instead of a registration.
    """
    if response.status_code == 204:
        return Registration(client_id, {}, request_id)
    document = parse_document(response, (200, 201, 202), request_id)
    if "client_id" not in document and printable_line(document.get("message")):
        return Registration(client_id, document, request_id)
    return _registration(document, request_id)


def parse_token(response: httpx.Response, *, request_id: str) -> Token:
    """Return the token in an answer of status 200 (RFC 6749 §5.1).

    An answer that does not tell the lifetime gives a token of five minutes. Raises
    `RegistrationRefusedError` for other statuses and `UnreadableAnswerError`.
    """
    document = parse_document(response, (200,), request_id)
    token, lifetime = document.get("access_token"), document.get("expires_in")
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        raise UnreadableAnswerError("bank_answer_unreadable", request_id=request_id)
    is_number = isinstance(lifetime, int) and not isinstance(lifetime, bool)
    return Token(token, lifetime if isinstance(lifetime, int) and is_number else _DEFAULT_LIFETIME)


def parse_examination(response: httpx.Response, *, request_id: str) -> ExaminationReport:
    """Return the report in an answer of status 200.

    Raises `RegistrationRefusedError` for other statuses and `UnreadableAnswerError`.
    """
    document = parse_document(response, (200,), request_id)
    try:
        return msgspec.convert(document, ExaminationReport)
    except msgspec.ValidationError as exc:
        raise UnreadableAnswerError("bank_answer_unreadable", request_id=request_id) from exc


def check_deleted(response: httpx.Response, *, request_id: str) -> None:
    """Raise `RegistrationRefusedError` unless the answer says that the client is deleted."""
    if response.status_code not in (200, 204):
        raise refusal_of(response, request_id=request_id)


def refusal_of(response: httpx.Response, *, request_id: str) -> RegistrationRefusedError:
    """Return the refusal in an answer, whatever its form (STET 1.0.5, both error models)."""
    document = _parse_leniently(response.content)
    error = printable_line(document.get("error")) or response.reason_phrase or "no error"
    return RegistrationRefusedError(
        status=response.status_code,
        error=error,
        code=_code(document)
        or printable_line(document.get("error"))
        or f"http_{response.status_code}",
        description=printable_line(document.get("error_description"))
        or printable_line(document.get("message")),
        findings=findings_of(document),
        request_id=printable_line(response.headers.get("x-request-id")) or request_id,
        retry_after=retry_after(response),
        explanation=_explanation(document.get("explanation")),
        certificate=_certificate(document.get("certificate")),
    )


def retry_after(response: httpx.Response) -> int | None:
    """Return the seconds of Retry-After; None where it is absent or a date."""
    value = response.headers.get("retry-after", "")
    return int(value) if _SECONDS.fullmatch(value) else None


def parse_document(
    response: httpx.Response, statuses: tuple[int, ...], request_id: str
) -> JsonObject:
    """Return the JSON object in an answer of one of these statuses.

    Raises `RegistrationRefusedError` for other statuses and `UnreadableAnswerError`.
    """
    if response.status_code not in statuses:
        raise refusal_of(response, request_id=request_id)
    try:
        return parse_json_object(response.content)
    except ClientMetadataError as exc:
        raise UnreadableAnswerError("bank_answer_unreadable", request_id=request_id) from exc


def _parse_leniently(body: bytes) -> JsonObject:
    try:
        return parse_json_object(body)
    except ClientMetadataError:
        return {}


def _code(document: JsonObject) -> str | None:
    """Return the last path segment of ``error_uri``, where it can be a code."""
    uri = document.get("error_uri")
    code = uri.rpartition("/")[2] if isinstance(uri, str) else ""
    return code if _CODE.fullmatch(code) else None


def findings_of(document: JsonObject) -> tuple[RefusedFinding, ...]:
    """Return the rules that an answer says are broken."""
    findings = document.get("findings")
    return tuple(
        RefusedFinding(
            member=printable_line(finding.get("member")),
            code=printable_line(finding.get("code")) or "unnamed",
            meaning=printable_line(finding.get("meaning")),
            remedy=printable_line(finding.get("remedy")),
        )
        for finding in (findings if isinstance(findings, list) else ())
        if isinstance(finding, dict)
    )


def _certificate(value: object) -> str | None:
    return str(value) if value in ("qwac", "qsealc") else None


def _explanation(value: object) -> RefusalExplanation | None:
    """Return what a test system tells of a refused signature, None where it tells nothing."""
    if not isinstance(value, dict):
        return None
    findings = value.get("findings")
    return RefusalExplanation(
        findings=tuple(
            ExplainedRule(
                printable_line(each.get("rule")) or "unnamed",
                printable_line(each.get("verdict")) or "undecided",
                printable_line(each.get("sentence")) or "",
            )
            for each in (findings if isinstance(findings, list) else ())[:_MOST_LINES]
            if isinstance(each, dict)
        ),
        mistakes=_lines(value.get("mistakes")),
        signing_string=_lines(value.get("signing_string")),
    )


def _lines(value: object) -> tuple[str, ...]:
    lines = value if isinstance(value, list) else ()
    return tuple(
        printable_line(line) or "" for line in lines[:_MOST_LINES] if isinstance(line, str)
    )
