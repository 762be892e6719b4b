"""What a change rests on is judged in its transaction: statements, and the scopes of agents."""

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace

from adapters.conftest import Query
from adapters.values import (
    AT,
    ORGANIZATION,
    OTHER_ORGANIZATION,
    creation,
    removal,
    replacement,
)
from enrol.adapters.store import RegisterStore
from enrol.eidas.organization import OrganizationIdentifier
from enrol.errors import ClientMetadataError, EntitlementError
from enrol.registration.agents import AgentScope
from enrol.registration.ports import Change, Creation, LedgerEntry, Replacement
from enrol.registration.record import ClientRecord
from enrol.registration.stated import StatementUse

AGENT = "AGTFR-ACPR-1"


def stated(
    number: int, name: str, *, once: bool = True, text: str = "text", **others: Any
) -> Change:
    """Return the creation of a client that rests on a statement."""
    made = creation(number, **others)
    use = StatementUse(name.encode().ljust(32), text.encode().ljust(32), once)
    return replace(made, write=replace(made.write, statement=use))


def of_scope(
    number: int,
    scope: str,
    *,
    agent: str | None = None,
    organization: OrganizationIdentifier = ORGANIZATION,
) -> Change:
    """Return the creation of a client with a scope, in a dialect that holds agents to it."""
    made = creation(number, organization=organization)
    assert isinstance(made.write, Creation)
    record = made.write.record
    metadata = replace(record.metadata, scope=scope, client_legal_id=agent)
    record = replace(record, metadata=metadata)
    return replace(made, write=replace(made.write, record=record, agents=AgentScope.CLIENTS))


def record_of(change: Change) -> ClientRecord:
    assert isinstance(change.write, Creation | Replacement)
    return change.write.record


def with_scope(old: Change, scope: str, *, number: int) -> Change:
    """Return the update of a client to a scope."""
    record = record_of(old)
    made = replacement(record, request_number=number)
    new = replace(record_of(made), metadata=replace(record.metadata, scope=scope))
    return replace(made, write=replace(made.write, record=new, agents=AgentScope.CLIENTS))


def without(old: Change, *, number: int) -> Change:
    made = removal(record_of(old), request_number=number)
    return replace(made, write=replace(made.write, agents=AgentScope.CLIENTS))


async def outcomes(store: RegisterStore, *changes: Change) -> list[str]:
    """Commit changes at the same time, and return what came of each."""
    found = await asyncio.gather(*map(store.clients.commit, changes), return_exceptions=True)
    return [
        "done" if isinstance(each, LedgerEntry) else getattr(each, "code", repr(each))
        for each in found
    ]


async def test_a_statement_registers_one_client_however_many_come_at_once(
    store: RegisterStore, query: Query
) -> None:
    found = await outcomes(store, *(stated(number, "a") for number in range(1, 21)))
    assert sorted(found) == ["done", *["statement_reused"] * 19]
    assert query("SELECT count(*) FROM clients") == [(1,)]
    assert query("SELECT client_id FROM software_statements") == [("client-1",)]


async def test_a_statement_for_many_registers_clients_of_its_organisation_alone(
    store: RegisterStore,
) -> None:
    await store.clients.commit(stated(1, "a", once=False))
    await store.clients.commit(stated(2, "a", once=False))
    with pytest.raises(ClientMetadataError, match="statement_reused"):
        await store.clients.commit(stated(3, "a", once=False, organization=OTHER_ORGANIZATION))


async def test_one_name_is_not_that_of_two_statements(store: RegisterStore) -> None:
    await store.clients.commit(stated(1, "a", once=False))
    with pytest.raises(ClientMetadataError, match="statement_reused"):
        await store.clients.commit(stated(2, "a", once=False, text="other"))


async def test_a_client_may_send_its_statement_again_when_it_is_updated(
    store: RegisterStore, query: Query
) -> None:
    first = stated(1, "a")
    await store.clients.commit(first)
    update = replacement(record_of(first), request_number=2)
    assert isinstance(first.write, Creation)
    again = replace(update, write=replace(update.write, statement=first.write.statement))
    await store.clients.commit(again)
    assert query("SELECT version FROM clients") == [(2,)]


async def test_a_statement_is_not_free_again_when_its_client_is_gone(store: RegisterStore) -> None:
    first = stated(1, "a")
    await store.clients.commit(first)
    await store.clients.commit(removal(record_of(first), request_number=2))
    with pytest.raises(ClientMetadataError, match="statement_reused"):
        await store.clients.commit(stated(3, "a"))


async def test_a_registration_that_is_refused_uses_no_statement(
    store: RegisterStore, query: Query
) -> None:
    refused = stated(1, "a", quota=0)
    with pytest.raises(EntitlementError, match="quota_reached"):
        await store.clients.commit(refused)
    assert query("SELECT * FROM software_statements") == []
    await store.clients.commit(stated(2, "a"))


