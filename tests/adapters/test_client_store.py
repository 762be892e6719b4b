"""What every `ClientStore` must do."""

import asyncio
import hashlib

import pytest
from msgspec.structs import replace

from adapters.values import (
    AT,
    ORGANIZATION,
    OTHER_ORGANIZATION,
    creation,
    key,
    record,
    removal,
    replacement,
)
from enrol.errors import EntitlementError, UnavailableError
from enrol.oauth.types import ClientId


async def test_commit_makes_a_client_that_is_found_as_it_was(store):
    change = creation(1)
    assert await store.clients.commit(change) == change.entry
    assert await store.clients.find(ClientId("client-1")) == change.write.record


async def test_commit_keeps_every_key_in_its_order(store):
    keys = tuple(key(n, client_id=ClientId("client-1"), kid=f"k{n}") for n in (3, 1, 2))
    await store.clients.commit(creation(1, *keys))
    assert (await store.clients.find(ClientId("client-1"))).keys == keys


async def test_find_knows_no_client_that_was_never_made(store):
    assert await store.clients.find(ClientId("nobody")) is None


async def test_entry_is_found_by_its_key(store):
    change = creation(1)
    await store.clients.commit(change)
    assert await store.clients.find_entry(change.entry.key) == change.entry
    assert await store.clients.find_entry(bytes(32)) is None


async def test_commit_answers_the_same_request_with_the_entry_that_stands(store, query):
    first = creation(1)
    again = creation(2, request_number=1)
    await store.clients.commit(first)
    assert await store.clients.commit(again) == first.entry
    assert await store.clients.find(ClientId("client-2")) is None
    assert query("SELECT count(*) FROM audit_events") == [(1,)]


async def test_concurrent_equal_requests_write_one_client_and_share_its_entry(store, query):
    changes = [creation(number, request_number=1000) for number in range(1, 41)]
    entries = await asyncio.gather(*map(store.clients.commit, changes))
    assert len(set(entries)) == 1
    assert query("SELECT client_id FROM clients") == [(entries[0].client_id,)]
    assert query("SELECT count(*) FROM ledger") == [(1,)]


async def test_replacement_gives_the_client_a_new_version(store):
    old = record(1)
    change = replacement(old, key(9, client_id=old.client_id, kid="new"), request_number=2)
    await store.clients.commit(creation(1))
    await store.clients.commit(change)
    assert await store.clients.find(old.client_id) == change.write.record


async def test_ended_versions_are_found_as_they_were(store):
    first = record(1)
    second = replacement(first, key(9, client_id=first.client_id), request_number=2)
    await store.clients.commit(creation(1))
    await store.clients.commit(second)
    await store.clients.commit(removal(second.write.record, request_number=3))
    assert await store.clients.find_version(first.client_id, 1) == first
    assert await store.clients.find_version(first.client_id, 2) == second.write.record
    assert await store.clients.find_version(first.client_id, 3) is None


async def test_living_version_is_found_by_its_number(store):
    await store.clients.commit(creation(1))
    assert await store.clients.find_version(ClientId("client-1"), 1) == record(1)
    assert await store.clients.find_version(ClientId("client-1"), 2) is None


async def test_removal_ends_client_and_keys(store):
    await store.clients.commit(creation(1))
    await store.clients.commit(removal(record(1), request_number=2))
    assert await store.clients.find(ClientId("client-1")) is None
    assert await store.clients.find_keys(ORGANIZATION, "kid-1") == ()


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(replacement(record(1), request_number=3), id="replaces an older version"),
        pytest.param(removal(record(1), request_number=3), id="removes an older version"),
        pytest.param(replacement(record(7), request_number=3), id="replaces a client unknown"),
        pytest.param(removal(record(7), request_number=3), id="removes a client unknown"),
        pytest.param(
            removal(replace(record(1), version=3), request_number=3), id="removes a newer version"
        ),
    ],
)
async def test_change_of_another_version_is_refused(store, change):
    await store.clients.commit(creation(1))
    await store.clients.commit(replacement(record(1), request_number=2))
    with pytest.raises(UnavailableError, match="concurrent_change"):
        await store.clients.commit(change)
    assert await store.clients.find_entry(change.entry.key) is None
    assert (await store.clients.find(ClientId("client-1"))).version == 2


