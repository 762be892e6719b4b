"""The ports: what the domain asks of the world behind it."""

from datetime import datetime
from typing import Protocol

import msgspec

from enrol.eidas.organization import OrganizationIdentifier
from enrol.eidas.register import RegisterEntry
from enrol.eidas.revocation import RevocationEvidence
from enrol.eidas.trust import TrustAnchors
from enrol.eidas.validate import AssessedCertificate
from enrol.oauth.jws import JwsKey
from enrol.oauth.tokens import AccessToken
from enrol.oauth.types import ClientId, RequestId
from enrol.registration.agents import AgentScope
from enrol.registration.audit import AuditEvent
from enrol.registration.record import ClientRecord, RegisteredKey
from enrol.registration.software import OnDuplicate
from enrol.registration.stated import StatementUse
from enrol.registration.states import Standing, State


class LedgerEntry(msgspec.Struct, frozen=True):
    """The answer once given to a request, found again when the same bytes come back.

    `key` is 32 bytes over organisation, X-Request-ID, method, target and body; `signature` is the
    SHA-256 of Signature-Input and Signature, as far as they came with them. The answer is the
    record `client_id` at `version`, or nothing more than its deletion.
    """

    key: bytes
    signature: bytes
    organization_identifier: OrganizationIdentifier
    request_id: RequestId
    client_id: ClientId
    version: int
    at: datetime


class Creation(msgspec.Struct, frozen=True):
    """A new client; refused when its organisation already has `quota` clients.

    `on_duplicate` says what becomes of it where the same software is registered already. With
    `agents` by clients, the scopes of agents stay within those of their organisation's own clients.
    """

    record: ClientRecord
    quota: int | None
    on_duplicate: OnDuplicate = OnDuplicate.NEW
    agents: AgentScope = AgentScope.ROLES
    statement: StatementUse | None = None


class Replacement(msgspec.Struct, frozen=True):
    """New metadata and keys of a client, in place of version ``record.version - 1``.

    `replaced` is the standing of that version.
    """

    record: ClientRecord
    replaced: Standing | None = None
    agents: AgentScope = AgentScope.ROLES
    statement: StatementUse | None = None


class Removal(msgspec.Struct, frozen=True):
    """The end of a client whose last version is `version`."""

    client_id: ClientId
    version: int
    agents: AgentScope = AgentScope.ROLES


class Change(msgspec.Struct, frozen=True):
    """One change of the register and all that is written with it, in one transaction.

    `transition` is written too where a replacement leads its client to another state.
    """

    write: Creation | Replacement | Removal
    entry: LedgerEntry
    event: AuditEvent
    transition: AuditEvent | None = None


class StateChange(msgspec.Struct, frozen=True):
    """Another standing of a client, as long as it is at `version` and stands as `before`.

    Without one it is active; one that is deleted ends it.
    """

    client_id: ClientId
    version: int
    before: Standing | None
    after: Standing | None
    event: AuditEvent

    @property
    def removes(self) -> bool:
        """Whether the client ends by it."""
        return self.after is not None and self.after.state is State.DELETED


class TokenUse(msgspec.Struct, frozen=True):
    """The use of a client's registration access token, the `generation`-th it was issued."""

    client_id: ClientId
    generation: int


class AssertionUse(msgspec.Struct, frozen=True):
    """An assertion by which a client obtains one token.

    `name` is the SHA-256 over the client and the ``jti``.
    """

    name: bytes
    expires_at: datetime


class ClientStore(Protocol):
    """The register of clients.

    Every method raises `UnavailableError` with code ``storage_unavailable`` when it cannot tell.
    """

    async def find(self, client_id: ClientId) -> ClientRecord | None:
        """Return the living client, or None."""

    async def find_version(self, client_id: ClientId, version: int) -> ClientRecord | None:
        """Return a client as it was at `version`, even if it was replaced or deleted since."""

    async def find_keys(
        self, organization_identifier: OrganizationIdentifier, keyid: str
    ) -> tuple[RegisteredKey, ...]:
        """Return the keys of living clients of an organisation that `keyid` names, newest first.

        `keyid` is compared with kid, certificate URL, x5t#S256 and hexadecimal SHA-256 of the DER.
        At most eight are returned.
        """

    async def find_entry(self, key: bytes) -> LedgerEntry | None:
        """Return the ledger entry under `key`, or None."""

    async def list_clients(
        self, organization_identifier: OrganizationIdentifier, after: ClientId, limit: int
    ) -> tuple[ClientRecord, ...]:
        """Return the next living clients of an organisation after one, by client_id."""

    async def foresee(self, write: Creation | Replacement, *, at: datetime) -> ClientId | None:
        """Return the client that a creation would be answered with, None for its own.

        Raises what `commit` would, as things stand now.
        """

    async def commit(self, change: Change) -> LedgerEntry:
        """Make the change durable and return its ledger entry.

        When an entry with the same key stands already, nothing is written and that one is
        returned. Where the same software is registered and a creation says `OnDuplicate.RETURN`,
        an entry that names the standing client is written alone, and returned. Raises
        `EntitlementError` ``quota_reached`` and for what `agents` says, `ClientMetadataError`
        ``already_registered`` and ``statement_reused``, and,
        when the client is not at the version the change builds on, `UnavailableError`
        ``concurrent_change``.
        """

    async def note_use(self, use: TokenUse) -> None:
        """Make durable that a token is used, after which older ones do not hold any more.

        Of a client that is gone, or that newer tokens were used of, nothing is written.
        """


