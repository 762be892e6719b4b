"""What is remembered of a registration: the client record and the keys that belong to it."""

from datetime import datetime

import msgspec

from enrol.eidas.organization import OrganizationIdentifier
from enrol.oauth.metadata import ClientMetadata
from enrol.oauth.types import ClientId, X5tS256
from enrol.registration.states import Standing


class RegisteredKey(msgspec.Struct, frozen=True):
    """One certificate whose key may sign for a client, and the names a ``keyId`` finds it by.

    `certificate` is DER. `kid` is the JWK's, `url` the certificate URL of the registering request.
    """

    client_id: ClientId
    organization_identifier: OrganizationIdentifier
    x5t_s256: X5tS256
    certificate: bytes
    kid: str | None = None
    url: str | None = None


class ClientRecord(msgspec.Struct, frozen=True):
    """A registered client as it is stored (RFC 7591 §3.2.1).

    `issued_at` and `updated_at` are aware UTC, whole seconds. `version` counts changes from 1.
    An active client has no `standing`. Of its management tokens that of `token_generation` was
    issued last, that of `used_token` used last.
    """

    client_id: ClientId
    organization_identifier: OrganizationIdentifier
    metadata: ClientMetadata
    keys: tuple[RegisteredKey, ...]
    issued_at: datetime
    updated_at: datetime
    version: int
    standing: Standing | None = None
    token_generation: int = 1
    used_token: int = 1
