"""The register behind the ports of the domain, whichever database it is in.

Reads go through the reader of the database, writes through group commit to its writer.
"""

import asyncio
import math
import time
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol, TypeVar, cast

from enrol.adapters import rows, statements
from enrol.adapters.cache import LruCache
from enrol.adapters.groupcommit import MOST_NOTES, MOST_WAITING, GroupCommit
from enrol.adapters.outbox import OutboxNews
from enrol.adapters.outbox_store import OutboxStore
from enrol.adapters.rows import Row
from enrol.adapters.sql import Statement
from enrol.adapters.tally import tally
from enrol.adapters.transaction import (
    Foresight,
    Outcome,
    TokenIssue,
    TokenPurge,
    TokenRevocation,
    Write,
)
from enrol.adapters.writer import Writer
from enrol.eidas.organization import OrganizationIdentifier
from enrol.oauth.mtls import x5t_s256
from enrol.oauth.tokens import AccessToken
from enrol.oauth.types import ClientId
from enrol.registration.audit import AuditEvent, EventType
from enrol.registration.chain import Head
from enrol.registration.meters import CommitMeter
from enrol.registration.ports import (
    AssertionUse,
    Change,
    Creation,
    LedgerEntry,
    Removal,
    Replacement,
    StateChange,
    TokenUse,
)
from enrol.registration.record import ClientRecord, RegisteredKey

T = TypeVar("T")


def _first(convert: Callable[[Row], T]) -> Callable[[Sequence[Row]], T | None]:
    return lambda found: convert(found[0]) if found else None


_first_entry: Final = _first(rows.entry)
_first_token: Final = _first(rows.token)
_first_ended_client: Final = _first(rows.ended_client)
_first_head: Final = _first(lambda row: Head(*row))

CACHED_TOKENS: Final = 10_000
_SLOWEST_BATCH: Final = 10.0
_RECOVERY: Final = 5.0

_Commits = GroupCommit[Write, LedgerEntry | ClientId | None]


class Reader(Protocol):
    """What reads the register, on the event loop."""

    async def fetch(
        self, statement: Statement, parameters: Row, convert: Callable[[Sequence[Row]], T]
    ) -> T:
        """Return what `convert` makes of the rows a statement finds.

        Raises `UnavailableError` ``storage_unavailable`` where they cannot be found or understood.
        """

    def healthy(self) -> bool:
        """Return whether the register can be read, as far as is known now."""

    async def watch(self) -> None:
        """Keep knowing it; returns where a look is enough, else to be cancelled."""

    async def aclose(self) -> None:
        """Read no more."""


class Duty(Protocol):
    """What only one of several servers has to do."""

    async def is_mine(self) -> bool:
        """Return whether this server is the one that does it, as of now."""

    async def aclose(self) -> None:
        """Leave it to another server."""


class SoleDuty:
    """The duty of a server that has its register for itself."""

    async def is_mine(self) -> bool:
        """Return true."""
        return True

    async def aclose(self) -> None:
        """Do nothing: there is no other server."""


@dataclass(frozen=True, slots=True)
class StoreSettings:
    """How many writes and notes may wait, and the types of events that are told others.

    `tokens_kept` is for how many seconds a token is believed that was read: for ever where no
    other process ends one.
    """

    most_waiting: int = MOST_WAITING
    most_notes: int = MOST_NOTES
    told: frozenset[EventType] = frozenset()
    tokens_kept: float = math.inf