class ClientPages(Protocol):
    """The clients one after the other."""

    async def page(self, after: ClientId, limit: int) -> tuple[ClientRecord, ...]:
        """Return the next living clients after one, by client_id; none is the end.

        Raises `UnavailableError` ``storage_unavailable``.
        """


class ClientStates(ClientPages, Protocol):
    """The clients, and their states."""

    async def find_due(self, at: datetime, limit: int) -> tuple[ClientRecord, ...]:
        """Return some of the clients that are pending until a time that has come.

        Raises `UnavailableError` ``storage_unavailable``.
        """

    async def set_state(self, change: StateChange) -> None:
        """Make a state durable; one that stands already is not written again.

        Raises `UnavailableError` ``concurrent_change`` when the client is at another version or
        stands otherwise than the change builds on, and ``storage_unavailable``.
        """


class ManagedClients(ClientStore, ClientStates, Protocol):
    """The register of clients as the people of the bank manage it."""


class TokenStore(Protocol):
    """The access tokens that were issued, by hash."""

    async def add(
        self, token: AccessToken, event: AuditEvent, assertion: AssertionUse | None = None
    ) -> None:
        """Make a token durable together with its audit event, and the use of an assertion.

        Raises `GrantError` ``assertion_used`` where that one was used before.
        """

    async def revoke(self, token: AccessToken, event: AuditEvent) -> None:
        """Make the end of a token durable together with its audit event.

        A token that ended before is left alone. Raises `UnavailableError`.
        """

    async def find(self, token_hash: bytes) -> AccessToken | None:
        """Return the token, expired or not, or None."""


class AuditTrail(Protocol):
    """Where refusals are written down."""

    def note(self, event: AuditEvent) -> None:
        """Write an event soon, without waiting; dropped (and counted) when too many wait."""


class CertificateFetcher(Protocol):
    """The one way out to a certificate URL."""

    async def fetch(self, url: str) -> bytes:
        """Return the bytes behind `url`.

        Raises `SignatureError` ``key_url_refused`` or ``key_url_unreachable``.
        """


class IssuerKeys(Protocol):
    """The keys of one issuer of software statements.

    Both methods raise `UnavailableError` ``statement_keys_unavailable``.
    """

    async def current(self) -> tuple[JwsKey, ...]:
        """Return the keys as they were last seen."""

    async def renewed(self) -> tuple[JwsKey, ...]:
        """Return the keys, looked at anew unless they were a moment ago."""


class TrustSource(Protocol):
    """Whom the bank trusts, as of now."""

    def anchors(self) -> TrustAnchors:
        """Return the trust anchors; raises `UnavailableError` ``trust_list_unavailable``."""


class RevocationSource(Protocol):
    """What the issuers of certificates have revoked, as far as can be known now."""

    def basis(self) -> object:
        """Return an object that is another one once verdicts made before must be made anew."""

    async def evidence_for(
        self, assessed: AssessedCertificate, *, at: datetime
    ) -> RevocationEvidence:
        """Return what can be heard of a certificate and the CAs below its anchor.

        Nothing heard is an answer, and a refusal later.
        """


class RegisterAnswer(msgspec.Struct, frozen=True):
    """Entries of the register of payment institutions, as it was at `made_at` (aware UTC)."""

    entries: tuple[RegisterEntry, ...]
    made_at: datetime


class LicenceRegister(Protocol):
    """The register of payment institutions (PSD2 art. 15).

    Both methods raise `UnavailableError` ``register_unavailable`` where there is none.
    """

    def numbered(self, number: str) -> RegisterAnswer:
        """Return the entries, of whatever authority, that a normalised number names."""

    def coded(self, code: str) -> RegisterAnswer:
        """Return the entries under a code of the register, such as ``ES_BE!6950``."""


class Clock(Protocol):
    """The time."""

    def __call__(self) -> datetime:
        """Return now, aware UTC."""
