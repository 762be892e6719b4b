"""What a registration or an update would come to, found out without storing anything.

Asked for with ``Prefer: handling=validate-only`` (RFC 7240). Who is not believed is refused as
ever; all that is judged after that is collected.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Final

import msgspec

from enrol.eidas.qcstatements import PspRole
from enrol.errors import (
    AuthenticationError,
    ClientMetadataError,
    EntitlementError,
    Finding,
)
from enrol.oauth.metadata import MEMBERS, ClientMetadata
from enrol.oauth.strict_json import JsonObject, parse_json_object
from enrol.oauth.types import ClientId
from enrol.registration.agents import AgentScope
from enrol.registration.dialect import MetadataRules
from enrol.registration.granting import Granting, applicant_of, body_of, draft_record
from enrol.registration.policy import granted_scope
from enrol.registration.ports import ClientStore, Creation, Replacement
from enrol.registration.record import ClientRecord, RegisteredKey
from enrol.registration.request import VerifiedRequest
from enrol.registration.software import OnDuplicate
from enrol.registration.states import Standing

_PRINTED: Final = re.compile(r"[A-Za-z0-9_]{1,64}")
_LOOKED_AT: Final = frozenset(
    {"client_id", "client_secret", "tls_client_certificate_bound_access_tokens"}
)


class Substitution(msgspec.Struct, frozen=True):
    """A member that would not be registered as it was sent, and the code of the reason."""

    member: str
    code: str


class IgnoredMembers(msgspec.Struct, frozen=True):
    """How many members nobody here knows; `names` are those of letters, digits and underscores."""

    count: int = 0
    names: tuple[str, ...] = ()


class DryRun(msgspec.Struct, frozen=True):
    """What would come of a request.

    `metadata` are those that would be granted, None where `findings` speak against them.
    `standing` is the client that would be answered instead of a new one, `becomes` how the client
    would stand, None for one that would be active.
    """

    findings: tuple[Finding, ...] = ()
    metadata: ClientMetadata | None = None
    substitutions: tuple[Substitution, ...] = ()
    ignored: IgnoredMembers = IgnoredMembers()
    standing: ClientId | None = None
    becomes: Standing | None = None

    @property
    def accepted(self) -> bool:
        """Whether the request would be carried out, as things stand now."""
        return not self.findings


@dataclass(frozen=True, slots=True)
class _Noting:
    """Notes what is refused within a ``with`` block, about `member` where the refusal names none.

    What cannot be decided now passes, and so does every defect.
    """

    findings: list[Finding]
    member: str | None = None

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        match error:
            case ClientMetadataError():
                self.findings.extend(error.findings)
            case EntitlementError() | AuthenticationError():
                self.findings.append(Finding(error.code, self.member))
            case _:
                return False
        return True


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """Judges requests as `Granting` does, and goes on after what it refuses."""

    granting: Granting
    clients: ClientStore
    quota: int | None
    on_duplicate: OnDuplicate

    async def run(self, verified: VerifiedRequest, *, replaces: ClientRecord | None) -> DryRun:
        """Return what would come of a request; `replaces` is the client that it updates.

        Raises `UnavailableError` where something cannot be decided now.
        """
        findings: list[Finding] = []
        if self.granting.statements is not None:
            with _Noting(findings):
                verified = await self.granting.statements.apply(verified, replaces=replaces)
        body = body_of(verified)
        roles, granted = verified.psp_roles, None
        with _Noting(findings):
            roles = self.granting.licence(verified).roles
        with _Noting(findings, "scope"):
            granted = self.granting.metadata(verified, roles, replaces=replaces)
        if granted is None and not _name(findings, "scope"):
            self._check_scope(verified, roles, findings)
        asked = granted or body.metadata
        keys: tuple[RegisteredKey, ...] = ()
        client_id = replaces.client_id if replaces else self.granting.new_client_id(verified)
        if not _name(findings, "jwks"):
            with _Noting(findings, "jwks"):
                keys = await self.granting.keys(verified, asked, client_id=client_id)
        standing, record = None, draft_record(verified, asked, keys, client_id=client_id)
        if replaces is not None:
            record = msgspec.structs.replace(replaces, metadata=asked, keys=keys)
        write = self._write(verified, record, granted, is_update=replaces is not None)
        with _Noting(findings):
            standing = await self.clients.foresee(write, at=verified.at)
        accepted = granted if not findings else None
        rules = self.granting.dialect.metadata
        return DryRun(
            findings=tuple(findings),
            metadata=accepted,
            substitutions=_substitutions(verified, accepted) if accepted else (),
            ignored=_ignored(body.document, rules),
            standing=standing,
        )

    def _write(
        self,
        verified: VerifiedRequest,
        record: ClientRecord,
        granted: ClientMetadata | None,
        *,
        is_update: bool,
    ) -> Creation | Replacement:
        """Return what the register would be asked to write; a scope not granted may be none."""
        agents = self.granting.dialect.agents.scope if granted else AgentScope.ROLES
        statement = verified.statement.use if verified.statement else None
        if is_update:
            return Replacement(record, agents=agents, statement=statement)
        return Creation(record, self.quota, self.on_duplicate, agents=agents, statement=statement)

    def _check_scope(
        self, verified: VerifiedRequest, roles: frozenset[PspRole], findings: list[Finding]
    ) -> None:
        """Judge the scope where other members kept it from being judged."""
        applicant = applicant_of(verified, roles, replaces=None)
        scope = body_of(verified).metadata.scope
        with _Noting(findings, "scope"):
            granted_scope(scope, applicant, self.granting.dialect)


def _name(findings: Sequence[Finding], member: str) -> bool:
    """Tell whether a rule about `member` is among those broken."""
    return any(finding.member == member for finding in findings)


def _substitutions(verified: VerifiedRequest, granted: ClientMetadata) -> tuple[Substitution, ...]:
    """Compare what was sent, member by member, with what would be registered."""
    sent = parse_json_object(verified.message.body)
    stored = msgspec.json.decode(msgspec.json.encode(granted))
    stated = verified.statement.members if verified.statement else frozenset[str]()
    pairs = ((name, sent.get(name), stored.get(name)) for name in MEMBERS)
    return tuple(
        [
            Substitution(name, "member_stated" if name in stated else _reason(before, after))
            for name, before, after in pairs
            if before != after
        ]
    )


def _reason(before: object, after: object) -> str:
    if before is None:
        return "member_defaulted"
    return "member_not_kept" if after is None else "member_rewritten"


def _ignored(document: JsonObject, rules: MetadataRules) -> IgnoredMembers:
    """Return the members that neither the contract nor the dialect knows."""
    unknown = document.keys() - {
        *MEMBERS,
        *_LOOKED_AT,
        *rules.constants,
        *rules.update_constants,
        *rules.refused,
    }
    names = sorted(name for name in unknown if _PRINTED.fullmatch(name))
    return IgnoredMembers(len(unknown), tuple(names))
