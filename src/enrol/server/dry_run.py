"""Dry runs on the wire: how one is asked for (RFC 7240), and the report on it."""

from datetime import datetime
from typing import Final

import msgspec

from enrol.explanations import explain
from enrol.oauth.metadata import ClientMetadata
from enrol.registration.dry_run import DryRun
from enrol.registration.shown_state import shown_state
from enrol.server.answer import Answer, Fields, answer
from enrol.server.call import Call
from enrol.server.problems import ProblemFinding, wire_findings

_HANDLING: Final = b"handling"
_VALIDATE_ONLY: Final = b"validate-only"
_APPLIED: Final[Fields] = ((b"preference-applied", b"handling=validate-only"),)


class SubstitutionReport(msgspec.Struct, frozen=True, kw_only=True):
    """A member that would not be registered as it was sent, and why."""

    member: str
    code: str
    meaning: str
    error_uri: str


class IgnoredReport(msgspec.Struct, frozen=True, kw_only=True):
    """Members that nobody here knows; only plain names are told."""

    count: int
    names: tuple[str, ...]


class DryRunReport(msgspec.Struct, frozen=True, kw_only=True):
    """What would come of a registration or an update; nothing was stored.

    `metadata` are those that would be granted, in the standard's form. `client_id` is the client
    that stands already and would be answered instead of a new one. `client_state` is the state the
    client would be in, where it would not be active.
    """

    accepted: bool
    findings: tuple[ProblemFinding, ...]
    substitutions: tuple[SubstitutionReport, ...]
    ignored_members: IgnoredReport
    metadata: ClientMetadata | msgspec.UnsetType = msgspec.UNSET
    client_id: str | msgspec.UnsetType = msgspec.UNSET
    client_state: str | msgspec.UnsetType = msgspec.UNSET
    client_state_reason: str | msgspec.UnsetType = msgspec.UNSET
    client_active_from: int | msgspec.UnsetType = msgspec.UNSET


def wants_dry_run(call: Call) -> bool:
    """Tell whether the first ``handling`` among the preferences is ``validate-only``."""
    preferences = call.values(b"prefer")
    if not preferences:
        return False
    for preference in b",".join(preferences).split(b","):
        name, _, value = preference.partition(b";")[0].partition(b"=")
        if name.strip(b" \t").lower() == _HANDLING:
            return value.strip(b' \t"').lower() == _VALIDATE_ONLY
    return False


def answer_dry_run(dry_run: DryRun, call: Call, *, error_base: str, at: datetime) -> Answer:
    """Return the answer to a dry run: 200, whatever came of it."""
    report = DryRunReport(
        accepted=dry_run.accepted,
        findings=wire_findings(dry_run.findings, error_base),
        substitutions=tuple(
            [
                SubstitutionReport(
                    member=each.member,
                    code=each.code,
                    meaning=explain(each.code).meaning,
                    error_uri=error_base + each.code,
                )
                for each in dry_run.substitutions
            ]
        ),
        ignored_members=IgnoredReport(count=dry_run.ignored.count, names=dry_run.ignored.names),
        metadata=dry_run.metadata or msgspec.UNSET,
        client_id=dry_run.standing or msgspec.UNSET,
        **shown_state(dry_run.becomes, at=at),
    )
    body = msgspec.json.encode(report)
    return answer(200, body, request_id=call.request_id, fields=_APPLIED)