async def test_an_agent_is_registered_after_its_tpp_and_with_no_more(store: RegisterStore) -> None:
    agent = of_scope(2, "aisp", agent=AGENT)
    with pytest.raises(EntitlementError, match="agent_without_client"):
        await store.clients.commit(agent)
    await store.clients.commit(of_scope(1, "aisp"))
    with pytest.raises(EntitlementError, match="agent_scope"):
        await store.clients.commit(of_scope(3, "aisp pisp", agent=AGENT))
    await store.clients.commit(agent)


async def test_the_client_of_another_organisation_gives_nothing(store: RegisterStore) -> None:
    await store.clients.commit(of_scope(1, "aisp", organization=OTHER_ORGANIZATION))
    with pytest.raises(EntitlementError, match="agent_without_client"):
        await store.clients.commit(of_scope(2, "aisp", agent=AGENT))


async def test_the_same_agent_may_act_for_two_tpps(store: RegisterStore, query: Query) -> None:
    for number, organization in enumerate((ORGANIZATION, OTHER_ORGANIZATION)):
        for half in (
            of_scope(2 * number, "aisp", organization=organization),
            of_scope(2 * number + 1, "aisp", agent=AGENT, organization=organization),
        ):
            await store.clients.commit(half)
    assert query("SELECT count(*), count(DISTINCT organization_identifier) FROM client_agents") == [
        (2, 2)
    ]


async def test_a_tpps_client_is_neither_narrowed_nor_removed_below_its_agents(
    store: RegisterStore,
) -> None:
    own, agent = of_scope(1, "aisp pisp"), of_scope(2, "aisp", agent=AGENT)
    await store.clients.commit(own)
    await store.clients.commit(agent)
    with pytest.raises(EntitlementError, match="agents_depend"):
        await store.clients.commit(with_scope(own, "pisp", number=3))
    with pytest.raises(EntitlementError, match="agents_depend"):
        await store.clients.commit(without(own, number=4))
    narrower = with_scope(own, "aisp", number=5)
    await store.clients.commit(narrower)
    await store.clients.commit(without(agent, number=6))
    await store.clients.commit(without(narrower, number=7))


async def test_an_update_of_an_agent_keeps_to_its_tpps_clients(store: RegisterStore) -> None:
    agent = of_scope(2, "aisp", agent=AGENT)
    for change in (of_scope(1, "aisp"), agent):
        await store.clients.commit(change)
    with pytest.raises(EntitlementError, match="agent_scope"):
        await store.clients.commit(with_scope(agent, "aisp pisp", number=3))
    await store.clients.commit(with_scope(agent, "aisp", number=4))


async def test_an_agent_does_not_come_while_its_tpp_goes(
    store: RegisterStore, query: Query
) -> None:
    own = of_scope(1, "aisp")
    await store.clients.commit(own)
    found = await outcomes(store, without(own, number=2), of_scope(3, "aisp", agent=AGENT))
    assert found == ["done", "agent_without_client"]
    assert query("SELECT * FROM clients") == []


async def test_a_tpp_does_not_go_while_its_agent_comes(store: RegisterStore) -> None:
    own = of_scope(1, "aisp")
    await store.clients.commit(own)
    found = await outcomes(store, of_scope(3, "aisp", agent=AGENT), without(own, number=2))
    assert found == ["done", "agents_depend"]


async def test_a_tpp_and_its_agent_may_come_at_once(store: RegisterStore) -> None:
    found = await outcomes(store, of_scope(1, "aisp"), of_scope(2, "aisp", agent=AGENT))
    assert found == ["done", "done"]


async def test_two_clients_do_not_both_go_that_an_agent_could_rest_on(store: RegisterStore) -> None:
    first, second = of_scope(1, "aisp"), of_scope(2, "aisp")
    for change in (first, second, of_scope(3, "aisp", agent=AGENT)):
        await store.clients.commit(change)
    found = await outcomes(store, without(first, number=4), without(second, number=5))
    assert found == ["done", "agents_depend"]


async def test_a_dialect_that_asks_for_roles_alone_holds_agents_to_nothing_else(
    store: RegisterStore,
) -> None:
    agent = of_scope(1, "aisp", agent=AGENT)
    await store.clients.commit(replace(agent, write=replace(agent.write, agents=AgentScope.ROLES)))


async def test_a_family_of_many_pages_is_judged_whole(store: RegisterStore) -> None:
    await outcomes(store, *(of_scope(number, "pisp") for number in range(100, 330)))
    await store.clients.commit(of_scope(999, "aisp"))
    await store.clients.commit(of_scope(1, "aisp pisp", agent=AGENT))


async def test_what_would_be_refused_is_foreseen(store: RegisterStore) -> None:
    own, agent = of_scope(1, "aisp"), of_scope(2, "aisp", agent=AGENT)
    with pytest.raises(EntitlementError, match="agent_without_client"):
        await store.clients.foresee(agent.write, at=AT)
    await store.clients.commit(own)
    assert await store.clients.foresee(agent.write, at=AT) is None
    await store.clients.commit(agent)
    with pytest.raises(EntitlementError, match="agents_depend"):
        await store.clients.foresee(with_scope(own, "pisp", number=3).write, at=AT)
    await store.clients.commit(stated(5, "a"))
    with pytest.raises(ClientMetadataError, match="statement_reused"):
        await store.clients.foresee(stated(6, "a").write, at=AT)
