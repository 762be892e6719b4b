"""What a bank says would come of a registration or an update (``Prefer``, RFC 7240)."""

from dataclasses import dataclass
from typing import Final

import httpx

from enrol.client.answers import (
    Registration,
    findings_of,
    parse_document,
    parse_registration,
    parse_update,
)
from enrol.client.errors import BankError, RefusedFinding, UnreadableAnswerError
from enrol.client.printable import printable_line
from enrol.oauth.strict_json import JsonObject
from enrol.oauth.types import ClientId

PREFER: Final = "handling=validate-only"


class DryRunIgnoredError(BankError):
    """A bank that does not know dry runs did what was asked; `registration` is what it answered."""

    def __init__(self, registration: Registration, *, request_id: str) -> None:
        super().__init__("dry_run_ignored", request_id=request_id)
        self.registration = registration


@dataclass(frozen=True, slots=True)
class DryRun:
    """The report of a bank that stored nothing; `document` is the whole of it."""

    accepted: bool
    findings: tuple[RefusedFinding, ...]
    document: JsonObject
    request_id: str

    @property
    def substitutions(self) -> tuple[tuple[str, str], ...]:
        """Return the members that would not be registered as sent, each with the reason."""
        told = self.document.get("substitutions")
        return tuple(
            (printable_line(each.get("member")) or "", printable_line(each.get("meaning")) or "")
            for each in (told if isinstance(told, list) else ())
            if isinstance(each, dict)
        )

    @property
    def metadata(self) -> JsonObject:
        """Return the metadata that would be granted."""
        metadata = self.document.get("metadata")
        return metadata if isinstance(metadata, dict) else {}

    @property
    def ignored(self) -> str | None:
        """Return how many members the bank does not know, and their names; None for none."""
        told = self.document.get("ignored_members")
        if not isinstance(told, dict) or not told.get("count"):
            return None
        names = told.get("names")
        plain = [printable_line(name) or "" for name in names] if isinstance(names, list) else []
        return f"{printable_line(str(told['count']))} ({', '.join(plain)})"


def parse_dry_run(
    response: httpx.Response, client_id: ClientId | None = None, *, request_id: str
) -> DryRun:
    """Return the report in an answer; `client_id` is the client whose update was asked about.

    Raises `RegistrationRefusedError` and `UnreadableAnswerError`, and `DryRunIgnoredError` where
    the bank does not know dry runs and did what was asked.
    """
    if response.headers.get("preference-applied", "").replace(" ", "") != PREFER:
        if client_id is None:
            registration = parse_registration(response, request_id=request_id)
        else:
            registration = parse_update(response, client_id, request_id=request_id)
        raise DryRunIgnoredError(registration, request_id=request_id)
    document = parse_document(response, (200,), request_id)
    accepted = document.get("accepted")
    if not isinstance(accepted, bool):
        raise UnreadableAnswerError("bank_answer_unreadable", request_id=request_id)
    return DryRun(accepted, findings_of(document), document, request_id)
