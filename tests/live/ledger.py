"""What one party asked of a bank and was told: the books that are kept outside of it."""

import random
from collections import deque
from dataclasses import dataclass, field

from live.operations import DELETION, REGISTRATION, UPDATE, Operation
from live.party import Draft, Party, Reply

KEPT_REGISTRATIONS = 20


@dataclass(frozen=True, slots=True)
class Step:
    """One change that is asked for; `client_id` is empty while there is none."""

    operation: Operation
    client_id: str
    draft: Draft

    @property
    def request_id(self) -> str:
        return str(self.draft.get("x-request-id"))


@dataclass
class Ledger:
    """What was acknowledged, and the one step whose answer was not seen yet.

    `clients` has the version of each living client, `registered` the client of each registration
    by its X-Request-ID, `asked` the X-Request-ID of every step. The last registrations are kept,
    to be sent again.
    """

    clients: dict[str, int] = field(default_factory=dict)
    removed: set[str] = field(default_factory=set)
    registered: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    open: Step | None = None
    registrations: deque[Step] = field(default_factory=lambda: deque(maxlen=KEPT_REGISTRATIONS))
    contradictions: list[str] = field(default_factory=list)

    def begin(self, party: Party, chance: random.Random) -> Step:
        """Think of a change and take it down before it is asked for."""
        operation = chance.choices((REGISTRATION, UPDATE, DELETION), (6, 2, 1))[0]
        if not self.clients:
            operation = REGISTRATION
        client_id = "" if operation is REGISTRATION else chance.choice([*self.clients])
        step = Step(operation, client_id, operation.request(party, client_id))
        self.open = step
        self.asked.append(step.request_id)
        if operation is REGISTRATION:
            self.registrations.append(step)
        return step

    def settle(self, reply: Reply) -> bool:
        """Take down the answer to the open step; False where it is no success."""
        step = self.open
        assert step is not None
        if reply.status != step.operation.success:
            return False
        if step.operation is REGISTRATION:
            client_id = reply.json["client_id"]
            if client_id in self.clients or client_id in self.removed:
                self.contradictions.append(f"{client_id} was given out twice")
            self.clients[client_id] = 1
            self.registered[step.request_id] = client_id
        elif step.operation is UPDATE:
            self.clients[step.client_id] += 1
        else:
            del self.clients[step.client_id]
            self.removed.add(step.client_id)
        self.open = None
        return True

    def compare(self, step: Step, reply: Reply) -> None:
        """Take down the answer to a registration that was acknowledged before."""
        told = reply.json.get("client_id") if reply.status == 201 else f"status {reply.status}"
        if told != self.registered[step.request_id]:
            self.contradictions.append(f"{step.request_id} was first {step.client_id}, now {told}")
