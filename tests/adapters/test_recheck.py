"""Changes of state found beside a server reach it, once."""

import asyncio
from contextlib import asynccontextmanager, suppress

import msgspec
import pytest

from adapters.test_states import ONE, REVOKED, resumption, suspension
from adapters.values import creation
from enrol.adapters import recheck
from enrol.adapters.recheck import (
    RegisterPages,
    recheck_at_leisure,
    recheck_register,
    take_what_is_handed_over,
)
from enrol.adapters.store import SqliteStore
from enrol.errors import ConfigurationError, UnavailableError
from enrol.oauth.types import ClientId
from enrol.registration.standing import RecheckReport


class Found:
    """A re-check that finds what it is told to."""

    def __init__(self, *changes):
        self.report = RecheckReport()
        self._changes = changes

    async def changes(self, clients):
        page = await clients.page(ClientId(""), 10)
        self.report.clients = len(page)
        for change in self._changes:
            yield change


@asynccontextmanager
async def serving(path, states):
    task = asyncio.create_task(take_what_is_handed_over(path, states))
    yield
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def taken(spool):
    while spool.exists():  # noqa: ASYNC110 - a file tells nobody that it goes
        await asyncio.sleep(0.01)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(recheck, "CHECK_EVERY", 0.01)


async def test_a_server_takes_what_is_handed_over(path, store):
    await store.clients.commit(creation(1))
    told = []
    async with serving(path, store.clients):
        await recheck_register(
            path,
            Found(None, suspension()),
            progress=lambda *done: told.append(done),
        )
    assert (await store.clients.find(ONE)).suspension == REVOKED
    assert told == [(1, 1), (2, 1)]
    assert not [one for one in path.parent.iterdir() if "recheck" in one.name]


async def test_a_register_without_a_server_is_changed_at_once(path):
    store = SqliteStore.open(path)
    await store.clients.commit(creation(1))
    await store.aclose()
    await recheck_register(path, Found(suspension()))
    with RegisterPages(path) as clients:
        (found,) = await clients.page(ClientId(""), 10)
    assert found.suspension == REVOKED


async def test_a_server_rechecks_while_it_serves(path, store):
    await store.clients.commit(creation(1))
    report = await recheck_at_leisure(store.clients, Found(None, suspension()))
    assert report.clients == 1
    assert (await store.clients.find(ONE)).suspension == REVOKED


async def test_a_trial_changes_nothing(path, store):
    await store.clients.commit(creation(1))
    report = await recheck_register(path, Found(suspension()), apply=False)
    assert report.clients == 1
    assert (await store.clients.find(ONE)).suspension is None


async def test_a_server_that_takes_nothing_is_said_to(path, store, monkeypatch):
    monkeypatch.setattr(recheck, "_PATIENCE", 0.02)
    await store.clients.commit(creation(1))
    with pytest.raises(ConfigurationError) as refused:
        await recheck_register(path, Found(suspension()))
    assert refused.value.code == "recheck_not_taken"
    assert not [one for one in path.parent.iterdir() if "recheck" in one.name]


async def test_a_client_that_changed_meanwhile_does_not_hold_up_the_others(path, store):
    await store.clients.commit(creation(1))
    async with serving(path, store.clients):
        await recheck_register(path, Found(resumption(2), suspension(version=7), suspension()))
    assert (await store.clients.find(ONE)).suspension == REVOKED


async def test_a_file_that_is_damaged_is_thrown_away(path, store):
    spool = path.with_name(f"{path.name}.recheck")
    spool.write_bytes(b"{}\n")
    async with serving(path, store.clients):
        await taken(spool)


async def test_a_register_that_fails_gets_the_file_again(path):
    spool = path.with_name(f"{path.name}.recheck")
    spool.write_bytes(msgspec.json.encode(suspension()))
    tries = []

    class Failing:
        async def set_state(self, change):
            tries.append(change)
            if len(tries) < 3:
                raise UnavailableError("storage_unavailable")

    async with serving(path, Failing()):
        await taken(spool)
    assert tries == [suspension()] * 3
