"""Two organisations and an agent: who may register, change and remove whom."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from live.desk import Desk
from live.operations import OPERATIONS, Operation
from live.party import Party, Reply

AGENT = "AGTFR-ACPR-12345001"
ONE, TWO = "PSDFR-ACPR-31001", "PSDFR-ACPR-31002"


@pytest.fixture(scope="module")
def bank(desk: Desk, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A bank that lists clients."""
    folder = tmp_path_factory.mktemp("agents") / "bank"
    with desk.beside(folder, registration__listing="true") as running:
        yield running


@pytest.fixture
def tpp(bank: Desk, party_of: Callable[..., Party]) -> Iterator[Party]:
    """A TPP without any client."""
    yield from _without_clients(bank, party_of(bank, ONE))


@pytest.fixture
def rival(bank: Desk, party_of: Callable[..., Party]) -> Iterator[Party]:
    """Another one."""
    yield from _without_clients(bank, party_of(bank, TWO))


def _without_clients(bank: Desk, party: Party) -> Iterator[Party]:
    yield party
    # Its agents' clients go first.
    sql = (
        "SELECT client_id FROM clients WHERE organization_identifier = ?"
        " ORDER BY client_id NOT IN (SELECT client_id FROM client_agents)"
    )
    for (client_id,) in bank.rows(sql, party.organization):
        assert party.delete(client_id).status == 204
    party.close()


def register(party: Party, *, agent: str | None = None, **members: Any) -> Reply:
    changes = members if agent is None else {"client_legal_id": agent} | members
    return party.register(party.metadata(**changes))


def registered(party: Party, **members: Any) -> str:
    reply = register(party, **members)
    assert reply.status == 201, reply
    return str(reply.json["client_id"])


def update(party: Party, client_id: str, **members: Any) -> Reply:
    return party.put(client_id, party.metadata(client_id=client_id, **members))


def test_an_agent_is_a_client_of_its_own_beside_its_tpps(tpp: Party) -> None:
    own = registered(tpp)
    reply = register(tpp, agent=AGENT, scope="aisp")
    assert reply.status == 201
    assert reply.json["client_legal_id"] == AGENT
    assert reply.json["provider_legal_id"] == ONE
    assert reply.json["client_id"] != own
    assert tpp.get(reply.json["client_id"]).json == reply.json


def test_an_agent_does_not_come_before_its_tpp(bank: Desk, tpp: Party, rival: Party) -> None:
    registered(rival)
    before = bank.count_clients()
    reply = register(tpp, agent=AGENT)
    assert (reply.status, reply.code) == (403, "agent_without_client")
    assert bank.count_clients() == before


def test_an_agent_has_no_scope_that_its_tpp_has_not(tpp: Party) -> None:
    own = registered(tpp, scope="aisp")
    refused = register(tpp, agent=AGENT, scope="aisp pisp")
    assert (refused.status, refused.code) == (403, "agent_scope")
    agent = registered(tpp, agent=AGENT, scope="aisp")
    wider = update(tpp, agent, client_legal_id=AGENT, scope="aisp pisp")
    assert (wider.status, wider.code) == (403, "agent_scope")
    assert update(tpp, own, scope="aisp pisp").status == 200
    assert update(tpp, agent, client_legal_id=AGENT, scope="aisp pisp").status == 200


def test_a_tpps_client_is_not_narrowed_or_deleted_below_its_agents(tpp: Party) -> None:
    own = registered(tpp, scope="aisp pisp")
    agent = registered(tpp, agent=AGENT, scope="aisp")
    narrowed, deleted = update(tpp, own, scope="pisp"), tpp.delete(own)
    assert (narrowed.status, narrowed.code) == (403, "agents_depend")
    assert (deleted.status, deleted.code) == (403, "agents_depend")
    assert tpp.get(own).json["scope"] == "aisp pisp"
    assert update(tpp, own, scope="aisp").status == 200
    assert tpp.delete(agent).status == 204
    assert tpp.delete(own).status == 204


def test_a_second_own_client_lets_the_first_go(tpp: Party) -> None:
    first, second = registered(tpp), registered(tpp)
    registered(tpp, agent=AGENT, scope="aisp")
    assert tpp.delete(first).status == 204
    assert tpp.delete(second).code == "agents_depend"


def test_an_agent_stays_the_agent_it_was_registered_as(tpp: Party) -> None:
    own, agent = registered(tpp), registered(tpp, agent=AGENT)
    for client_id, legal_id in ((agent, "AGTFR-ACPR-2"), (agent, None), (own, AGENT)):
        reply = update(tpp, client_id, client_legal_id=legal_id)
        assert (reply.status, reply.code) == (400, "client_legal_id_differs")


@pytest.mark.parametrize("legal_id", ["AGTDE-BAFIN-1", "AGTFR-BDF-1"])
def test_an_agent_is_numbered_by_its_tpps_authority(tpp: Party, legal_id: str) -> None:
    registered(tpp)
    reply = register(tpp, agent=legal_id)
    assert (reply.status, reply.code) == (400, "client_legal_id_authority")