class RegisterStore:
    """One register as `clients`, `tokens`, `audit` and `outbox`, the ports that share it."""

    def __init__(
        self,
        reader: Reader,
        writer: Writer,
        close: Callable[[], None],
        *,
        duty: Duty,
        news: OutboxNews,
        settings: StoreSettings,
        meter: CommitMeter | None = None,
    ) -> None:
        """Take what reads, what writes, and what closes the latter, on a thread of its own."""
        self.duty = duty
        self._meter = meter or CommitMeter()
        self._reader = reader
        self._writer = writer
        self._close = close
        self._cached_tokens = _TokenCache(settings.tokens_kept)
        self._commits = _Commits(
            self._writer.write,
            settled=self._settled,
            most_waiting=settings.most_waiting,
            most_notes=settings.most_notes,
            meter=self._meter,
        )
        self.clients = StoredClients(self._reader, self._commits)
        self.tokens = StoredTokens(self._reader, self._commits, self._cached_tokens)
        self.audit = StoredTrail(self._commits)
        self.outbox = OutboxStore(self._reader, self._commits.submit, duty=duty, news=news)

    @property
    def waiting(self) -> int:
        """How many writes wait for the writer."""
        return self._commits.waiting

    @property
    def busy_for(self) -> float:
        """How long the writer has been at its batch, in seconds; 0 when idle."""
        return self._commits.busy_for

    @property
    def failed(self) -> bool:
        """Whether nothing can be written until the process is started anew."""
        return self._writer.failed

    def healthy(self) -> bool:
        """Return whether the register can be read and, as far as is known, written.

        It is not while a batch takes longer than ten seconds, nor for five seconds after the
        database refused one: then the next change is the probe.
        """
        if self._writer.failed or self._commits.busy_for > _SLOWEST_BATCH:
            return False
        failed_at = self._writer.failed_at
        if failed_at is not None and time.monotonic() - failed_at < _RECOVERY:
            return False
        return self._reader.healthy()

    async def watch(self) -> None:
        """Keep knowing whether the register can be read; to be cancelled."""
        await self._reader.watch()

    async def find_head(self) -> Head:
        """Return where the audit trail ends; raises `UnavailableError`."""
        found = await self._reader.fetch(statements.FIND_HEAD, (), _first_head)
        return found or Head()

    async def purge_tokens(self, expired_before: datetime) -> None:
        """Delete the tokens that expired before a time; raises `UnavailableError`."""
        await self._commits.submit(TokenPurge(expired_before))

    async def aclose(self) -> None:
        """Finish what waits to be written, take no more, and close the register."""
        await self._commits.aclose()
        await self._reader.aclose()
        await self.duty.aclose()
        await asyncio.to_thread(self._end)

    def _end(self) -> None:
        self._writer.log_head()
        self._close()

    def _settled(self, batch: Sequence[Write], outcomes: Sequence[Outcome]) -> None:
        """Count what a batch wrote, and forget what it ended, before anybody is told."""
        tally(self._meter, batch, outcomes)
        self._forget_tokens(batch, outcomes)
        self.outbox.news.spread()

    def _forget_tokens(self, batch: Sequence[Write], outcomes: Sequence[Outcome]) -> None:
        """Drop the cached tokens that a batch revoked, and those of clients that it removed."""
        for write in batch:
            if isinstance(write, TokenRevocation):
                self._cached_tokens.drop(write.token_hash)
        removed = {
            client_id
            for write, outcome in zip(batch, outcomes, strict=True)
            if not isinstance(outcome, Exception) and (client_id := _removed_by(write)) is not None
        }
        if removed:
            self._cached_tokens.forget_those_of(removed)


class _TokenCache:
    """Tokens read lately; each is believed for so many seconds."""

    def __init__(self, kept: float) -> None:
        self._kept = kept
        self._tokens: LruCache[bytes, tuple[AccessToken, float]] = LruCache(CACHED_TOKENS)

    def get(self, token_hash: bytes) -> AccessToken | None:
        """Return a token that is believed still."""
        found = self._tokens.get(token_hash)
        return found[0] if found is not None and time.monotonic() < found[1] else None

    def put(self, token_hash: bytes, token: AccessToken) -> None:
        """Remember a token."""
        self._tokens.put(token_hash, (token, time.monotonic() + self._kept))

    def drop(self, token_hash: bytes) -> None:
        """Forget a token."""
        self._tokens.drop(token_hash)

    def forget_those_of(self, clients: Container[ClientId]) -> None:
        """Forget the tokens of some clients."""
        self._tokens.discard(lambda kept: kept[0].client_id in clients)


