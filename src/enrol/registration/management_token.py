"""The registration access token of a client: which ones hold, and when the next is issued.

RFC 7592 §3 lets an answer bring a new token. The old one holds until the new one is first used,
so that a lost answer locks nobody out (RFC 7592 §5).
"""

from dataclasses import dataclass

from enrol.eidas.organization import OrganizationIdentifier
from enrol.errors import TokenError
from enrol.oauth.derived_secrets import find_generation
from enrol.oauth.types import ClientId
from enrol.registration.ports import ClientStore, TokenUse
from enrol.registration.record import ClientRecord


def holds(record: ClientRecord, generation: int) -> bool:
    """Tell whether a token holds: the one used last, and the one issued last."""
    return generation in (record.used_token, record.token_generation)


def next_generation(record: ClientRecord) -> int:
    """Return the token an update is answered with: the next, once the one issued last was used.

    Until then it is that one again, so that no more than two hold at a time.
    """
    is_used = record.used_token == record.token_generation
    return record.token_generation + 1 if is_used else record.token_generation


@dataclass(frozen=True, slots=True)
class ManagementTokens:
    """Judges the tokens that clients were answered with."""

    clients: ClientStore
    secret: bytes

    def recognise(self, token: str, client_id: ClientId | None) -> TokenUse | None:
        """Return which token of the addressed client this is, None where it is none of them."""
        if client_id is None:
            return None
        generation = find_generation(self.secret, client_id, token)
        return TokenUse(client_id, generation) if generation is not None else None

    async def is_first_use(self, use: TokenUse, organization: OrganizationIdentifier) -> bool:
        """Tell whether a token that holds was never used before.

        Raises `TokenError` ``token_superseded``, and ``token_unknown`` where the client is
        another organisation's or was deleted.
        """
        record = await self.clients.find(use.client_id)
        if record is None or record.organization_identifier != organization:
            raise TokenError("token_unknown")
        if not holds(record, use.generation):
            raise TokenError("token_superseded")
        return use.generation > record.used_token
