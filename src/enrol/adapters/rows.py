"""How the values of the domain lie in the columns of the tables, and back."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any, Final

import msgspec

from enrol.eidas.organization import OrganizationIdentifier
from enrol.oauth.metadata import ClientMetadata
from enrol.oauth.tokens import AccessToken
from enrol.oauth.types import ClientId, RequestId, X5tS256
from enrol.registration.agents import is_agent
from enrol.registration.audit import AuditEvent
from enrol.registration.ports import AssertionUse, LedgerEntry
from enrol.registration.record import ClientRecord, RegisteredKey
from enrol.registration.software import software_digest
from enrol.registration.states import Standing, State

Row = tuple[Any, ...]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND: Final = timedelta(seconds=1)
_MILLISECOND: Final = timedelta(milliseconds=1)


class _EndedKey(msgspec.Struct, frozen=True, omit_defaults=True):
    """A key of a version that ended, as JSON; msgspec writes the DER in base64."""

    x5t_s256: X5tS256
    certificate: bytes
    kid: str | None = None
    url: str | None = None


_encode: Final = msgspec.json.Encoder().encode
_decode_metadata: Final = msgspec.json.Decoder(ClientMetadata).decode
_decode_keys: Final = msgspec.json.Decoder(tuple[_EndedKey, ...]).decode


def seconds(at: datetime) -> int:
    """Return whole seconds since 1970; `at` is aware."""
    return (at - _EPOCH) // _SECOND


def milliseconds(at: datetime) -> int:
    """Return whole milliseconds since 1970; `at` is aware."""
    return (at - _EPOCH) // _MILLISECOND


def _from_seconds(count: int) -> datetime:
    return _EPOCH + timedelta(seconds=count)


def from_milliseconds(count: int) -> datetime:
    """Return the moment of `milliseconds`."""
    return _EPOCH + timedelta(milliseconds=count)


def client_row(record: ClientRecord) -> Row:
    """Return the row of `tables.clients`."""
    return (
        record.client_id,
        record.organization_identifier,
        record.version,
        _encode(record.metadata),
        seconds(record.issued_at),
        seconds(record.updated_at),
        record.token_generation,
    )


def software_row(record: ClientRecord) -> Row:
    """Return the row of `tables.client_software`."""
    return (record.client_id, software_digest(record))


def agent_rows(records: Iterable[ClientRecord]) -> list[Row]:
    """Return the rows of `tables.client_agents`, of those that are of agents."""
    return [(each.client_id, each.organization_identifier) for each in records if is_agent(each)]


def key_rows(record: ClientRecord) -> list[Row]:
    """Return the rows of `tables.client_keys`, without their `id`."""
    return [
        (
            record.client_id,
            position,
            record.organization_identifier,
            key.kid,
            key.x5t_s256,
            key.url,
            key.certificate,
        )
        for position, key in enumerate(record.keys)
    ]


def entry_row(entry: LedgerEntry) -> Row:
    """Return the row of `tables.ledger`."""
    return (
        entry.key,
        entry.signature,
        entry.organization_identifier,
        entry.request_id,
        entry.client_id,
        entry.version,
        milliseconds(entry.at),
    )


def event_row(event: AuditEvent) -> Row:
    """Return the row of `tables.audit_events`, without its `id` and `hash`."""
    return (
        milliseconds(event.at),
        event.type.value,
        event.code,
        event.organization_identifier,
        event.client_id,
        event.request_id,
        event.evidence,
        event.request,
    )


def token_row(token: AccessToken) -> Row:
    """Return the row of `tables.access_tokens`."""
    return (
        token.token_hash,
        token.client_id,
        token.organization_identifier,
        token.x5t_s256,
        " ".join(sorted(token.scope)),
        milliseconds(token.expires_at),
    )


def assertion_row(assertion: AssertionUse) -> Row:
    """Return the row of `tables.used_assertions`."""
    return (assertion.name, milliseconds(assertion.expires_at))


def living_client(rows: Sequence[Row]) -> ClientRecord | None:
    """Return the client in the rows of `statements.FIND_CLIENT`, one a key; None without rows."""
    if not rows:
        return None
    client_id, organization = rows[0][:2]
    keys = tuple(_key(client_id, organization, row[7:11]) for row in rows if row[10] is not None)
    *columns, used_token = rows[0][11:]
    return _record(rows[0][:7], keys, standing(tuple(columns)), used_token=used_token or 1)


def living_clients(found: Iterable[Row]) -> tuple[ClientRecord, ...]:
    """Return the clients in the rows of `statements.FIND_PAGE`."""
    grouped = (living_client(tuple(of_one)) for _, of_one in groupby(found, itemgetter(0)))
    return tuple(filter(None, grouped))


def standing_row(client_id: ClientId, standing: Standing) -> Row:
    """Return the row of `tables.client_standings`."""
    effective_at = standing.effective_at
    return (
        client_id,
        standing.state.value,
        standing.code,
        milliseconds(standing.since),
        standing.reason,
        standing.actor,
        milliseconds(effective_at) if effective_at is not None else None,
        standing.approved_by,
        int(standing.unapproved),
    )


def standing(row: Row) -> Standing | None:
    """Return the standing in a row of `tables.client_standings` after its client_id."""
    state, code, since, reason, actor, effective_at, approved_by, unapproved = row
    if state is None:
        return None
    return Standing(
        state=State(state),
        code=code,
        since=from_milliseconds(since),
        reason=reason,
        actor=actor,
        effective_at=from_milliseconds(effective_at) if effective_at is not None else None,
        approved_by=approved_by,
        unapproved=bool(unapproved),
    )


def ended_client(row: Row) -> ClientRecord:
    """Return the client in a row of `statements.FIND_ENDED_VERSION`."""
    client_id, organization = row[:2]
    keys = tuple(
        _key(client_id, organization, (key.kid, key.x5t_s256, key.url, key.certificate))
        for key in _decode_keys(row[7])
    )
    return _record(row[:7], keys)


def ended_keys(rows: Iterable[Row]) -> bytes:
    """Return the JSON that keeps the keys of an ending version, given in their order."""
    return _encode(
        [
            _EndedKey(X5tS256(x5t_s256), certificate, kid=kid, url=url)
            for kid, x5t_s256, url, certificate in rows
        ]
    )


def found_key(row: Row) -> RegisteredKey:
    """Return the key in a row of `statements.FIND_KEYS`."""
    client_id, organization = row[:2]
    return _key(client_id, organization, row[2:])


def entry(row: Row) -> LedgerEntry:
    """Return the entry in a row of `tables.ledger`."""
    key, signature, organization, request_id, client_id, version, at = row
    return LedgerEntry(
        key=key,
        signature=signature,
        organization_identifier=OrganizationIdentifier(organization),
        request_id=RequestId(request_id),
        client_id=ClientId(client_id),
        version=version,
        at=from_milliseconds(at),
    )


def token(row: Row) -> AccessToken:
    """Return the token in a row of `tables.access_tokens`."""
    token_hash, client_id, organization, x5t_s256, scope, expires_at = row
    return AccessToken(
        token_hash=token_hash,
        client_id=ClientId(client_id),
        organization_identifier=organization,
        x5t_s256=X5tS256(x5t_s256),
        scope=frozenset(scope.split()),
        expires_at=from_milliseconds(expires_at),
    )


def _key(client_id: str, organization: str, row: Row) -> RegisteredKey:
    kid, x5t_s256, url, certificate = row
    return RegisteredKey(
        client_id=ClientId(client_id),
        organization_identifier=OrganizationIdentifier(organization),
        x5t_s256=X5tS256(x5t_s256),
        certificate=certificate,
        kid=kid,
        url=url,
    )


def _record(
    row: Row,
    keys: tuple[RegisteredKey, ...],
    standing: Standing | None = None,
    *,
    used_token: int = 1,
) -> ClientRecord:
    client_id, organization, version, metadata, issued_at, updated_at, token_generation = row
    return ClientRecord(
        client_id=ClientId(client_id),
        organization_identifier=OrganizationIdentifier(organization),
        metadata=_decode_metadata(metadata),
        keys=keys,
        issued_at=_from_seconds(issued_at),
        updated_at=_from_seconds(updated_at),
        version=version,
        standing=standing,
        token_generation=token_generation,
        used_token=used_token,
    )
