"""One transaction of the register: what stands of a batch of writes, and how it is written."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import repeat
from typing import Final

from msgspec import structs

from enrol.adapters import outbox_statements, rows, statements
from enrol.adapters.chain import Chain, Links
from enrol.adapters.conditions import Conditions
from enrol.adapters.connection import Connection
from enrol.adapters.creations import Creations, Same
from enrol.adapters.outbox import (
    NOTHING_TOLD,
    Drop,
    OutboxWrite,
    OutboxWriter,
    Revival,
    Settlement,
)
from enrol.adapters.rows import Row
from enrol.errors import RefusalError, UnavailableError
from enrol.oauth.client_authentication import not_believed
from enrol.oauth.tokens import AccessToken
from enrol.oauth.types import ClientId
from enrol.registration.audit import AuditEvent
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
from enrol.registration.record import ClientRecord
from enrol.registration.states import Standing

_ASSERTIONS_KEPT: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class TokenIssue:
    """A token and the event written with it, and the use of the assertion that obtained it."""

    token: AccessToken
    event: AuditEvent
    assertion: AssertionUse | None = None


@dataclass(frozen=True, slots=True)
class TokenRevocation:
    """The end of a token before its time, and the event written with it."""

    token_hash: bytes
    event: AuditEvent


@dataclass(frozen=True, slots=True)
class TokenPurge:
    """The end of every token that expired before `expired_before`, and of assertions later on."""

    expired_before: datetime


@dataclass(frozen=True, slots=True)
class Foresight:
    """The question what would become of a write; nothing is written."""

    write: Creation | Replacement
    at: datetime


Write = (
    Change
    | Foresight
    | StateChange
    | TokenIssue
    | TokenRevocation
    | TokenPurge
    | TokenUse
    | OutboxWrite
    | AuditEvent
)
Outcome = LedgerEntry | ClientId | None | Exception
"""What `ClientStore.commit` and `foresee` return or raise; None for what is no change of a client.
"""


@dataclass(slots=True)
class _Standing:
    """What a transaction is going to write."""

    moved: list[StateChange] = field(default_factory=list)
    created: list[ClientRecord] = field(default_factory=list)
    replaced: list[ClientRecord] = field(default_factory=list)
    removed: list[ClientId] = field(default_factory=list)
    entries: list[Row] = field(default_factory=list)
    events: list[AuditEvent] = field(default_factory=list)
    tokens: list[Row] = field(default_factory=list)
    assertions: dict[bytes, Row] = field(default_factory=dict)
    purges: list[datetime] = field(default_factory=list)
    uses: list[Row] = field(default_factory=list)
    revoked: list[Row] = field(default_factory=list)
    posts: list[OutboxWrite] = field(default_factory=list)


class Transaction:
    """Judges the writes of a batch one after the other, then writes those that stand.

    Begun and ended by the caller. The changes of one batch count as concurrent: of two that build
    on the same version of a client, the second is refused.
    """

    def __init__(
        self,
        connection: Connection,
        batch: Sequence[Write],
        chain: Chain,
        *,
        outbox: OutboxWriter = NOTHING_TOLD,
    ) -> None:
        changes = [write for write in batch if isinstance(write, Change)]
        states = [write for write in batch if isinstance(write, StateChange)]
        self._connection = connection
        self._chain = chain
        self._outbox = outbox
        self._standing = _Standing()
        self._entries = self._find_entries(changes)
        self._versions = self._find_versions(changes, states)
        asked = [each.write for each in batch if isinstance(each, Change | Foresight)]
        self._creations = Creations(
            connection, [write for write in asked if isinstance(write, Creation)]
        )
        self._conditions = Conditions(connection)

    def take(self, write: Write) -> Outcome:
        """Return the outcome of a write, and put down what it needs written."""
        match write:
            case Change():
                return self._take_change(write)
            case Foresight():
                return self._foresee(write)
            case StateChange():
                return self._take_state(write)
            case TokenIssue():
                return self._take_token(write)
            case _:
                self._put_down(write)
                return None

    def _put_down(
        self, write: TokenPurge | TokenUse | TokenRevocation | OutboxWrite | AuditEvent
    ) -> None:
        """Put down a write that nothing keeps from being written."""
        match write:
            case TokenPurge():
                self._standing.purges.append(write.expired_before)
            case TokenUse(client_id, generation):
                self._standing.uses.append((generation, client_id))
            case TokenRevocation():
                self._take_revocation(write)
            case Settlement() | Revival():
                self._standing.posts.append(write)
            case Drop():
                self._take_drop(write)
            case AuditEvent():
                self._standing.events.append(write)

    def flush(self) -> Links:
        """Write what was put down, and return how its events continue the chain.

        Removals come after tokens, so that they take fresh ones along.
        """
        standing = self._standing
        self._insert(statements.DELETE_STANDING, [(each.client_id,) for each in standing.moved])
        self._insert(statements.INSERT_CLIENT, [*map(rows.client_row, standing.created)])
        for record in standing.replaced:
            self._replace(record)
        written = (*standing.created, *standing.replaced)
        self._insert(statements.INSERT_SOFTWARE, [*map(rows.software_row, written)])
        self._insert(statements.INSERT_AGENT, rows.agent_rows(standing.created))
        self._insert(statements.INSERT_STATEMENT, [*self._conditions.statements.values()])
        self._insert(
            statements.INSERT_KEY, [row for record in written for row in rows.key_rows(record)]
        )
        stands = [(record.client_id, record.standing) for record in written if record.standing]
        stands += [(each.client_id, each.after) for each in standing.moved if each.after]
        self._insert(statements.INSERT_STANDING, [rows.standing_row(*each) for each in stands])
        self._insert(statements.INSERT_TOKEN, standing.tokens)
        self._insert(statements.DELETE_TOKEN, standing.revoked)
        self._insert(statements.INSERT_ASSERTION, [*standing.assertions.values()])
        for expired_before in standing.purges:
            self._purge(expired_before)
        self._insert(statements.INSERT_TOKEN_USE, standing.uses)
        for client_id in standing.removed:
            self._remove(client_id)
        self._insert(statements.INSERT_ENTRY, standing.entries)
        links = self._chain.link(standing.events)
        self._insert(statements.INSERT_BLOB, links.blobs)
        self._insert(statements.INSERT_EVENT, links.events)
        for post in standing.posts:
            self._outbox.carry_out(self._connection, post)
        self._outbox.put(self._connection, standing.events, links.events, written)
        return links

    def _take_change(self, change: Change) -> LedgerEntry | RefusalError:
        answered = self._entries.get(change.entry.key)
        if answered is not None:
            return answered
        match self._judge(change.write) or self._conditions.judge(
            change.write, organization=change.entry.organization_identifier, at=change.entry.at
        ):
            case RefusalError() as refusal:
                return refusal
            case (client_id, version):
                return self._answer_with(change.entry, client_id, version)
        self._put(change.write)
        self._standing.entries.append(rows.entry_row(change.entry))
        self._standing.events.append(change.event)
        if change.transition is not None:
            self._standing.events.append(change.transition)
        self._entries[change.entry.key] = change.entry
        return change.entry

    def _foresee(self, question: Foresight) -> ClientId | RefusalError | None:
        """Return the client that a creation would be answered with, or what refuses a write."""
        write = question.write
        if isinstance(write, Creation):
            match self._creations.judge(write):
                case (client_id, _):
                    return client_id
                case RefusalError() as refusal:
                    return refusal
        organization = write.record.organization_identifier
        return self._conditions.judge(write, organization=organization, at=question.at)

    def _answer_with(self, entry: LedgerEntry, client_id: ClientId, version: int) -> LedgerEntry:
        """Put down that a request is answered with a client that stands; nothing else changes."""
        standing = structs.replace(entry, client_id=client_id, version=version)
        self._standing.entries.append(rows.entry_row(standing))
        self._entries[entry.key] = standing
        return standing

    def _judge(self, write: Creation | Replacement | Removal) -> Same | RefusalError | None:
        """Return what keeps a write from being put down: a refusal, or a client that stands."""
        match write:
            case Creation():
                return self._creations.judge(write)
            case Replacement(record, replaced):
                stands = (record.version - 1, replaced)
                current = self._versions.get(record.client_id) == stands
            case Removal(client_id, version):
                current = client_id in self._versions and self._versions[client_id][0] == version
        return None if current else UnavailableError("concurrent_change", retry_after=1)

    def _put(self, write: Creation | Replacement | Removal) -> None:
        self._conditions.put(write)
        match write:
            case Creation(record):
                self._creations.create(record)
                self._standing.created.append(record)
            case Replacement(record):
                self._creations.change(record)
                self._standing.replaced.append(record)
                del self._versions[record.client_id]
            case Removal(client_id, _):
                self._creations.forget(client_id)
                self._standing.removed.append(client_id)
                del self._versions[client_id]

    def _take_state(self, change: StateChange) -> RefusalError | None:
        """Put a state down, unless the client stands so already, or otherwise than it did."""
        client_id = change.client_id
        stands = self._versions.get(client_id)
        if stands == (change.version, change.after):
            return None
        if stands != (change.version, change.before):
            return UnavailableError("concurrent_change", retry_after=1)
        if change.removes:
            self._put(Removal(client_id, change.version))
        else:
            self._standing.moved.append(change)
            del self._versions[client_id]
        self._standing.events.append(change.event)
        return None

    def _take_token(self, issue: TokenIssue) -> RefusalError | None:
        """Put a token down, unless its client was removed since, or had one for the assertion."""
        client_id = issue.token.client_id
        removed = (
            client_id in self._standing.removed
            or self._connection.execute(statements.FIND_REMOVAL, (client_id,)).fetchone()
        )
        if removed:
            return UnavailableError("concurrent_change", retry_after=1)
        if issue.assertion is not None:
            if self._was_used(issue.assertion):
                return not_believed("assertion_used")
            row = rows.assertion_row(issue.assertion)
            self._standing.assertions[issue.assertion.name] = row
        self._standing.tokens.append(rows.token_row(issue.token))
        self._standing.events.append(issue.event)
        return None

    def _was_used(self, assertion: AssertionUse) -> bool:
        row = (assertion.name,)
        return assertion.name in self._standing.assertions or (
            self._connection.execute(statements.FIND_ASSERTION, row).fetchone() is not None
        )

    def _take_revocation(self, revocation: TokenRevocation) -> None:
        """Put the end of a token down, unless it ended before."""
        row = (revocation.token_hash,)
        if row in self._standing.revoked:
            return
        if self._connection.execute(statements.FIND_TOKEN, row).fetchone() is not None:
            self._standing.revoked.append(row)
            self._standing.events.append(revocation.event)

    def _take_drop(self, drop: Drop) -> None:
        """Put the end of a message down, unless it ended before."""
        if any(isinstance(post, Drop) and post.id == drop.id for post in self._standing.posts):
            return
        if self._connection.execute(outbox_statements.FIND_MESSAGE, (drop.id,)).fetchone():
            self._standing.posts.append(drop)
            self._standing.events.append(drop.event)

    def _purge(self, expired_before: datetime) -> None:
        """Delete what expired; assertions later, as the clock of another node may be behind."""
        before = rows.milliseconds(expired_before)
        self._connection.execute(statements.DELETE_EXPIRED_TOKENS, (before,))
        before = rows.milliseconds(expired_before - _ASSERTIONS_KEPT)
        self._connection.execute(statements.DELETE_EXPIRED_ASSERTIONS, (before,))

    def _replace(self, record: ClientRecord) -> None:
        self._end_version(record.client_id, removed=0)
        client_id, *columns = rows.client_row(record)
        self._connection.execute(statements.UPDATE_CLIENT, (*columns, client_id))

    def _remove(self, client_id: ClientId) -> None:
        self._end_version(client_id, removed=1)
        self._connection.execute(statements.DELETE_TOKENS, (client_id,))
        self._connection.execute(statements.DELETE_TOKEN_USE, (client_id,))
        self._connection.execute(statements.DELETE_AGENT, (client_id,))
        self._connection.execute(statements.DELETE_CLIENT, (client_id,))

    def _end_version(self, client_id: ClientId, *, removed: int) -> None:
        """Move the living version and its keys into the history; the client's row stays.

        A standing ends with the version it was of.
        """
        keys = self._connection.execute(statements.CLIENT_KEYS, (client_id,)).fetchall()
        self._connection.execute(
            statements.END_VERSION, (rows.ended_keys(keys), removed, client_id)
        )
        self._connection.execute(statements.DELETE_KEYS, (client_id,))
        self._connection.execute(statements.DELETE_SOFTWARE, (client_id,))
        self._connection.execute(statements.DELETE_STANDING, (client_id,))

    def _insert(self, statement: str, values: Sequence[Row]) -> None:
        if values:
            self._connection.executemany(statement, values)

    def _find_entries(self, changes: Sequence[Change]) -> dict[bytes, LedgerEntry]:
        found = self._find_all(statements.find_entries, [change.entry.key for change in changes])
        return {row[0]: rows.entry(row) for row in found}

    def _find_versions(
        self, changes: Sequence[Change], states: Sequence[StateChange]
    ) -> dict[ClientId, tuple[int, Standing | None]]:
        """Return version and standing of every living client that a change builds on."""
        client_ids = [
            change.entry.client_id for change in changes if not isinstance(change.write, Creation)
        ]
        client_ids.extend(state.client_id for state in states)
        found = self._find_all(statements.find_versions, client_ids)
        return {row[0]: (row[1], rows.standing(row[2:])) for row in found}

    def _find_all(self, statement: Callable[[int], str], keys: Sequence[object]) -> list[Row]:
        """Look all keys up in one step; sizes are powers of two, so that few statements exist."""
        if not keys:
            return []
        size = 1 << (len(keys) - 1).bit_length()
        padded = [*keys, *repeat(keys[-1], size - len(keys))]
        return self._connection.execute(statement(size), padded).fetchall()
