"""What is written down of each decision."""

from datetime import datetime
from enum import StrEnum

import msgspec

from enrol.eidas.organization import OrganizationIdentifier
from enrol.oauth.types import ClientId, RequestId


class EventType(StrEnum):
    """What happened."""

    CLIENT_REGISTERED = "client.registered"
    CLIENT_UPDATED = "client.updated"
    CLIENT_DELETED = "client.deleted"
    REQUEST_REFUSED = "request.refused"
    TOKEN_ISSUED = "token.issued"  # noqa: S105 - the name of an event


class AuditEvent(msgspec.Struct, frozen=True):
    """One event of the audit trail.

    `at` is aware UTC. `code` is the rule id of a refusal. `evidence` is JSON text made by Enrol;
    it holds digests and identifiers that were checked, never raw bytes of a request.
    """

    at: datetime
    type: EventType
    organization_identifier: OrganizationIdentifier | None = None
    client_id: ClientId | None = None
    request_id: RequestId | None = None
    code: str | None = None
    evidence: str = "{}"
