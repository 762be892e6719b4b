"""The registration desk: register, read, update and delete clients (RFC 7591 §3, RFC 7592 §2)."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import msgspec

from enrol.errors import (
    AuthenticationError,
    ClaimedCertificateError,
    ClientMetadataError,
    EntitlementError,
    NotOfferedError,
    RefusalError,
    UnavailableError,
)
from enrol.oauth.metadata import ClientMetadata
from enrol.oauth.types import ClientId
from enrol.registration.audit import EventType
from enrol.registration.authenticate import (
    Authenticator,
    Body,
    RepeatedRequest,
    UnverifiedRequest,
    VerifiedRequest,
)
from enrol.registration.certificates import CertificateJudge
from enrol.registration.client_id import new_client_id
from enrol.registration.dialect import Dialect, Operation
from enrol.registration.entitlement import Entitlement, Licence
from enrol.registration.evidence import event_of_change, event_of_refusal, event_of_stranger
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


@dataclass(frozen=True, slots=True)
class DeskSettings:
    """Which operations are offered, in which dialect, to how many clients an organisation."""

    dialect: Dialect
    offered: frozenset[Operation] = frozenset(Operation)
    quota: int | None = 100


class RegistrationDesk:
    """Carries out what believed requests ask, once, and writes down what it did."""

    def __init__(
        self,
        *,
        authenticator: Authenticator,
        judge: CertificateJudge,
        entitlement: Entitlement,
        clients: ClientStore,
        audit: AuditTrail,
        clock: Clock,
        random: Callable[[int], bytes],
        settings: DeskSettings,
        registrations: RateLimiter,
    ) -> None:
        self._authenticator = authenticator
        self._judge = judge
        self._entitlement = entitlement
        self._clients = clients
        self._audit = audit
        self._clock = clock
        self._random = random
        self._settings = settings
        self._registrations = registrations

    async def register(self, request: UnverifiedRequest) -> ClientRecord:
        """Register a client and return its record; the same bytes again return the same."""
        return await self._carry_out(Operation.REGISTER, request, self._register)

    async def read(self, request: UnverifiedRequest) -> ClientRecord:
        """Return the record of the addressed client."""
        return await self._carry_out(Operation.READ, request, self._own_client)

    async def update(self, request: UnverifiedRequest) -> ClientRecord:
        """Replace the metadata of the addressed client and return the new record."""
        return await self._carry_out(Operation.UPDATE, request, self._update)

    async def delete(self, request: UnverifiedRequest) -> None:
        """Delete the addressed client."""
        await self._carry_out(Operation.DELETE, request, self._delete)

    async def _carry_out(
        self,
        operation: Operation,
        request: UnverifiedRequest,
        act: Callable[[VerifiedRequest], Awaitable[ClientRecord]],
    ) -> ClientRecord:
        """Believe a request and do what it asks; write down whom the desk turned away.

        What would be refused may be bytes that were answered before: they get that answer.
        """
        if operation not in self._settings.offered:
            raise NotOfferedError("operation_off")
        verified: VerifiedRequest | RepeatedRequest | None = None
        try:
            verified = await self._authenticator.authenticate(request)
            if isinstance(verified, RepeatedRequest):
                return await self._answered_before(verified.entry)
            return await act(verified)
        except RefusalError as refusal:
            if isinstance(verified, VerifiedRequest):
                entry = await self._clients.find_entry(verified.ledger_key)
                if entry is not None:
                    return await self._answered_before(entry)
                self._note_refusal(verified, refusal)
            else:
                self._note_stranger(request, refusal)
            raise

    def _note_refusal(self, verified: VerifiedRequest, refusal: RefusalError) -> None:
        if isinstance(refusal, AuthenticationError | ClientMetadataError | EntitlementError):
            self._audit.note(event_of_refusal(verified, refusal))

    def _note_stranger(self, request: UnverifiedRequest, refusal: RefusalError) -> None:
        """Write down whom nothing is believed of, unless it did not even show a certificate."""
        if request.peer_certificate is not None and isinstance(
            refusal, AuthenticationError | ClaimedCertificateError | EntitlementError
        ):
            self._audit.note(event_of_stranger(request, refusal, at=self._clock()))

    async def _register(self, verified: VerifiedRequest) -> ClientRecord:
        self._registrations.take(verified.organization_identifier, verified.at)
        licence = self._licence(verified)
        record = await self._new_record(verified, licence)
        write = Creation(record, self._settings.quota)
        return await self._commit(
            verified, write, record, EventType.CLIENT_REGISTERED, register_doubt=licence.doubt
        )

    async def _update(self, verified: VerifiedRequest) -> ClientRecord:
        current = await self._own_client(verified)
        licence = self._licence(verified)
        record = await self._next_record(verified, current, licence)
        write = Replacement(record)
        return await self._commit(
            verified, write, record, EventType.CLIENT_UPDATED, register_doubt=licence.doubt
        )

    async def _delete(self, verified: VerifiedRequest) -> ClientRecord:
        current = await self._own_client(verified)
        write = Removal(current.client_id, current.version)
        return await self._commit(verified, write, current, EventType.CLIENT_DELETED)

    async def _own_client(self, verified: VerifiedRequest) -> ClientRecord:
        """Return the addressed client; unknown and foreign ones are refused alike."""
        record = await self._clients.find(verified.client_id) if verified.client_id else None
        if record is None or record.organization_identifier != verified.organization_identifier:
            raise EntitlementError("client_not_yours")
        return record

    def _licence(self, verified: VerifiedRequest) -> Licence:
        return self._entitlement.judge(
            verified.organization_identifier, verified.psp_roles, at=verified.at
        )

    async def _new_record(self, verified: VerifiedRequest, licence: Licence) -> ClientRecord:
        client_id = self._new_client_id(verified)
        metadata, keys = await self._grant(verified, licence, client_id, replaces=None)
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

    async def _next_record(
        self, verified: VerifiedRequest, current: ClientRecord, licence: Licence
    ) -> ClientRecord:
        metadata, keys = await self._grant(verified, licence, current.client_id, replaces=current)
        return msgspec.structs.replace(
            current,
            metadata=metadata,
            keys=keys,
            updated_at=verified.at.replace(microsecond=0),
            version=current.version + 1,
        )

    async def _grant(
        self,
        verified: VerifiedRequest,
        licence: Licence,
        client_id: ClientId,
        *,
        replaces: ClientRecord | None,
    ) -> tuple[ClientMetadata, tuple[RegisteredKey, ...]]:
        body = verified.body or Body({}, ClientMetadata())
        applicant = Applicant(
            organization_identifier=verified.organization_identifier,
            psp_roles=licence.roles,
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
        *,
        register_doubt: str | None = None,
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
        audit = event_of_change(verified, record, event, register_doubt=register_doubt)
        standing = await self._clients.commit(Change(write, entry, audit))
        if standing == entry:
            return record
        return await self._answered_before(standing)

    async def _answered_before(self, entry: LedgerEntry) -> ClientRecord:
        record = await self._clients.find_version(entry.client_id, entry.version)
        if record is None:
            raise UnavailableError("storage_unavailable")
        return record

    def _new_client_id(self, verified: VerifiedRequest) -> ClientId:
        agent = verified.body.metadata.client_legal_id if verified.body else None
        return new_client_id(
            self._settings.dialect.client_id.form,
            legal_id=agent or verified.organization_identifier,
            at=verified.at,
            random=self._random,
        )
