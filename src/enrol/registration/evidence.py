"""What each decision rested on, so that it can be judged again years later.

What was verified is kept as it was; of what was not, only digests. Secrets are never kept.
"""

import hashlib
from datetime import datetime
from typing import Any, Final

import msgspec
from msgspec import UNSET, UnsetType

from enrol.eidas.organization import OrganizationIdentifier
from enrol.eidas.validate import QualifiedCertificate
from enrol.errors import ClientMetadataError, RefusalError
from enrol.explanations import explain
from enrol.oauth.tokens import AccessToken
from enrol.oauth.types import ClientId, RequestId
from enrol.registration.audit import AuditEvent, Blob, EventType
from enrol.registration.kept import keep_certificate, keep_policy
from enrol.registration.kept_request import SECRET_FIELDS, field_names, write_request
from enrol.registration.record import ClientRecord
from enrol.registration.request import Seal, UnverifiedRequest, VerifiedRequest
from enrol.registration.states import Standing, is_due

LONGEST_REFUSED_BODY: Final = 8 * 1024
"""Octets of a refused request's body that are kept; of a longer one the digest is."""

BODY: Final = "body"
"""The name of the body among what is withheld."""

SECRET_MEMBERS: Final = frozenset({"client_secret", "registration_access_token"})
"""Members of a body that make it one of which the digest is kept."""

VERDICTS: Final = ("qwac_verdict", "qsealc_verdict")
"""The members of evidence that name a `KeptVerdict`."""

_encode: Final = msgspec.json.Encoder().encode


class Evidence(msgspec.Struct, frozen=True):
    """The members of `AuditEvent.evidence`; digests are hexadecimal SHA-256.

    `qwac` and `qsealc` are the certificates, ``…_verdict`` the `KeptVerdict` on each,
    `signature_policy` the `KeptPolicy`: all blobs. `withheld` are the parts of the request that
    are not kept. `codes` are the rules a refusal names. `peer_certificate`, `body` and `signature`
    are digests of what was not verified. `token` is the digest a token is stored under,
    `expires_at` its end in seconds since 1970. `register_doubt` is the code of what the register of
    payment institutions says against the PSP, where it is not enforced. `certificates` are digests
    of those a client was stored with that got another state, `restored_by` what ends a suspension
    of the re-check, `state` the state a client is in then, where it is not active. `actor` is who
    of the bank ordered it, `reason` why, and `effective_at` when it counts, in seconds since 1970.
    `event` is the number of one that nobody is told of. `statement_key` is the key that a software
    statement was verified with, a blob that is a JWK.
    """

    version: int | UnsetType = UNSET
    ledger_key: str | UnsetType = UNSET
    qwac: str | UnsetType = UNSET
    qwac_verdict: str | UnsetType = UNSET
    qsealc: str | UnsetType = UNSET
    qsealc_verdict: str | UnsetType = UNSET
    signature_mode: str | UnsetType = UNSET
    signature_warnings: tuple[str, ...] | UnsetType = UNSET
    signature_policy: str | UnsetType = UNSET
    withheld: tuple[str, ...] | UnsetType = UNSET
    codes: tuple[str, ...] | UnsetType = UNSET
    peer_certificate: str | UnsetType = UNSET
    body: str | UnsetType = UNSET
    signature: str | UnsetType = UNSET
    token: str | UnsetType = UNSET
    scope: str | UnsetType = UNSET
    expires_at: int | UnsetType = UNSET
    register_doubt: str | UnsetType = UNSET
    certificates: tuple[str, ...] | UnsetType = UNSET
    restored_by: str | UnsetType = UNSET
    state: str | UnsetType = UNSET
    actor: str | UnsetType = UNSET
    reason: str | UnsetType = UNSET
    effective_at: int | UnsetType = UNSET
    statement_key: str | UnsetType = UNSET
    event: int | UnsetType = UNSET


class Ordered(msgspec.Struct, frozen=True):
    """Who of the bank ordered something, and why."""

    actor: str
    reason: str | None = None


def event_of_state(
    record: ClientRecord,
    after: Standing | None,
    event: EventType,
    *,
    at: datetime,
    request_id: RequestId | None = None,
    ordered: Ordered | None = None,
) -> AuditEvent:
    """Return the event of a client that gets another standing; `record` has the old one.

    Its code is that of the new standing, else of the one that ends.
    """
    told = after or record.standing
    code = told.code if told else None
    by_rule = event is EventType.CLIENT_SUSPENDED and ordered is None and code is not None
    evidence = Evidence(
        version=record.version,
        certificates=tuple([_hex(key.certificate) for key in record.keys]),
        restored_by=explain(code).remedy if by_rule and code else UNSET,
        **_told(after, at),
        actor=ordered.actor if ordered else UNSET,
        reason=(ordered.reason if ordered else None) or UNSET,
    )
    return AuditEvent(
        at=at,
        type=event,
        organization_identifier=record.organization_identifier,
        client_id=record.client_id,
        request_id=request_id,
        code=code,
        evidence=_encode(evidence).decode(),
    )


def event_of_drop(
    event: int,
    client_id: ClientId,
    organization_identifier: OrganizationIdentifier | None,
    *,
    actor: str,
    reason: str,
    at: datetime,
) -> AuditEvent:
    """Return the event of a message that a person of the bank dropped."""
    return AuditEvent(
        at=at,
        type=EventType.MESSAGE_DROPPED,
        organization_identifier=organization_identifier,
        client_id=client_id,
        evidence=_encode(Evidence(event=event, actor=actor, reason=reason)).decode(),
    )


