"""A bank that the life of a register is tried at, and the certificates of who lives there."""

import asyncio
from dataclasses import dataclass, field

from enrol.adapters.control.client import Control
from enrol.errors import RefusalError
from enrol.oauth.types import ClientId
from enrol.registration.operators import Action, Order
from live.desk import Desk
from live.party import Pair, Party

ORGANIZATION, RIVAL = "PSDFR-ACPR-12345", "PSDFR-ACPR-22222"
STANDING = """
SELECT client_id, version, token_generation, coalesce(uses.generation, 1), standings.state,
  (SELECT count(*) FROM client_keys AS keys WHERE keys.client_id = clients.client_id)
FROM clients
LEFT JOIN client_token_uses AS uses USING (client_id)
LEFT JOIN client_standings AS standings USING (client_id)
WHERE organization_identifier = ?
"""


@dataclass
class World:
    """A running bank and the certificates of those who use it."""

    bank: Desk
    qwacs: tuple[Pair, ...]
    seals: tuple[Pair, ...]
    rival: Party
    parties: dict[tuple[int, int], Party] = field(default_factory=dict)

    def party(self, qwac: int, seal: int) -> Party:
        """Return the organisation as it speaks with two of its certificates."""
        if (qwac, seal) not in self.parties:
            pairs = self.qwacs[qwac], self.seals[seal]
            ca = self.bank.folder / "server-ca.pem"
            self.parties[qwac, seal] = Party(self.bank.port, ca, ORGANIZATION, *pairs)
        return self.parties[qwac, seal]

    def close(self) -> None:
        for party in self.parties.values():
            party.close()

    def order(self, action: Action, client_id: str) -> str | None:
        """Order something as an operator, and return the code it is refused with."""
        order = Order(action, ClientId(client_id), "For a test.")
        try:
            asyncio.run(Control(self.bank.database).carry_out(order, actor="ann"))
        except RefusalError as refusal:
            return refusal.code
        return None