async def test_of_concurrent_replacements_of_one_version_one_wins(store, query):
    await store.clients.commit(creation(1))
    changes = [replacement(record(1), request_number=number) for number in range(2, 12)]
    outcomes = await asyncio.gather(*map(store.clients.commit, changes), return_exceptions=True)
    refusals = [outcome for outcome in outcomes if isinstance(outcome, UnavailableError)]
    assert [refusal.code for refusal in refusals] == ["concurrent_change"] * 9
    assert query("SELECT version FROM clients") == [(2,)]
    assert query("SELECT count(*) FROM client_history") == [(1,)]


async def test_stale_change_does_not_spoil_a_good_one_beside_it(store):
    await store.clients.commit(creation(1))
    stale = replacement(replace(record(1), version=5), request_number=2)
    good = replacement(record(1), request_number=3)
    outcomes = await asyncio.gather(
        store.clients.commit(stale), store.clients.commit(good), return_exceptions=True
    )
    assert outcomes[1] == good.entry


async def test_same_request_is_answered_even_when_its_version_is_history(store):
    change = replacement(record(1), request_number=2)
    await store.clients.commit(creation(1))
    await store.clients.commit(change)
    assert await store.clients.commit(change) == change.entry


async def test_quota_is_reached_when_so_many_clients_live(store, query):
    await store.clients.commit(creation(1, quota=1))
    with pytest.raises(EntitlementError, match="quota_reached"):
        await store.clients.commit(creation(2, quota=1))
    await store.clients.commit(creation(3, quota=1, organization=OTHER_ORGANIZATION))
    await store.clients.commit(removal(record(1), request_number=4))
    await store.clients.commit(creation(5, quota=1))
    assert query("SELECT client_id FROM clients ORDER BY 1") == [("client-3",), ("client-5",)]
    assert query("SELECT count(*) FROM audit_events") == [(4,)]


async def test_concurrent_creations_never_exceed_the_quota(store, query):
    changes = [creation(number, quota=5) for number in range(1, 51)]
    outcomes = await asyncio.gather(*map(store.clients.commit, changes), return_exceptions=True)
    refusals = [outcome for outcome in outcomes if isinstance(outcome, EntitlementError)]
    assert {refusal.code for refusal in refusals} == {"quota_reached"}
    assert len(refusals) == 45
    for table in ("clients", "client_keys", "ledger", "audit_events"):
        assert query(f"SELECT count(*) FROM {table}") == [(5,)]


async def test_no_client_may_be_made_under_a_quota_of_none(store):
    with pytest.raises(EntitlementError, match="quota_reached"):
        await store.clients.commit(creation(1, quota=0))


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("seal", id="kid"),
        pytest.param("https://tpp.example/seal.pem", id="certificate URL"),
        pytest.param(key(1).x5t_s256, id="thumbprint"),
        pytest.param(hashlib.sha256(key(1).certificate).hexdigest(), id="hexadecimal SHA-256"),
        pytest.param(hashlib.sha256(key(1).certificate).hexdigest().upper(), id="in upper case"),
    ],
)
async def test_key_is_found_by_each_of_its_names(store, name):
    registered = key(1, kid="seal", url="https://tpp.example/seal.pem")
    await store.clients.commit(creation(1, registered))
    assert await store.clients.find_keys(ORGANIZATION, name) == (registered,)
    assert await store.clients.find_keys(OTHER_ORGANIZATION, name) == ()


@pytest.mark.parametrize("name", ["", "sea", "seal ", "SEAL", "%", "0" * 64, " " * 64, "é" * 64])
async def test_key_is_found_by_no_other_name(store, name):
    await store.clients.commit(creation(1, key(1, kid="seal")))
    assert await store.clients.find_keys(ORGANIZATION, name) == ()


async def test_of_many_keys_of_one_name_the_eight_newest_are_found(store):
    for number in range(1, 13):
        await store.clients.commit(creation(number, key(number, kid="seal")))
    found = await store.clients.find_keys(ORGANIZATION, "seal")
    assert [one.client_id for one in found] == [f"client-{n}" for n in range(12, 4, -1)]


async def test_keys_of_a_replaced_version_are_found_no_more(store):
    await store.clients.commit(creation(1))
    change = replacement(record(1), key(1, kid="new"), request_number=2)
    await store.clients.commit(change)
    assert await store.clients.find_keys(ORGANIZATION, "kid-1") == ()
    assert await store.clients.find_keys(ORGANIZATION, "new") == change.write.record.keys


async def test_times_come_back_aware_and_in_utc(store):
    await store.clients.commit(creation(1))
    found = await store.clients.find(ClientId("client-1"))
    assert (found.issued_at, found.issued_at.tzinfo) == (AT, AT.tzinfo)
