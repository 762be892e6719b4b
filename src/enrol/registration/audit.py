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
    CLIENT_PENDING = "client.pending"
    CLIENT_FIRST_APPROVED = "client.first_approved"
    CLIENT_APPROVED = "client.approved"
    CLIENT_ACTIVATED = "client.activated"
    CLIENT_REJECTED = "client.rejected"
    CLIENT_SUSPENDED = "client.suspended"
    CLIENT_RESUMED = "client.resumed"
    REQUEST_REFUSED = "request.refused"
    TOKEN_ISSUED = "token.issued"  # noqa: S105 - the name of an event
    TOKEN_REVOKED = "token.revoked"  # noqa: S105 - same
    MESSAGE_DROPPED = "message.dropped"
    REGISTER_RESTORED = "register.restored"


class Blob(msgspec.Struct, frozen=True):
    """Bytes that many events rest on, kept once under their SHA-256."""

    sha256: bytes
    content: bytes


class AuditEvent(msgspec.Struct, frozen=True):
    """One event of the audit trail.

    `at` is aware UTC. `code` is the rule id of a refusal. `evidence` is JSON text made by Enrol:
    facts that were checked, and the SHA-256 of what they rest on. `request` is a request that was
    verified, in the form of `kept_request`. `blobs` are what `evidence` names by its digest.
    """

    at: datetime
    type: EventType
    organization_identifier: OrganizationIdentifier | None = None
    client_id: ClientId | None = None
    request_id: RequestId | None = None
    code: str | None = None
    evidence: str = "{}"
    request: bytes | None = None
    blobs: tuple[Blob, ...] = ()