def test_two_tpps_may_have_the_same_agent_and_neither_sees_the_others(
    tpp: Party, rival: Party
) -> None:
    registered(tpp), registered(rival)
    ours, theirs = registered(tpp, agent=AGENT), registered(rival, agent=AGENT)
    assert ours != theirs
    listed = {party.organization: _listed(party) for party in (tpp, rival)}
    assert ours in listed[ONE]
    assert theirs not in listed[ONE]
    assert {client.get("agent_of") for client in listed[ONE].values()} == {None, ONE}
    assert listed[TWO][theirs]["client_legal_id"] == AGENT
    assert listed[TWO][theirs]["agent_of"] == TWO


def _listed(party: Party) -> dict[str, Any]:
    reply = party.send(party.signed(party.draft("GET")))
    assert reply.status == 200
    return {client["client_id"]: client for client in reply.json["clients"]}


@pytest.mark.parametrize(
    "operation", [each for each in OPERATIONS if each.method != "POST"], ids=lambda each: each.name
)
def test_an_agent_is_out_of_reach_of_another_organisation(
    bank: Desk, tpp: Party, rival: Party, operation: Operation
) -> None:
    registered(tpp), registered(rival)
    agent = registered(tpp, agent=AGENT)
    before = tpp.get(agent).body
    foreign = rival.send(operation.request(rival, agent, client_legal_id=AGENT))
    unknown = rival.send(operation.request(rival, "nobody", client_legal_id=AGENT))
    assert foreign.status == unknown.status == 403
    assert foreign.code == unknown.code == "client_not_yours"
    assert tpp.get(agent).body == before


def test_an_agent_never_comes_while_its_tpp_goes(
    bank: Desk, tpp: Party, party_of: Callable[..., Party]
) -> None:
    """Whoever of the two is first, no agent is left without its TPP."""
    parties = [tpp, party_of(bank, ONE)]
    for _ in range(5):
        own = registered(tpp, scope="aisp")
        with ThreadPoolExecutor(2) as pool:
            gone = pool.submit(parties[0].delete, own)
            come = pool.submit(register, parties[1], agent=AGENT, scope="aisp")
        outcome = (gone.result().status, come.result().status)
        assert outcome in ((204, 403), (403, 201))
        if outcome == (403, 201):
            assert tpp.delete(come.result().json["client_id"]).status == 204
            assert tpp.delete(own).status == 204
    parties[1].close()


def test_a_dry_run_tells_what_would_become_of_agents(tpp: Party) -> None:
    def codes(method: str, client_id: str | None, **members: Any) -> list[str]:
        body = tpp.metadata(**members, **({"client_id": client_id} if client_id else {}))
        draft = tpp.draft(method, client_id, body).set("Prefer", "handling=validate-only")
        return [each["code"] for each in tpp.send(tpp.signed(draft)).json["findings"]]

    assert codes("POST", None, client_legal_id=AGENT) == ["agent_without_client"]
    own = registered(tpp, scope="aisp")
    assert codes("POST", None, client_legal_id=AGENT) == ["agent_scope"]
    assert codes("POST", None, client_legal_id=AGENT, scope="aisp") == []
    agent = registered(tpp, agent=AGENT, scope="aisp")
    assert codes("PUT", own, scope="pisp") == ["agents_depend"]
    assert codes("PUT", agent, client_legal_id=AGENT) == ["agent_scope"]


def test_an_agent_gets_tokens_with_its_own_client_id(tpp: Party) -> None:
    registered(tpp)
    agent = registered(tpp, agent=AGENT)
    assert tpp.send(tpp.token_draft(client_id=agent)).status == 200


def test_ids_of_agents_are_neither_counted_nor_told_by_those_of_their_tpp(tpp: Party) -> None:
    ids = [registered(tpp), *(registered(tpp, agent=f"AGTFR-ACPR-{n}") for n in range(4))]
    tails = {client_id[12:] for client_id in ids}
    assert len(tails) == len(ids)
    assert all(len(tail) == 20 for tail in tails)


def test_enrol_tpp_list_shows_a_tree(
    bank: Desk, party_of: Callable[..., Party], tmp_path: Path
) -> None:
    folder = tmp_path / "sandbox"
    shutil.copytree(bank.folder, folder, ignore=shutil.ignore_patterns("enrol.db*"))

    def enrol(*arguments: str) -> str:
        options = ["--profile", str(folder / "tpp" / "profile.toml")]
        options += ["--bank-url", f"https://127.0.0.1:{bank.port}"]
        command = [sys.executable, "-m", "enrol", "tpp", *arguments, *options]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    own = json.loads(enrol("register", "--json"))["client_id"]
    agent = json.loads(enrol("register", "--json", "--set", f"client_legal_id={AGENT}"))
    for arguments in (("list",), ("list", "--remote")):
        lines = enrol(*arguments).splitlines()
        assert own in lines[1]
        assert AGENT in lines[-2]
        assert agent["client_id"] in lines[-1]
        assert lines[-1].index(agent["client_id"]) > lines[-2].index("agent")
