"""The same software is registered once where the desk says so, whoever comes at the same time."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from msgspec.structs import replace
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from adapters.conftest import Query
from adapters.values import AT, creation, key, record, removal, replacement
from enrol.adapters.migration import alembic_config, migrate
from enrol.adapters.sqlite import open_sqlite
from enrol.adapters.store import RegisterStore
from enrol.errors import ClientMetadataError, EntitlementError
from enrol.registration.ports import Change, Creation
from enrol.registration.record import ClientRecord
from enrol.registration.software import OnDuplicate, software_digest


def same(number: int, policy: OnDuplicate, *, quota: int | None = None) -> Change:
    """Return the creation of client `number`, all of which are the same software."""
    made = creation(number)
    client = record(number)
    keys = (replace(key(1), client_id=client.client_id),)
    client = replace(client, keys=keys, metadata=replace(client.metadata, client_name="Acme"))
    return replace(made, write=Creation(client, quota, policy))


def record_of(change: Change) -> ClientRecord:
    assert isinstance(change.write, Creation)
    return change.write.record


async def test_the_same_software_is_returned_as_it_stands(
    store: RegisterStore, query: Query
) -> None:
    first = await store.clients.commit(same(1, OnDuplicate.NEW))
    again = await store.clients.commit(same(2, OnDuplicate.RETURN))
    assert (again.client_id, again.version) == (first.client_id, 1)
    assert query("SELECT client_id FROM clients") == [("client-1",)]
    assert query("SELECT count(*) FROM audit_events") == [(1,)]


async def test_a_returned_client_is_returned_to_the_same_bytes_again(store: RegisterStore) -> None:
    await store.clients.commit(same(1, OnDuplicate.NEW))
    change = same(2, OnDuplicate.RETURN)
    entry = await store.clients.commit(change)
    assert await store.clients.find_entry(change.entry.key) == entry
    assert await store.clients.commit(change) == entry


async def test_the_same_software_is_refused(store: RegisterStore, query: Query) -> None:
    await store.clients.commit(same(1, OnDuplicate.NEW))
    with pytest.raises(ClientMetadataError, match="already_registered"):
        await store.clients.commit(same(2, OnDuplicate.REFUSE))
    assert query("SELECT count(*) FROM clients") == [(1,)]


async def test_the_same_software_is_registered_again_where_it_may(
    store: RegisterStore, query: Query
) -> None:
    for number in (1, 2):
        await store.clients.commit(same(number, OnDuplicate.NEW))
    assert query("SELECT count(*) FROM clients") == [(2,)]


@pytest.mark.parametrize("policy", [OnDuplicate.RETURN, OnDuplicate.REFUSE])
async def test_of_many_at_the_same_time_one_is_made(
    store: RegisterStore, query: Query, policy: OnDuplicate
) -> None:
    changes = [same(number, policy) for number in range(1, 21)]
    results: list[Any] = await asyncio.gather(
        *map(store.clients.commit, changes), return_exceptions=True
    )
    ((made,),) = query("SELECT client_id FROM clients")
    if policy is OnDuplicate.RETURN:
        assert {result.client_id for result in results} == {made}
    else:
        refused = [each for each in results if isinstance(each, ClientMetadataError)]
        assert len(refused) == 19


async def test_a_returned_client_needs_no_room(store: RegisterStore) -> None:
    await store.clients.commit(same(1, OnDuplicate.RETURN, quota=1))
    entry = await store.clients.commit(same(2, OnDuplicate.RETURN, quota=1))
    assert entry.client_id == "client-1"
    with pytest.raises(EntitlementError, match="quota_reached"):
        await store.clients.commit(creation(3, quota=1))


@pytest.mark.parametrize("together", [True, False])
async def test_a_client_that_is_gone_or_changed_is_not_the_same_any_more(
    store: RegisterStore, query: Query, together: bool
) -> None:
    for number in (1, 2):
        await store.clients.commit(same(number, OnDuplicate.NEW))
    changes = [
        removal(record_of(same(1, OnDuplicate.NEW)), request_number=11),
        replacement(record_of(same(2, OnDuplicate.NEW)), request_number=12),
        same(3, OnDuplicate.RETURN),
    ]
    if together:
        *_, entry = await asyncio.gather(*map(store.clients.commit, changes))
    else:
        *_, entry = [await store.clients.commit(change) for change in changes]
    assert entry.client_id == "client-3"
    assert query("SELECT client_id FROM clients ORDER BY 1") == [("client-2",), ("client-3",)]
    assert query("SELECT client_id FROM client_software ORDER BY 1") == [
        ("client-2",),
        ("client-3",),
    ]


async def test_an_update_can_make_a_client_the_same(store: RegisterStore) -> None:
    other = creation(1, key(1))
    await store.clients.commit(other)
    updated = replacement(record_of(other), key(1), request_number=11)
    wanted = replace(record_of(same(1, OnDuplicate.NEW)), version=2)
    await store.clients.commit(replace(updated, write=replace(updated.write, record=wanted)))
    entry = await store.clients.commit(same(2, OnDuplicate.RETURN))
    assert (entry.client_id, entry.version) == ("client-1", 2)


async def test_what_would_become_of_a_creation_is_foreseen(store: RegisterStore) -> None:
    def asked(policy: OnDuplicate, quota: int | None = None) -> Creation:
        return Creation(record_of(same(2, policy)), quota, policy)

    assert await store.clients.foresee(asked(OnDuplicate.RETURN), at=AT) is None
    await store.clients.commit(same(1, OnDuplicate.NEW))
    assert await store.clients.foresee(asked(OnDuplicate.RETURN), at=AT) == "client-1"
    assert await store.clients.foresee(asked(OnDuplicate.NEW), at=AT) is None
    with pytest.raises(ClientMetadataError, match="already_registered"):
        await store.clients.foresee(asked(OnDuplicate.REFUSE), at=AT)
    with pytest.raises(EntitlementError, match="quota_reached"):
        await store.clients.foresee(asked(OnDuplicate.NEW, quota=1), at=AT)


CHANGES = {
    "organisation": lambda r: replace(r, organization_identifier="PSDFR-ACPR-9"),
    "name": lambda r: replace(r, metadata=replace(r.metadata, client_name="Other")),
    "software_id": lambda r: replace(r, metadata=replace(r.metadata, software_id="Acme")),
    "agent": lambda r: replace(r, metadata=replace(r.metadata, client_legal_id="AGTFR-ACPR-1")),
    "further key": lambda r: replace(r, keys=(*r.keys, key(9))),
    "no key": lambda r: replace(r, keys=()),
}
"""What makes another software of one."""


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_software_is_another_by_organisation_agent_name_and_keys(change: Any) -> None:
    one = record_of(same(1, OnDuplicate.NEW))
    assert software_digest(change(one)) != software_digest(one)


def test_software_is_the_same_whatever_else_changes() -> None:
    one = record(1, key(1), key(2))
    other = replace(
        one,
        client_id="client-9",
        keys=one.keys[::-1],
        version=7,
        metadata=replace(one.metadata, redirect_uris=("https://tpp.example/other",)),
    )
    assert software_digest(other) == software_digest(one)
    named = replace(one, metadata=replace(one.metadata, software_id="acme"))
    renamed = replace(named, metadata=replace(named.metadata, client_name="Renamed"))
    assert software_digest(named) == software_digest(renamed)


async def test_an_organisation_sees_its_own_clients_page_by_page(store: RegisterStore) -> None:
    for number in range(1, 8):
        await store.clients.commit(creation(number))
    await store.clients.commit(creation(8, organization="PSDDE-BAFIN-67890"))
    seen, after = [], ""
    while page := await store.clients.list_clients("PSDFR-ACPR-12345", after, 3):
        assert len(page) <= 3
        seen += [client.client_id for client in page]
        after = seen[-1]
    assert seen == [f"client-{number}" for number in range(1, 8)]


async def test_clients_of_an_older_register_are_known_as_the_same(path: Path) -> None:
    store = open_sqlite(path)
    for number in (1, 3):
        await store.clients.commit(creation(number))
    await store.clients.commit(same(2, OnDuplicate.NEW))
    await store.aclose()
    _downgrade(path, "0003")
    migrate(path)
    store = open_sqlite(path)
    assert (await store.clients.commit(same(4, OnDuplicate.RETURN))).client_id == "client-2"
    assert len(await store.clients.list_clients("PSDFR-ACPR-12345", "", 10)) == 3
    await store.aclose()


def _downgrade(path: Path, revision: str) -> None:
    engine = create_engine(f"sqlite:///{path}", poolclass=NullPool)
    with engine.begin() as connection:
        config = alembic_config()
        config.attributes["connection"] = connection
        command.downgrade(config, revision)
