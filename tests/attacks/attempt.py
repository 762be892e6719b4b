"""One attack on its way: the good request it starts from, what bends it, and what came back."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from attacks.bank import Bank
from attacks.corpus import Attack
from attacks.signatures import sign
from attacks.wire import Identity, Outcome, exchange, exhaust
from live.party import Draft, Party, Reply

Edit = Callable[[Draft], object]


@dataclass
class Before:
    """What was so before the first byte was sent."""

    clients: int
    registered: int
    peak_memory: int
    visits: int
    log_lines: int
    stored: dict[str, Any]


@dataclass
class Attempt:
    """A request of A in the making.

    `early` edits come before the signature, `late` ones after it; there is one request for each of
    `seals`. `act` sends and returns what came back, `judged` says how many of those outcomes the
    case speaks of, None all, a negative number the last ones.
    """

    attack: Attack
    bank: Bank
    sender: Party
    identity: Identity | None
    payload: Any = None
    document: dict[str, Any] = field(default_factory=dict)
    body: bytes | None = None
    early: list[Edit] = field(default_factory=list)
    late: list[Edit] = field(default_factory=list)
    seals: list[Edit] = field(default_factory=list)
    act: Callable[[], list[Outcome]] | None = None
    judged: int | None = None
    watched: list[str] = field(default_factory=list)
    secrets: list[str] = field(default_factory=list)
    notes: dict[str, Any] = field(default_factory=dict)
    outcomes: list[Outcome] = field(default_factory=list)
    before: Before | None = None

    def fill(self, value: Any) -> Any:
        """Return a value of an operation with the variant in it."""
        if value == "$v":
            return self.payload
        return value.replace("$v", self.payload) if isinstance(value, str) else value

    def set_field(self, name: str, value: str | None) -> None:
        """Set a header field before the signature."""
        self.early.append(lambda draft: draft.set(name, value))

    def use_qsealc(self, pair: Any) -> None:
        """Let the sender register and sign with another QSealC."""
        token = self.sender.token
        other = Party(
            self.sender.port, self.sender.ca, self.sender.organization, self.sender.qwac, pair
        )
        other.use_token(token)
        self.sender = other
        self.document["jwks"] = other.metadata()["jwks"]

    def octets_of_body(self) -> bytes:
        """Return the body as it will be sent."""
        if self.body is not None:
            return self.body
        return json.dumps(self.document, separators=(",", ":")).encode()

    def compose(self, seal: Edit | None = None) -> Draft:
        """Return the whole request."""
        draft = self.sender.draft("POST", body=self.octets_of_body())
        for edit in self.early:
            edit(draft)
        (seal or (lambda made: sign(made, self.sender)))(draft)
        for edit in self.late:
            edit(draft)
        return draft

    def send(self, data: bytes | Iterable[bytes], *, replies: int = 1) -> Outcome:
        """Send on a connection of its own; to the end of it where the case asks for that."""
        if "single_response" in self.attack.invariants:
            return exhaust(self.bank.desk.port, self.identity, data)
        return exchange(self.bank.desk.port, self.identity, data, replies=replies)

    def run(self) -> None:
        """Note how things are, attack, and keep what came back."""
        self.before = Before(
            clients=self.bank.desk.count_clients(),
            registered=self.bank.count_events("client.registered"),
            peak_memory=self.bank.peak_memory(),
            visits=self.bank.sink.visits,
            log_lines=len(self.bank.desk.log_lines),
            stored={client_id: self.bank.stored(client_id) for client_id in self.watched},
        )
        self.outcomes = (self.act or self._send_each)()

    def _send_each(self) -> list[Outcome]:
        return [self.send(self.compose(seal).to_bytes()) for seal in self.seals or [None]]

    @property
    def subjects(self) -> list[Outcome]:
        """The outcomes that the case speaks of."""
        if self.judged is None:
            return self.outcomes
        return self.outcomes[: self.judged] if self.judged > 0 else self.outcomes[self.judged :]

    @property
    def replies(self) -> list[Reply]:
        """Every answer that came."""
        return [reply for outcome in self.outcomes for reply in outcome.replies]

    @property
    def banks(self) -> list[Bank]:
        """Every bank that was talked to."""
        return [self.bank, *self.notes.get("banks", [])]

    @property
    def start(self) -> Before:
        """What was so before the first byte was sent."""
        assert self.before is not None
        return self.before


def begin(attack: Attack, bank: Bank) -> Attempt:
    """Return the good request of A that every attack starts from."""
    attempt = Attempt(attack, bank, bank.a, bank.a.qwac, payload=attack.text)
    attempt.document = bank.a.metadata()
    attempt.secrets += [party.token for party in bank.parties.values()]
    return attempt