def event_of_change(
    verified: VerifiedRequest,
    record: ClientRecord,
    event: EventType,
    *,
    register_doubt: str | None = None,
) -> AuditEvent:
    """Return the event of a change that a verified request made."""
    return _event(
        verified,
        event,
        client_id=record.client_id,
        version=record.version,
        register_doubt=register_doubt or UNSET,
        standing=None if event is EventType.CLIENT_DELETED else record.standing,
    )


def event_of_refusal(verified: VerifiedRequest, refusal: RefusalError) -> AuditEvent:
    """Return the event of a refusal after the request was verified."""
    findings = refusal.findings if isinstance(refusal, ClientMetadataError) else ()
    return _event(
        verified,
        EventType.REQUEST_REFUSED,
        client_id=verified.client_id,
        code=refusal.code,
        codes=tuple([finding.code for finding in findings]) or UNSET,
    )


def event_of_stranger(
    request: UnverifiedRequest, refusal: RefusalError, *, at: datetime
) -> AuditEvent:
    """Return the event of a refusal before the request was verified: digests, and no byte of it."""
    message = request.message
    signature = b"\n".join(message.values(b"signature-input") + message.values(b"signature"))
    evidence = Evidence(
        peer_certificate=_digest(request.peer_certificate),
        body=_digest(message.body),
        signature=_digest(signature),
    )
    return AuditEvent(
        at=at,
        type=EventType.REQUEST_REFUSED,
        request_id=request.request_id,
        client_id=request.client_id,
        code=refusal.code,
        evidence=_encode(evidence).decode(),
    )


def event_of_token(
    token: AccessToken,
    qwac: QualifiedCertificate,
    *,
    request_id: RequestId | None,
    at: datetime,
    register_doubt: str | None = None,
    event: EventType = EventType.TOKEN_ISSUED,
) -> AuditEvent:
    """Return the event of a token issued to, or revoked by, the holder of a certificate."""
    kept = keep_certificate(qwac)
    evidence = Evidence(
        qwac=kept.certificate,
        qwac_verdict=kept.verdict,
        token=token.token_hash.hex(),
        scope=" ".join(sorted(token.scope)),
        expires_at=int(token.expires_at.timestamp()),
        register_doubt=register_doubt or UNSET,
    )
    return AuditEvent(
        at=at,
        type=event,
        organization_identifier=qwac.organization_identifier,
        client_id=token.client_id,
        request_id=request_id,
        evidence=_encode(evidence).decode(),
        blobs=kept.blobs,
    )


def _event(
    verified: VerifiedRequest,
    event: EventType,
    *,
    client_id: ClientId | None,
    version: int | UnsetType = UNSET,
    code: str | None = None,
    codes: tuple[str, ...] | UnsetType = UNSET,
    register_doubt: str | UnsetType = UNSET,
    standing: Standing | None = None,
) -> AuditEvent:
    """Return the event of a decision on a verified request."""
    request, withheld = _kept_request(verified, is_refused=code is not None)
    qwac, (seal, seal_blobs) = keep_certificate(verified.qwac), _kept_seal(verified.seal)
    key = verified.statement.key if verified.statement is not None else None
    evidence = Evidence(
        version=version,
        ledger_key=verified.ledger_key.hex(),
        qwac=qwac.certificate,
        qwac_verdict=qwac.verdict,
        **seal,
        withheld=withheld or UNSET,
        codes=codes,
        register_doubt=register_doubt,
        statement_key=key.sha256.hex() if key is not None else UNSET,
        **_told(standing, verified.at),
    )
    blobs = (*qwac.blobs, *seal_blobs)
    return AuditEvent(
        at=verified.at,
        type=event,
        organization_identifier=verified.organization_identifier,
        client_id=client_id,
        request_id=verified.request_id,
        code=code,
        evidence=_encode(evidence).decode(),
        request=request,
        blobs=blobs if key is None else (*blobs, key),
    )


def _kept_seal(seal: Seal | None) -> tuple[dict[str, Any], tuple[Blob, ...]]:
    """Return the members of evidence that say what a signature was, and their blobs."""
    if seal is None:
        return {}, ()
    qsealc, policy = keep_certificate(seal.qsealc), keep_policy(seal.policy)
    members = {
        "qsealc": qsealc.certificate,
        "qsealc_verdict": qsealc.verdict,
        "signature_mode": seal.signature.mode,
        "signature_warnings": seal.signature.warnings,
        "signature_policy": policy.sha256.hex(),
    }
    return members, (*qsealc.blobs, policy)


def _told(standing: Standing | None, at: datetime) -> dict[str, Any]:
    """Return the members of evidence that say how a client stands which is not active."""
    if standing is None or is_due(standing, at):
        return {}
    effective_at = standing.effective_at
    return {
        "state": standing.state.value,
        "effective_at": UNSET if effective_at is None else int(effective_at.timestamp()),
    }


def _kept_request(verified: VerifiedRequest, *, is_refused: bool) -> tuple[bytes, tuple[str, ...]]:
    """Return the request as it is kept, and the names of the parts that are not."""
    message, seal = verified.message, verified.seal
    covered = seal.signature.covered if seal is not None else ()
    withheld = _secret_fields(covered)
    document = verified.body.document if verified.body is not None else {}
    is_long = is_refused and len(message.body) > LONGEST_REFUSED_BODY
    if is_long or not SECRET_MEMBERS.isdisjoint(document):
        return write_request(message, covered, body=b""), (*withheld, BODY)
    return write_request(message, covered), withheld


def _secret_fields(covered: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names of secret fields that are signed, without which nothing can be verified."""
    signed = field_names(covered) & SECRET_FIELDS
    return tuple(sorted([name.decode() for name in signed])) if signed else ()


def _digest(octets: bytes | None) -> str | UnsetType:
    return _hex(octets) if octets else UNSET


def _hex(octets: bytes) -> str:
    return hashlib.sha256(octets).hexdigest()
