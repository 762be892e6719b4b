"""The answer to a registration: RFC 7591 §3.2.1, STET 1.0.5 ``RegistrationRecord``."""

import msgspec

from enrol.oauth.metadata import ClientMetadata
from enrol.oauth.tokens import registration_access_token
from enrol.registration.record import ClientRecord


class RegistrationResponse(ClientMetadata, frozen=True, omit_defaults=True, kw_only=True):
    """The client information response; `client_id_issued_at` in seconds since 1970, UTC.

    No secret is ever issued, so ``client_secret`` and its expiry are absent.
    """

    client_id: str
    client_id_issued_at: int
    registration_client_uri: str
    registration_access_token: str


def respond(record: ClientRecord, *, register_uri: str, secret: bytes) -> RegistrationResponse:
    """Return the answer about `record`; the same record gives the same answer each time.

    `register_uri` is the public URI of the registration endpoint, `secret` the server's.
    """
    return RegistrationResponse(
        **msgspec.structs.asdict(record.metadata),
        client_id=record.client_id,
        client_id_issued_at=int(record.issued_at.timestamp()),
        registration_client_uri=f"{register_uri}/{record.client_id}",
        registration_access_token=registration_access_token(secret, record.client_id),
    )
