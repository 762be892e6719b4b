"""What others are told of a client: an event in the envelope of Standard Webhooks."""

from datetime import datetime
from typing import Final

import msgspec

from enrol.oauth.metadata import ClientMetadata
from enrol.registration.audit import AuditEvent, EventType
from enrol.registration.record import ClientRecord
from enrol.registration.states import State, state_at

CLIENT_EVENTS: Final = tuple([each for each in EventType if each.startswith("client.")])
"""The types of events that can be told."""

_encode: Final = msgspec.json.Encoder().encode


class ClientEventData(msgspec.Struct, frozen=True, omit_defaults=True):
    """A client as it is once the event has happened, whole; of one that is gone only who it was.

    `sequence` is the number of the event in the audit trail: of two events of a client the later
    one has the higher. `version` counts the changes of the client from 1. Only a client whose
    `state` is active may be given tokens; a pending one is from `effective_at` on, where that is
    set. `code` is the rule behind the event, such as that a suspended client fails. `request_id` is
    the X-Request-ID of the TPP's request. `metadata` are those that were granted; no secret and no
    token is among them.
    """

    client_id: str
    organization_identifier: str
    sequence: int
    version: int
    state: State
    effective_at: datetime | None = None
    code: str | None = None
    request_id: str | None = None
    client_id_issued_at: int | None = None
    metadata: ClientMetadata | None = None


class ClientEvent(msgspec.Struct, frozen=True):
    """What is sent; `timestamp` is when the event happened."""

    type: str
    timestamp: datetime
    data: ClientEventData


def event_of_client(event: AuditEvent, sequence: int, record: ClientRecord) -> bytes:
    """Return what is sent of an event after which a client stands."""
    data = ClientEventData(
        client_id=record.client_id,
        organization_identifier=record.organization_identifier,
        sequence=sequence,
        version=record.version,
        state=state_at(record.standing, event.at),
        effective_at=record.standing.effective_at if record.standing else None,
        code=event.code,
        request_id=event.request_id,
        client_id_issued_at=int(record.issued_at.timestamp()),
        metadata=record.metadata,
    )
    return _encode(ClientEvent(event.type.value, event.at, data))


def event_of_end(event: AuditEvent, sequence: int, *, version: int) -> bytes:
    """Return what is sent of an event that ended a client; `version` was its last."""
    data = ClientEventData(
        client_id=event.client_id or "",
        organization_identifier=event.organization_identifier or "",
        sequence=sequence,
        version=version,
        state=State.DELETED,
        code=event.code,
        request_id=event.request_id,
    )
    return _encode(ClientEvent(event.type.value, event.at, data))
