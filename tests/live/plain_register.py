"""What a register must be like, said as plainly as possible: a model to compare a bank with."""

from collections.abc import Iterable
from dataclasses import dataclass, field

SUSPENDED = "client_suspended"


@dataclass
class PlainClient:
    """A client as it must be; certificates are numbers.

    `tokens` are the management tokens by generation, of which that of `issued` was answered last,
    and that of `used` was the newest that was brought back.
    """

    client_id: str
    issued_at: int
    name: str
    seals: frozenset[int]
    tokens: dict[int, str]
    version: int = 1
    issued: int = 1
    used: int = 1
    is_suspended: bool = False

    @property
    def tag(self) -> str:
        return f'"{self.version}"'

    @property
    def older(self) -> int:
        """The generation of the token before the last one, which may not hold any more."""
        return max(1, self.issued - 1)

    def holds(self, generation: int) -> bool:
        return generation in (self.used, self.issued)


@dataclass
class PlainRegister:
    """The living clients of one organisation."""

    clients: dict[str, PlainClient] = field(default_factory=dict)

    def knows(self, seal: int) -> bool:
        return any(seal in client.seals for client in self.clients.values())

    def refusal(
        self,
        client: PlainClient,
        *,
        generation: int | None,
        seal: int,
        brought: Iterable[int] = (),
        tag: str | None = None,
    ) -> str | None:
        """Return the code a call about a client is refused with, None where it is carried out.

        It brings the token of a generation, or with None that of the token endpoint; `brought` are
        the certificates in its body. A token is used as soon as the call is believed.
        """
        if generation is not None and not client.holds(generation):
            return "token_superseded"
        if seal not in brought and not self.knows(seal):
            return "KEY-2"
        if generation is not None:
            client.used = max(client.used, generation)
        return "etag_stale" if tag not in (None, client.tag) else None

    def register(self, client: PlainClient) -> None:
        self.clients[client.client_id] = client

    def update(self, client: PlainClient, name: str, seals: frozenset[int]) -> None:
        client.name, client.seals = name, seals
        client.version += 1
        if client.used == client.issued:
            client.issued += 1

    def delete(self, client: PlainClient) -> None:
        del self.clients[client.client_id]
