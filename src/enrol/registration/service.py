"""The registration desk: register, read, update and delete clients (RFC 7591 §3, RFC 7592 §2)."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

import msgspec

from enrol.eidas.validate import check_same_organization
from enrol.errors import (
    AuthenticationError,
    ClientMetadataError,
    EntitlementError,
    Finding,
    NotOfferedError,
    RefusalError,
    UnavailableError,
)
from enrol.oauth import jwk
from enrol.oauth.jwk import JsonWebKey
from enrol.oauth.metadata import ClientMetadata
from enrol.oauth.mtls import x5t_s256
from enrol.oauth.types import ClientId
from enrol.registration.audit import AuditEvent, EventType
from enrol.registration.authenticate import (
    Authenticator,
    Body,
    RepeatedRequest,
    UnverifiedRequest,
    VerifiedRequest,
)
from enrol.registration.dialect import STET, Dialect
from enrol.registration.keys import NamedCertificate
from enrol.registration.policy import Applicant, decide
from enrol.registration.ports import (
    AuditTrail,
    Change,
    ClientStore,
    Clock,
    Creation,
    LedgerEntry,
    Removal,
    Replacement,
)
from enrol.registration.ratelimit import RateLimiter
from enrol.registration.record import ClientRecord, RegisteredKey

_CLIENT_ID_RANDOM = 10


class Operation(StrEnum):
    """What the desk can do, and an operator can switch off."""

    REGISTER = "register"
    READ = "read"
    UPDATE = "update"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class DeskSettings:
    """Which operations are offered, in which dialect, to how many clients an organisation."""

    dialect: Dialect = STET
    offered: frozenset[Operation] = field(default_factory=lambda: frozenset(Operation))
    quota: int | None = 100


class RegistrationDesk:
    """Carries out what believed requests ask, once, and writes down what it did."""

    def __init__(
        self,
        *,
        authenticator: Authenticator,
        clients: ClientStore,
        audit: AuditTrail,
        clock: Clock,
        random: Callable[[int], bytes],
        settings: DeskSettings,
        registrations: RateLimiter,
    ) -> None:
        self._authenticator = authenticator
        self._clients = clients
        self._audit = audit
        self._clock = clock
        self._random = random
        self._settings = settings
        self._registrations = registrations

    async def register(self, request: UnverifiedRequest) -> ClientRecord:
        """Register a client and return its record; the same bytes again return the same."""
        verified = await self._believe(request, Operation.REGISTER)
        if isinstance(verified, RepeatedRequest):
            return await self._answered_before(verified.entry)
        self._registrations.take(verified.organization_identifier, verified.at)
        client_id = self._new_client_id(verified.at)
        metadata, keys = self._grant(verified, client_id, replaces=None)
        at = verified.at.replace(microsecond=0)
        record = ClientRecord(
            client_id=client_id,
            organization_identifier=verified.organization_identifier,
            metadata=metadata,
            keys=keys,
            issued_at=at,
            updated_at=at,
            version=1,
        )
        write = Creation(record, self._settings.quota)
        return await self._commit(verified, write, record, EventType.CLIENT_REGISTERED)

    async def read(self, request: UnverifiedRequest) -> ClientRecord:
        """Return the record of the addressed client."""
        verified = await self._believe(request, Operation.READ)
        if isinstance(verified, RepeatedRequest):
            return await self._answered_before(verified.entry)
        return await self._own_client(verified)

    async def update(self, request: UnverifiedRequest) -> ClientRecord:
        """Replace the metadata of the addressed client and return the new record."""
        verified = await self._believe(request, Operation.UPDATE)
        if isinstance(verified, RepeatedRequest):
            return await self._answered_before(verified.entry)
        current = await self._own_client(verified)
        metadata, keys = self._grant(verified, current.client_id, replaces=current)
        record = ClientRecord(
            client_id=current.client_id,
            organization_identifier=current.organization_identifier,
            metadata=metadata,
            keys=keys,
            issued_at=current.issued_at,
            updated_at=verified.at.replace(microsecond=0),
            version=current.version + 1,
        )
        return await self._commit(verified, Replacement(record), record, EventType.CLIENT_UPDATED)

    async def delete(self, request: UnverifiedRequest) -> None:
        """Delete the addressed client."""
        verified = await self._believe(request, Operation.DELETE)
        if isinstance(verified, RepeatedRequest):
            return
        current = await self._own_client(verified)
        write = Removal(current.client_id, current.version)
        await self._commit(verified, write, current, EventType.CLIENT_DELETED)

    async def _believe(
        self, request: UnverifiedRequest, operation: Operation
    ) -> VerifiedRequest | RepeatedRequest:
        if operation not in self._settings.offered:
            raise NotOfferedError("operation_off")
        try:
            return await self._authenticator.authenticate(request)
        except (AuthenticationError, EntitlementError) as exc:
            self._note_refusal(request, exc)
            raise

    def _note_refusal(self, request: UnverifiedRequest, refusal: RefusalError) -> None:
        """Write down a refusal; a peer that showed no certificate is a stranger."""
        if request.peer_certificate is None:
            return
        self._audit.note(
            AuditEvent(
                at=self._clock(),
                type=EventType.REQUEST_REFUSED,
                request_id=request.request_id,
                client_id=request.client_id,
                code=refusal.code,
            )
        )

    async def _own_client(self, verified: VerifiedRequest) -> ClientRecord:
        """Return the addressed client; unknown and foreign ones are refused alike."""
        record = await self._clients.find(verified.client_id) if verified.client_id else None
        if record is None or record.organization_identifier != verified.organization_identifier:
            raise EntitlementError("client_not_yours")
        return record

    def _grant(
        self, verified: VerifiedRequest, client_id: ClientId, *, replaces: ClientRecord | None
    ) -> tuple[ClientMetadata, tuple[RegisteredKey, ...]]:
        body = verified.body or Body({}, ClientMetadata())
        applicant = Applicant(
            organization_identifier=verified.organization_identifier,
            psp_roles=verified.qwac.psp_roles & verified.qsealc.psp_roles,
            client_id=replaces.client_id if replaces else None,
        )
        metadata = decide(
            body.document, body.metadata, applicant=applicant, dialect=self._settings.dialect
        )
        return metadata, self._registered_keys(verified, client_id, metadata)

    def _registered_keys(
        self, verified: VerifiedRequest, client_id: ClientId, metadata: ClientMetadata
    ) -> tuple[RegisteredKey, ...]:
        """Return the keys the client may sign with: those of its jwks, else the one fetched."""
        signing = verified.signed_with
        named = [(jwk.certificates(key)[0], key.kid) for key in _keys(metadata)]
        if not named and signing.url is not None:
            named = [(signing.der, None)]
        if not named:
            raise ClientMetadataError(Finding("member_missing", "jwks"))
        return tuple(
            self._registered_key(verified, client_id, der=der, kid=kid) for der, kid in named
        )

    def _registered_key(
        self, verified: VerifiedRequest, client_id: ClientId, *, der: bytes, kid: str | None
    ) -> RegisteredKey:
        """Return one key, whose certificate is a QSealC of the same organisation."""
        signing = verified.signed_with
        if der == signing.der:
            qsealc, url = verified.qsealc, signing.url
        else:
            qsealc, url = (
                self._authenticator.judge_seal(NamedCertificate(der), at=verified.at),
                None,
            )
            check_same_organization(verified.qwac, qsealc)
        return RegisteredKey(
            client_id=client_id,
            organization_identifier=verified.organization_identifier,
            x5t_s256=x5t_s256(qsealc.certificate.sha256),
            certificate=der,
            kid=kid,
            url=url,
        )

    async def _commit(
        self,
        verified: VerifiedRequest,
        write: Creation | Replacement | Removal,
        record: ClientRecord,
        event: EventType,
    ) -> ClientRecord:
        """Make the change durable; where the same bytes came first elsewhere, give that answer."""
        entry = LedgerEntry(
            key=verified.ledger_key,
            signature=verified.signature_digest,
            organization_identifier=verified.organization_identifier,
            request_id=verified.request_id,
            client_id=record.client_id,
            version=record.version,
            at=verified.at,
        )
        audit = AuditEvent(
            at=verified.at,
            type=event,
            organization_identifier=verified.organization_identifier,
            client_id=record.client_id,
            request_id=verified.request_id,
            evidence=_evidence(verified, record),
        )
        standing = await self._clients.commit(Change(write, entry, audit))
        if standing == entry:
            return record
        return await self._answered_before(standing)

    async def _answered_before(self, entry: LedgerEntry) -> ClientRecord:
        record = await self._clients.find_version(entry.client_id, entry.version)
        if record is None:
            raise UnavailableError("storage_unavailable")
        return record

    def _new_client_id(self, at: datetime) -> ClientId:
        """Return 48 bits of time, for the index, and 80 random bits, against guessing."""
        milliseconds = int(at.timestamp() * 1000)
        return ClientId(f"{milliseconds:012x}{self._random(_CLIENT_ID_RANDOM).hex()}")


def _keys(metadata: ClientMetadata) -> tuple[JsonWebKey, ...]:
    return metadata.jwks.keys if metadata.jwks is not None else ()


def _evidence(verified: VerifiedRequest, record: ClientRecord) -> str:
    """Return what the decision rested on: certificates, signature, digests, as JSON."""
    evidence = {
        "version": record.version,
        "qwac": verified.qwac.certificate.sha256.hex(),
        "qsealc": verified.qsealc.certificate.sha256.hex(),
        "signature_mode": verified.signature.mode,
        "signature_warnings": verified.signature.warnings,
        "ledger_key": verified.ledger_key.hex(),
    }
    return msgspec.json.encode(evidence).decode()
