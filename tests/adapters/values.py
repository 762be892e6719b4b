"""Values of the domain to be stored, each different from every other by its number."""

import hashlib
from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from enrol.eidas.organization import OrganizationIdentifier
from enrol.oauth.jwk import JsonWebKey, JsonWebKeySet
from enrol.oauth.metadata import ClientMetadata, Contact
from enrol.oauth.mtls import x5t_s256
from enrol.oauth.tokens import AccessToken
from enrol.oauth.types import ClientId, RequestId
from enrol.registration.audit import AuditEvent, EventType
from enrol.registration.ports import Change, Creation, LedgerEntry, Removal, Replacement
from enrol.registration.record import ClientRecord, RegisteredKey

AT = datetime(2026, 11, 24, 12, 30, 15, tzinfo=UTC)
ORGANIZATION = OrganizationIdentifier("PSDFR-ACPR-12345")
OTHER_ORGANIZATION = OrganizationIdentifier("PSDDE-BAFIN-67890")


def key(
    number: int,
    *,
    client_id: ClientId | None = None,
    organization: OrganizationIdentifier = ORGANIZATION,
    kid: str | None = None,
    url: str | None = None,
) -> RegisteredKey:
    certificate = b"DER of certificate %d\x00\xff" % number
    thumbprint = x5t_s256(hashlib.sha256(certificate).digest())
    return RegisteredKey(
        client_id or ClientId(f"client-{number}"), organization, thumbprint, certificate, kid, url
    )


def record(
    number: int, *keys: RegisteredKey, organization: OrganizationIdentifier = ORGANIZATION
) -> ClientRecord:
    client_id = ClientId(f"client-{number}")
    return ClientRecord(
        client_id=client_id,
        organization_identifier=organization,
        metadata=ClientMetadata(
            redirect_uris=("https://tpp.example/callback",),
            client_name=f"Société n° {number} \u2028 \U0001f600",
            contact=Contact(email="desk@tpp.example"),
            scope="aisp pisp",
            jwks=JsonWebKeySet((JsonWebKey(kty="RSA", x5t_s256="x", x5c=("AA==",)),)),
        ),
        keys=keys or (key(number, organization=organization, kid=f"kid-{number}"),),
        issued_at=AT,
        updated_at=AT,
        version=1,
    )


def request(client: ClientRecord, number: int, version: int, *, name: EventType) -> dict:
    """Return the ledger entry and audit event of request `number` about a client."""
    request_id = RequestId(f"request-{number}")
    organization = client.organization_identifier
    digest = hashlib.sha256(f"{organization} {request_id}".encode()).digest()
    entry = LedgerEntry(
        digest, digest[::-1], organization, request_id, client.client_id, version, AT
    )
    event = AuditEvent(AT, name, organization, client.client_id, request_id, None, '{"version":1}')
    return {"entry": entry, "event": event}


def creation(
    number: int,
    *keys: RegisteredKey,
    organization: OrganizationIdentifier = ORGANIZATION,
    quota: int | None = None,
    request_number: int | None = None,
) -> Change:
    client = record(number, *keys, organization=organization)
    answered = request(client, request_number or number, 1, name=EventType.CLIENT_REGISTERED)
    return Change(Creation(client, quota), **answered)


def replacement(old: ClientRecord, *keys: RegisteredKey, request_number: int) -> Change:
    new = replace(
        old,
        metadata=ClientMetadata(client_name=f"version {old.version + 1}"),
        keys=keys or old.keys,
        updated_at=old.updated_at + timedelta(hours=1),
        version=old.version + 1,
    )
    answered = request(old, request_number, new.version, name=EventType.CLIENT_UPDATED)
    return Change(Replacement(new), **answered)


def removal(old: ClientRecord, *, request_number: int) -> Change:
    answered = request(old, request_number, old.version, name=EventType.CLIENT_DELETED)
    return Change(Removal(old.client_id, old.version), **answered)


def access_token(number: int, *, client_id: str = "PSD2_TPPRegister") -> AccessToken:
    digest = hashlib.sha256(b"token %d" % number).digest()
    return AccessToken(
        token_hash=digest,
        client_id=ClientId(client_id),
        organization_identifier=ORGANIZATION,
        x5t_s256=x5t_s256(digest),
        scope=frozenset({"manageRegistration", "other"}),
        expires_at=AT + timedelta(hours=1, milliseconds=number),
    )


def token_event(token: AccessToken) -> AuditEvent:
    return AuditEvent(AT, EventType.TOKEN_ISSUED, ORGANIZATION, token.client_id)


def refusal(number: int) -> AuditEvent:
    return AuditEvent(
        AT, EventType.REQUEST_REFUSED, request_id=RequestId(f"request-{number}"), code="KEY-2"
    )
