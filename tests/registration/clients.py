"""A client as the domain sees it, and a register of such clients."""

from datetime import UTC, datetime

from msgspec.structs import replace

from enrol.eidas.organization import OrganizationIdentifier
from enrol.errors import UnavailableError
from enrol.oauth.jwk import JsonWebKey, JsonWebKeySet
from enrol.oauth.metadata import ClientMetadata, Contact
from enrol.oauth.types import ClientId
from enrol.registration.record import ClientRecord

AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
ACME = OrganizationIdentifier("PSDFR-ACPR-12345")
METADATA = ClientMetadata(
    redirect_uris=("https://tpp.example/callback",),
    token_endpoint_auth_method="tls_client_auth",
    client_name="Acme",
    scope="aisp",
    contact=Contact(email="desk@tpp.example"),
    jwks=JsonWebKeySet((JsonWebKey(kty="RSA", kid="one", x5c=("AA==",)),)),
)


def client(standing=None, *, name="client-1", metadata=METADATA):
    """Return a client at version 3."""
    return ClientRecord(ClientId(name), ACME, metadata, (), AT, AT, 3, standing)


class Register:
    """`ManagedClients`, as far as states go."""

    def __init__(self, *clients):
        self.clients = {each.client_id: each for each in clients}
        self.events = []

    async def find(self, client_id):
        return self.clients.get(client_id)

    async def find_due(self, at, limit):
        due = [
            each
            for each in self.clients.values()
            if each.standing and each.standing.effective_at and each.standing.effective_at <= at
        ]
        return tuple(due[:limit])

    async def set_state(self, change):
        record = self.clients.get(change.client_id)
        if record is None or (record.version, record.standing) != (change.version, change.before):
            raise UnavailableError("concurrent_change")
        if change.removes:
            del self.clients[change.client_id]
        else:
            self.clients[change.client_id] = replace(record, standing=change.after)
        self.events.append(change.event)
