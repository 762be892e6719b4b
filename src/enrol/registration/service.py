"""The registration desk: register, read, update and delete clients (RFC 7591 §3, RFC 7592 §2)."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final, TypeVar

from msgspec import structs

from enrol.errors import (
    AuthenticationError,
    ClaimedCertificateError,
    ClientMetadataError,
    EntitlementError,
    RefusalError,
    UnavailableError,
)
from enrol.oauth.types import ClientId
from enrol.registration.approval import check_changeable, transition_of
from enrol.registration.audit import AuditEvent, EventType
from enrol.registration.authenticate import Authenticator
from enrol.registration.desk_settings import DeskSettings
from enrol.registration.dialect import Operation
from enrol.registration.dry_run import DryRun, Rehearsal
from enrol.registration.etag import check_if_match
from enrol.registration.evidence import (
    event_of_change,
    event_of_refusal,
    event_of_state,
    event_of_stranger,
)
from enrol.registration.granting import Granting
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
from enrol.registration.record import ClientRecord
from enrol.registration.request import RepeatedRequest, UnverifiedRequest, VerifiedRequest
from enrol.registration.states import Standing

T = TypeVar("T")
_ATTEMPTS: Final = 3


def _persistent(
    act: Callable[[VerifiedRequest], Awaitable[ClientRecord]],
) -> Callable[[VerifiedRequest], Awaitable[ClientRecord]]:
    """Return `act`, begun anew where another request changed the client meanwhile.

    What builds on one version alone says so in If-Match, and is refused the second time.
    """

    async def act_on_what_stands(verified: VerifiedRequest) -> ClientRecord:
        for _ in range(_ATTEMPTS - 1):
            try:
                return await act(verified)
            except UnavailableError as exc:
                if exc.code != "concurrent_change":
                    raise
        return await act(verified)

    return act_on_what_stands


class RegistrationDesk:
    """Carries out what believed requests ask, once, and writes down what it did."""

    def __init__(
        self,
        *,
        authenticator: Authenticator,
        granting: Granting,
        clients: ClientStore,
        audit: AuditTrail,
        clock: Clock,
        settings: DeskSettings,
        registrations: RateLimiter,
    ) -> None:
        self._authenticator = authenticator
        self._granting = granting
        self._clients = clients
        self._audit = audit
        self._clock = clock
        self._settings = settings
        self._registrations = registrations
        self._rehearsal = Rehearsal(granting, clients, settings.quota, settings.on_duplicate)

    async def register(self, request: UnverifiedRequest) -> ClientRecord:
        """Register a client and return its record; the same bytes again return the same.

        Where the same software is registered already, the settings may say that its client is
        returned, or that it is refused.
        """
        return await self._carry_out_once(Operation.REGISTER, request, self._register)

    async def read(self, request: UnverifiedRequest) -> ClientRecord:
        """Return the record of the addressed client."""
        return await self._carry_out_once(Operation.READ, request, self._own_client)

    async def update(self, request: UnverifiedRequest) -> ClientRecord:
        """Replace the metadata of the addressed client and return the new record."""
        return await self._carry_out_once(Operation.UPDATE, request, _persistent(self._update))

    async def delete(self, request: UnverifiedRequest) -> None:
        """Delete the addressed client."""
        await self._carry_out_once(Operation.DELETE, request, _persistent(self._delete))

    async def list_clients(
        self, request: UnverifiedRequest, *, after: ClientId, limit: int
    ) -> tuple[ClientRecord, ...]:
        """Return the next clients of the organisation that asks, by client_id."""

        async def find(verified: VerifiedRequest) -> tuple[ClientRecord, ...]:
            organization = verified.organization_identifier
            return await self._clients.list_clients(organization, after, limit)

        return await self._carry_out(Operation.READ, request, find)

    async def rehearse(self, operation: Operation, request: UnverifiedRequest) -> DryRun:
        """Return what would come of a registration or an update; nothing is stored.

        A body that cannot be read is a finding, like the rules that metadata break.
        """
        try:
            return await self._carry_out(operation, request, self._rehearse)
        except ClientMetadataError as refusal:
            return DryRun(refusal.findings)

    async def _carry_out_once(
        self,
        operation: Operation,
        request: UnverifiedRequest,
        act: Callable[[VerifiedRequest], Awaitable[ClientRecord]],
    ) -> ClientRecord:
        """Carry a request out, or give the answer that the same bytes got before."""
        return await self._carry_out(operation, request, act, again=self._answered_before)

    async def _carry_out(
        self,
        operation: Operation,
        request: UnverifiedRequest,
        act: Callable[[VerifiedRequest], Awaitable[T]],
        *,
        again: Callable[[LedgerEntry], Awaitable[T]] | None = None,
    ) -> T:
        """Believe a request and do what it asks; write down whom the desk turned away.

        What would be refused may be bytes that were answered before: they get that answer, where
        the operation can be answered `again`.
        """
        self._settings.check_offered(operation)
        verified: VerifiedRequest | RepeatedRequest | None = None
        try:
            verified = await self._authenticator.authenticate(request)
            if isinstance(verified, RepeatedRequest):
                if again is None:
                    raise verified.refusal
                return await again(verified.entry)
            return await act(verified)
        except RefusalError as refusal:
            if isinstance(verified, VerifiedRequest):
                entry = again and await self._clients.find_entry(verified.ledger_key)
                if again and entry is not None:
                    return await again(entry)
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
        await self._registrations.take(verified.organization_identifier, verified.at)
        licence = self._granting.licence(verified)
        if self._granting.statements is not None:
            verified = await self._granting.statements.apply(verified, replaces=None)
        record = await self._granting.new_record(verified, licence)
        if not self._settings.approval.is_plain:
            standing = self._settings.approval.of_registration(verified.at)
            record = structs.replace(record, standing=standing)
        write = Creation(
            record,
            self._settings.quota,
            self._settings.on_duplicate,
            agents=self._settings.dialect.agents.scope,
            statement=verified.statement.use if verified.statement else None,
        )
        return await self._commit(
            verified, write, record, EventType.CLIENT_REGISTERED, register_doubt=licence.doubt
        )

    async def _update(self, verified: VerifiedRequest) -> ClientRecord:
        current = await self._changeable_client(verified)
        licence = self._granting.licence(verified)
        if self._granting.statements is not None:
            verified = await self._granting.statements.apply(verified, replaces=current)
        record = await self._granting.next_record(verified, current, licence)
        standing = self._settings.approval.of_update(current, record.metadata, verified.at)
        record = structs.replace(record, standing=standing)
        write = Replacement(
            record,
            replaced=current.standing,
            agents=self._settings.dialect.agents.scope,
            statement=verified.statement.use if verified.statement else None,
        )
        return await self._commit(
            *(verified, write, record, EventType.CLIENT_UPDATED),
            register_doubt=licence.doubt,
            replaced=current,
        )

    async def _delete(self, verified: VerifiedRequest) -> ClientRecord:
        current = await self._unchanged_client(verified)
        agents = self._settings.dialect.agents.scope
        write = Removal(current.client_id, current.version, agents=agents)
        return await self._commit(verified, write, current, EventType.CLIENT_DELETED)

    async def _rehearse(self, verified: VerifiedRequest) -> DryRun:
        replaces = None
        if verified.client_id is None:
            await self._registrations.take(verified.organization_identifier, verified.at)
        else:
            replaces = await self._changeable_client(verified)
        found = await self._rehearsal.run(verified, replaces=replaces)
        return structs.replace(found, becomes=await self._foreseen(found, replaces, verified.at))

    async def _foreseen(
        self, found: DryRun, replaces: ClientRecord | None, at: datetime
    ) -> Standing | None:
        """Return how the client would stand that a rehearsed request leads to."""
        if found.metadata is None:
            return None
        if replaces is not None:
            return self._settings.approval.of_update(replaces, found.metadata, at)
        if found.standing is not None:
            record = await self._clients.find(found.standing)
            return record.standing if record is not None else None
        return self._settings.approval.of_registration(at)

    async def _own_client(self, verified: VerifiedRequest) -> ClientRecord:
        """Return the addressed client; unknown and foreign ones are refused alike."""
        record = await self._clients.find(verified.client_id) if verified.client_id else None
        if record is None or record.organization_identifier != verified.organization_identifier:
            raise EntitlementError("client_not_yours")
        return record

    async def _unchanged_client(self, verified: VerifiedRequest) -> ClientRecord:
        """Return the addressed client, unless If-Match says that it was another."""
        record = await self._own_client(verified)
        check_if_match(verified.message, record)
        return record

    async def _changeable_client(self, verified: VerifiedRequest) -> ClientRecord:
        """Return the addressed client, unless the bank rejected it."""
        record = await self._unchanged_client(verified)
        check_changeable(record, verified.at)
        return record

    async def _commit(
        self,
        verified: VerifiedRequest,
        write: Creation | Replacement | Removal,
        record: ClientRecord,
        event: EventType,
        *,
        register_doubt: str | None = None,
        replaced: ClientRecord | None = None,
    ) -> ClientRecord:
        """Make the change durable; where another answer stands already, give that one."""
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
        transition = _transition(verified, replaced, record) if replaced else None
        standing = await self._clients.commit(Change(write, entry, audit, transition))
        if standing == entry:
            return record
        return await self._answered_before(standing)

    async def _answered_before(self, entry: LedgerEntry) -> ClientRecord:
        record = await self._clients.find_version(entry.client_id, entry.version)
        if record is None:
            raise UnavailableError("storage_unavailable")
        return record


def _transition(
    verified: VerifiedRequest, replaced: ClientRecord, record: ClientRecord
) -> AuditEvent | None:
    """Return the event of an update that leads its client to another state, else None."""
    event = transition_of(replaced.standing, record.standing)
    if event is None:
        return None
    return event_of_state(
        *(replaced, record.standing, event), at=verified.at, request_id=verified.request_id
    )
