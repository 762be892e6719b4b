"""The registration desk: register, read, update and delete clients (RFC 7591 §3, RFC 7592 §2)."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

import msgspec

from enrol.errors import (
    AuthenticationError,
    EntitlementError,
    NotOfferedError,
    RefusalError,
    UnavailableError,
)
from enrol.oauth.metadata import ClientMetadata
from enrol.oauth.types import ClientId
from enrol.registration.audit import AuditEvent, EventType
from enrol.registration.authenticate import (
    Authenticator,
    Body,
    RepeatedRequest,
    UnverifiedRequest,
    VerifiedRequest,
)
from enrol.registration.certificates import CertificateJudge
from enrol.registration.dialect import STET, Dialect
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
from enrol.registration.signers import registered_keys

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
        judge: CertificateJudge,
        clients: ClientStore,
        audit: AuditTrail,
        clock: Clock,
        random: Callable[[int], bytes],
        settings: DeskSettings,
        registrations: RateLimiter,
    ) -> None:
        self._authenticator = authenticator
        self._judge = judge
        self._clients = clients
        self._audit = audit
        self._clock = clock
        self._random = random
        self._settings = settings
        self._registrations = registrations

    async def register(self, request: UnverifiedRequest) -> ClientRecord:
        """Register a client and return its record; the same bytes again return the same."""
        with self._open(Operation.REGISTER, request):
            verified = await self._authenticator.authenticate(request)
            if isinstance(verified, RepeatedRequest):
                return await self._answered_before(verified.entry)
            self._registrations.take(verified.organization_identifier, verified.at)
            record = await self._new_record(verified)
            write = Creation(record, self._settings.quota)
            return await self._commit(verified, write, record, EventType.CLIENT_REGISTERED)

    async def read(self, request: UnverifiedRequest) -> ClientRecord:
        """Return the record of the addressed client."""
        with self._open(Operation.READ, request):
            verified = await self._authenticator.authenticate(request)
            if isinstance(verified, RepeatedRequest):
                return await self._answered_before(verified.entry)
            return await self._own_client(verified)

    async def update(self, request: UnverifiedRequest) -> ClientRecord:
        """Replace the metadata of the addressed client and return the new record."""
        with self._open(Operation.UPDATE, request):
            verified = await self._authenticator.authenticate(request)
            if isinstance(verified, RepeatedRequest):
                return await self._answered_before(verified.entry)
            current = await self._own_client(verified)
            record = await self._next_record(verified, current)
            write = Replacement(record)
            return await self._commit(verified, write, record, EventType.CLIENT_UPDATED)

    async def delete(self, request: UnverifiedRequest) -> None:
        """Delete the addressed client."""
        with self._open(Operation.DELETE, request):
            verified = await self._authenticator.authenticate(request)
            if isinstance(verified, RepeatedRequest):
                return
            current = await self._own_client(verified)
            write = Removal(current.client_id, current.version)
            await self._commit(verified, write, current, EventType.CLIENT_DELETED)

    @contextmanager
    def _open(self, operation: Operation, request: UnverifiedRequest) -> Iterator[None]:
        """Refuse what is switched off, and write down whom the desk turned away.

        A peer that showed no certificate is a stranger, and not written down.
        """
        if operation not in self._settings.offered:
            raise NotOfferedError("operation_off")
        try:
            yield
        except (AuthenticationError, EntitlementError) as exc:
            if request.peer_certificate is not None:
                self._audit.note(self._refusal(request, request.peer_certificate, exc))
            raise

    def _refusal(
        self, request: UnverifiedRequest, peer_certificate: bytes, refusal: RefusalError
    ) -> AuditEvent:
        evidence = {"peer_certificate": hashlib.sha256(peer_certificate).hexdigest()}
        return AuditEvent(
            at=self._clock(),
            type=EventType.REQUEST_REFUSED,
            request_id=request.request_id,
            client_id=request.client_id,
            code=refusal.code,
            evidence=msgspec.json.encode(evidence).decode(),
        )

    async def _own_client(self, verified: VerifiedRequest) -> ClientRecord:
        """Return the addressed client; unknown and foreign ones are refused alike."""
        record = await self._clients.find(verified.client_id) if verified.client_id else None
        if record is None or record.organization_identifier != verified.organization_identifier:
            raise EntitlementError("client_not_yours")
        return record

    async def _new_record(self, verified: VerifiedRequest) -> ClientRecord:
        client_id = self._new_client_id(verified.at)
        metadata, keys = await self._grant(verified, client_id, replaces=None)
        at = verified.at.replace(microsecond=0)
        return ClientRecord(
            client_id=client_id,
            organization_identifier=verified.organization_identifier,
            metadata=metadata,
            keys=keys,
            issued_at=at,
            updated_at=at,
            version=1,
        )

    async def _next_record(self, verified: VerifiedRequest, current: ClientRecord) -> ClientRecord:
        metadata, keys = await self._grant(verified, current.client_id, replaces=current)
        return msgspec.structs.replace(
            current,
            metadata=metadata,
            keys=keys,
            updated_at=verified.at.replace(microsecond=0),
            version=current.version + 1,
        )

    async def _grant(
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
        keys = await registered_keys(verified, metadata, client_id=client_id, judge=self._judge)
        return metadata, keys

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
