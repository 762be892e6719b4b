"""What parties, operators and crashes do to a register, at the bank and in the model."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from enrol.registration.operators import Action
from live.party import Draft, Party, Reply
from live.plain_register import SUSPENDED, PlainClient, PlainRegister
from live.register_world import ORGANIZATION, STANDING, World

MOST_CRASHES = 1
STATE = ("client_state", "client_state_reason")
STATUS = {"token_superseded": 401, "KEY-2": 401, "etag_stale": 400}

Pick = st.integers(0, 7)
Seal = st.integers(0, 2)
Seals = st.frozensets(Seal, min_size=1)
Name = st.sampled_from(["Acme Co.", "Acme Two", "Acme Three"])


class Bearer(Enum):
    """Which token a call brings."""

    OF_THE_ENDPOINT = "of the endpoint"
    NEWEST = "newest"
    OLDER = "older"


Bearers = st.sampled_from(Bearer)


@dataclass(frozen=True)
class Past:
    """A change that was carried out, as it was asked for, its answer, and the version it made."""

    party: Party
    draft: Draft
    reply: Reply
    client: PlainClient
    version: int


def without_state(reply: Reply) -> Any:
    """Return what an answer shows besides the state of the client."""
    shown = reply.json if reply.body else {}
    return {name: value for name, value in shown.items() if name not in STATE}


class Life(RuleBasedStateMachine):
    """The life of one organisation's clients, at the bank and in the model."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world = world
        self.register = PlainRegister()
        self.past: list[Past] = []
        self.qwac = 0
        self.crashes = 0

    # What is asked

    def chosen(self, pick: int) -> PlainClient:
        clients = [*self.register.clients.values()]
        return clients[pick % len(clients)]

    def metadata(self, name: str, seals: frozenset[int], **changes: Any) -> dict[str, Any]:
        keys = [self.world.party(0, each).metadata()["jwks"]["keys"][0] for each in sorted(seals)]
        party = self.world.party(0, 0)
        return party.metadata(client_name=name, jwks={"keys": keys}, **changes)

    def call(
        self, method: str, client: PlainClient, bearer: Bearer, seal: int, **parts: Any
    ) -> tuple[Party, Draft, int | None]:
        """Return who asks, what (but for the signature), and with the token of which generation."""
        party = self.world.party(self.qwac, seal)
        draft = party.draft(method, client.client_id, parts.get("body"))
        draft.set("If-Match", parts.get("tag"))
        generation = {Bearer.NEWEST: client.issued, Bearer.OLDER: client.older}.get(bearer)
        if generation is not None:
            draft.set("Authorization", f"Bearer {client.tokens[generation]}")
        return party, draft, generation

    # What must be answered

    def check_refused(self, reply: Reply, code: str) -> None:
        assert (reply.status, reply.code) == (STATUS[code], code)

    def check_shown(self, client: PlainClient, reply: Reply) -> None:
        """Check an answer with a registration, and learn the token in it where it is a new one."""
        shown = reply.json
        token = shown["registration_access_token"]
        if client.issued not in client.tokens:
            assert token not in client.tokens.values()
            client.tokens[client.issued] = token
        assert token == client.tokens[client.issued]
        place = f"https://127.0.0.1:{self.world.bank.port}{self.world.rival.register_path}"
        expected = self.metadata(client.name, client.seals, scope="aisp pisp") | {
            "client_id": client.client_id,
            "client_id_issued_at": client.issued_at,
            "registration_client_uri": f"{place}/{client.client_id}",
            "registration_access_token": token,
        }
        assert without_state(reply) == expected
        assert shown.get("client_state") == ("suspended" if client.is_suspended else None)
        assert reply.fields["etag"] == client.tag

    # What a TPP does

    @initialize(choices=st.lists(st.tuples(Name, Seals), min_size=1, max_size=3))
    def registers_some(self, choices: list[tuple[str, frozenset[int]]]) -> None:
        for name, seals in choices:
            self.registers(name, seals)

    @precondition(lambda self: len(self.register.clients) < 6)
    @rule(name=Name, seals=Seals)
    def registers_another(self, name: str, seals: frozenset[int]) -> None:
        self.registers(name, seals)

    def registers(self, name: str, seals: frozenset[int]) -> None:
        party = self.world.party(self.qwac, min(seals))
        draft = party.post(self.metadata(name, seals))
        reply = party.send(draft)
        assert reply.status == 201, reply
        client = PlainClient(
            *(reply.json["client_id"], reply.json["client_id_issued_at"], name, seals),
            tokens={1: reply.json["registration_access_token"]},
        )
        assert client.client_id not in self.register.clients
        self.register.register(client)
        self.check_shown(client, reply)
        self.past.append(Past(party, draft, reply, client, client.version))

    @precondition(lambda self: self.register.clients)
    @rule(pick=Pick, bearer=Bearers, seal=Seal)
    def reads(self, pick: int, bearer: Bearer, seal: int) -> None:
        client = self.chosen(pick)
        party, draft, generation = self.call("GET", client, bearer, seal)
        refusal = self.register.refusal(client, generation=generation, seal=seal)
        reply = party.send(party.signed(draft))
        if refusal:
            self.check_refused(reply, refusal)
        else:
            assert reply.status == 200, reply
            self.check_shown(client, reply)

    @precondition(lambda self: self.register.clients)
    @rule(pick=Pick, bearer=Bearers, seal=Seal, name=Name, seals=Seals, stale=st.booleans())
    def updates(self, stale: bool, **choices: Any) -> None:
        self.update(**choices, tag=lambda c: f'"{c.version + 1}"' if stale else c.tag)

    @precondition(lambda self: self.register.clients)
    @rule(pick=Pick, bearer=Bearers, seal=Seal, name=Name, seals=Seals)
    def renews_a_seal(self, **choices: Any) -> None:
        self.update(**choices)

    @precondition(lambda self: self.register.clients and self.crashes < MOST_CRASHES)
    @rule(pick=Pick, bearer=Bearers, seal=Seal, name=Name, seals=Seals)
    def asks_again_for_an_answer_that_a_crash_took(self, **choices: Any) -> None:
        self.update(**choices, send=self.lose)

    def update(
        self,
        *,
        pick: int,
        bearer: Bearer,
        seal: int,
        name: str,
        seals: frozenset[int],
        tag: Callable[[PlainClient], str | None] = lambda _: None,
        send: Callable[[Party, Draft], Reply] | None = None,
    ) -> None:
        client = self.chosen(pick)
        body = self.metadata(name, seals, client_id=client.client_id)
        named = tag(client)
        party, draft, generation = self.call("PUT", client, bearer, seal, body=body, tag=named)
        refusal = self.register.refusal(
            client, generation=generation, seal=seal, brought=seals, tag=named
        )
        reply = (send or Party.send)(party, party.signed(draft))
        if refusal:
            self.check_refused(reply, refusal)
            return
        assert reply.status == 200, reply
        self.register.update(client, name, seals)
        self.check_shown(client, reply)
        self.past.append(Past(party, draft, reply, client, client.version))

    @precondition(lambda self: self.register.clients)
    @rule(pick=Pick, bearer=Bearers, seal=Seal)
    def deletes(self, pick: int, bearer: Bearer, seal: int) -> None:
        client = self.chosen(pick)
        party, draft, generation = self.call("DELETE", client, bearer, seal)
        refusal = self.register.refusal(client, generation=generation, seal=seal)
        reply = party.send(party.signed(draft))
        if refusal:
            self.check_refused(reply, refusal)
            return
        assert reply.status == 204, reply
        self.register.delete(client)
        self.past.append(Past(party, draft, reply, client, client.version))

    @rule()
    def renews_the_certificate_of_its_connections(self) -> None:
        self.qwac = 1 - self.qwac

    @precondition(lambda self: self.past)
    @rule(pick=st.integers(0, 30))
    def asks_again(self, pick: int) -> None:
        """The same bytes get the same answer, whatever has become of client, key and token.

        A state is of no version: it is that of now, as long as the version stands.
        """
        past = self.past[pick % len(self.past)]
        reply = past.party.send(past.draft)
        assert (reply.status, without_state(reply)) == (
            past.reply.status,
            without_state(past.reply),
        )
        if reply.body:
            stands = past.client.client_id in self.register.clients
            stands = stands and past.version == past.client.version
            expected = "suspended" if stands and past.client.is_suspended else None
            assert reply.json.get("client_state") == expected

    @rule(name=Name, seals=Seals)
    def rehearses(self, name: str, seals: frozenset[int]) -> None:
        party = self.world.party(self.qwac, min(seals))
        draft = party.draft("POST", body=self.metadata(name, seals))
        reply = party.send(party.signed(draft.set("Prefer", "handling=validate-only")))
        assert (reply.status, reply.json["accepted"]) == (200, True)

    @precondition(lambda self: self.register.clients)
    @rule(seal=Seal)
    def lists(self, seal: int) -> None:
        party = self.world.party(self.qwac, seal)
        reply = party.send(party.signed(party.draft("GET")))
        if not self.register.knows(seal):
            self.check_refused(reply, "KEY-2")
            return
        assert [each["client_id"] for each in reply.json["clients"]] == sorted(
            self.register.clients
        )

    @precondition(lambda self: self.register.clients)
    @rule(pick=Pick)
    def asks_for_a_token_of_a_client(self, pick: int) -> None:
        client = self.chosen(pick)
        party = self.world.party(self.qwac, 0)
        reply = party.send(party.token_draft(client_id=client.client_id))
        if client.is_suspended:
            assert (reply.status, reply.code) == (401, SUSPENDED)
        else:
            assert reply.status == 200, reply

    # What others do

    @precondition(lambda self: self.register.clients)
    @rule(pick=Pick, method=st.sampled_from(["GET", "PUT", "DELETE"]), steals=st.booleans())
    def a_stranger_tries(self, pick: int, method: str, steals: bool) -> None:
        client, rival = self.chosen(pick), self.world.rival
        body = rival.metadata(client_id=client.client_id) if method == "PUT" else None
        draft = rival.draft(method, client.client_id, body)
        if steals:
            draft.set("Authorization", f"Bearer {client.tokens[client.issued]}")
        reply = rival.send(rival.signed(draft))
        expected = (401, "token_unknown") if steals else (403, "client_not_yours")
        assert (reply.status, reply.code) == expected

    @precondition(lambda self: self.register.clients)
    @rule(pick=Pick, action=st.sampled_from([Action.SUSPEND, Action.RESUME]))
    def an_operator_decides(self, pick: int, action: Action) -> None:
        client = self.chosen(pick)
        suspends = action is Action.SUSPEND
        refusal = self.world.order(action, client.client_id)
        assert refusal == ("transition_refused" if suspends == client.is_suspended else None)
        client.is_suspended = suspends

    @precondition(lambda self: self.crashes < MOST_CRASHES)
    @rule()
    def the_bank_crashes(self) -> None:
        self.crashes += 1
        self.world.bank.kill()
        self.world.bank.start()

    def lose(self, party: Party, draft: Draft) -> Reply:
        """Send a request, kill the bank before its answer is read, and ask again."""
        self.crashes += 1
        with party.connect() as connection:
            connection.sendall(draft.to_bytes())
            self.world.bank.kill()
        self.world.bank.start()
        return party.send(draft)

    # What must be so at all times

    @invariant()
    def the_database_agrees(self) -> None:
        assert set(self.world.bank.rows(STANDING, ORGANIZATION)) == {
            (
                *(client.client_id, client.version, client.issued, client.used),
                *("suspended" if client.is_suspended else None, len(client.seals)),
            )
            for client in self.register.clients.values()
        }

    def teardown(self) -> None:
        """Leave an empty register, whatever this life came to."""
        if self.world.bank.process.poll() is not None:
            self.world.bank.start()
        sql = "SELECT client_id FROM clients WHERE organization_identifier = ?"
        for (client_id,) in self.world.bank.rows(sql, ORGANIZATION):
            assert self.world.order(Action.DELETE, client_id) is None
