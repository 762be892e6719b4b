"""Which management token of a client was used last is durable, and only ever rises."""

import pytest
from msgspec.structs import replace

from adapters.values import creation, removal, replacement
from enrol.oauth.types import ClientId
from enrol.registration.ports import TokenUse

ONE = ClientId("client-1")


@pytest.fixture
async def registered(store):
    change = creation(1)
    await store.clients.commit(change)
    return change.write.record


async def used(store):
    record = await store.clients.find(ONE)
    return record.token_generation, record.used_token


async def rotate(store, version, generation):
    change = replacement(await store.clients.find(ONE), request_number=version)
    record = replace(change.write.record, token_generation=generation)
    await store.clients.commit(replace(change, write=replace(change.write, record=record)))


async def test_a_client_uses_its_first_token(store, registered):
    assert await used(store) == (1, 1)


async def test_a_use_is_kept_through_changes_of_the_client(store, registered):
    await rotate(store, 2, 2)
    assert await used(store) == (2, 1)
    await store.clients.note_use(TokenUse(ONE, 2))
    assert await used(store) == (2, 2)
    await rotate(store, 3, 3)
    assert await used(store) == (3, 2)


async def test_an_older_use_changes_nothing(store, registered):
    await rotate(store, 2, 3)
    for generation in (3, 2, 3):
        await store.clients.note_use(TokenUse(ONE, generation))
    assert await used(store) == (3, 3)


async def test_an_ended_version_says_which_token_it_was_answered_with(store, registered):
    await rotate(store, 2, 2)
    await rotate(store, 3, 3)
    assert [(await store.clients.find_version(ONE, v)).token_generation for v in (1, 2, 3)] == [
        *(1, 2, 3)
    ]


async def test_a_deletion_ends_the_uses_and_a_late_one_is_nothing(store, registered, query):
    await rotate(store, 2, 2)
    await store.clients.note_use(TokenUse(ONE, 2))
    await store.clients.commit(removal(await store.clients.find(ONE), request_number=3))
    await store.clients.note_use(TokenUse(ONE, 2))
    assert query("SELECT count(*) FROM client_token_uses") == [(0,)]