class StoredClients:
    """`ClientStore` in a register."""

    def __init__(self, reader: Reader, commits: _Commits) -> None:
        self._reader = reader
        self._commits = commits

    async def find(self, client_id: ClientId) -> ClientRecord | None:
        """Return the living client, or None."""
        return await self._reader.fetch(statements.FIND_CLIENT, (client_id,), rows.living_client)

    async def find_version(self, client_id: ClientId, version: int) -> ClientRecord | None:
        """Return a client as it was at `version`, even if it was replaced or deleted since."""
        living = await self.find(client_id)
        if living is not None and living.version == version:
            return living
        return await self._reader.fetch(
            statements.FIND_ENDED_VERSION, (client_id, version), _first_ended_client
        )

    async def find_keys(
        self, organization_identifier: OrganizationIdentifier, keyid: str
    ) -> tuple[RegisteredKey, ...]:
        """Return the keys of living clients of an organisation that `keyid` names, newest first."""
        organization = organization_identifier
        parameters = (organization, keyid, organization, _thumbprint(keyid), organization, keyid)
        return await self._reader.fetch(statements.FIND_KEYS, parameters, _newest_keys)

    async def find_entry(self, key: bytes) -> LedgerEntry | None:
        """Return the ledger entry under `key`, or None."""
        return await self._reader.fetch(statements.FIND_ENTRY, (key,), _first_entry)

    async def page(self, after: ClientId, limit: int) -> tuple[ClientRecord, ...]:
        """Return the next living clients after one, by client_id; none is the end."""
        return await self._reader.fetch(statements.FIND_PAGE, (after, limit), rows.living_clients)

    async def list_clients(
        self, organization_identifier: OrganizationIdentifier, after: ClientId, limit: int
    ) -> tuple[ClientRecord, ...]:
        """Return the next living clients of an organisation after one, by client_id."""
        parameters = (organization_identifier, after, limit)
        return await self._reader.fetch(statements.FIND_OWN_PAGE, parameters, rows.living_clients)

    async def foresee(self, write: Creation | Replacement, *, at: datetime) -> ClientId | None:
        """Return the client that a creation would be answered with, None for its own.

        Raises what `commit` would, as things stand now.
        """
        return cast("ClientId | None", await self._commits.submit(Foresight(write, at)))

    async def find_due(self, at: datetime, limit: int) -> tuple[ClientRecord, ...]:
        """Return some of the clients that are pending until a time that has come."""
        parameters = (rows.milliseconds(at), limit)
        due = await self._reader.fetch(statements.FIND_DUE, parameters, list[Row])
        found = [await self.find(client_id) for (client_id,) in due]
        return tuple([record for record in found if record is not None])

    async def set_state(self, change: StateChange) -> None:
        """Make a state durable; one that stands already is not written again."""
        await self._commits.submit(change)

    async def commit(self, change: Change) -> LedgerEntry:
        """Make the change durable and return its ledger entry, or the one that stands already."""
        return cast("LedgerEntry", await self._commits.submit(change))

    async def note_use(self, use: TokenUse) -> None:
        """Make durable that a token is used, after which older ones do not hold any more."""
        await self._commits.submit(use)


class StoredTokens:
    """`TokenStore` in a register; a token never changes, so those used lately are kept in memory.

    The tokens of a client are deleted with it, in the same transaction, and leave the memory
    before its deletion is acknowledged.
    """

    def __init__(self, reader: Reader, commits: _Commits, cached: _TokenCache) -> None:
        self._reader = reader
        self._commits = commits
        self._cached = cached

    async def add(
        self, token: AccessToken, event: AuditEvent, assertion: AssertionUse | None = None
    ) -> None:
        """Make a token durable together with its audit event, and the use of an assertion.

        Raises `UnavailableError`, ``concurrent_change`` where its client was removed meanwhile,
        and `GrantError` ``assertion_used``.
        """
        await self._commits.submit(TokenIssue(token, event, assertion))

    async def revoke(self, token: AccessToken, event: AuditEvent) -> None:
        """Make the end of a token durable together with its audit event, and forget the token."""
        await self._commits.submit(TokenRevocation(token.token_hash, event))

    async def find(self, token_hash: bytes) -> AccessToken | None:
        """Return the token, expired or not, or None."""
        token = self._cached.get(token_hash)
        if token is None:
            token = await self._reader.fetch(statements.FIND_TOKEN, (token_hash,), _first_token)
            if token is not None:
                self._cached.put(token_hash, token)
        return token


class StoredTrail:
    """`AuditTrail` in a register."""

    def __init__(self, commits: _Commits) -> None:
        self._commits = commits

    @property
    def dropped(self) -> int:
        """How many events were not written, because too many waited or the disk refused them."""
        return self._commits.dropped_notes

    def note(self, event: AuditEvent) -> None:
        """Write an event soon, without waiting; dropped and counted when too many wait."""
        self._commits.note(event)


def _removed_by(write: Write) -> ClientId | None:
    """Return the client that a write removes."""
    match write:
        case Change(Removal(client_id)):
            return client_id
        case StateChange(client_id) if write.removes:
            return client_id
        case _:
            return None


def _newest_keys(found: Sequence[Row]) -> tuple[RegisteredKey, ...]:
    return tuple(rows.found_key(row) for row in found[: statements.KEYS_FOUND])


def _thumbprint(keyid: str) -> str:
    """Return ``x5t#S256`` for a SHA-256 in hexadecimal; any other name as it is."""
    try:
        digest = bytes.fromhex(keyid) if len(keyid) == 64 else b""
    except ValueError:
        return keyid
    return x5t_s256(digest) if len(digest) == 32 else keyid
