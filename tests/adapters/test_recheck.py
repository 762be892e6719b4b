"""Changes of state found beside a server are carried out, once."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from adapters.test_states import ONE, REVOKED, resumption, suspension
from adapters.values import creation
from enrol.adapters.recheck import RegisterPages, recheck_at_leisure, recheck_register
from enrol.adapters.view import open_view
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


class Writer:
    """Gives out what takes changes down."""

    def __init__(self):
        self.opened = 0
        self.taken = []

    @asynccontextmanager
    async def __call__(self):
        self.opened += 1

        async def set_states(changes):
            self.taken.append(list(changes))

        yield set_states


def drafts(folder):
    return [one for one in folder.iterdir() if "recheck" in one.name]


async def test_what_is_found_is_written_in_portions(register, tmp_path, store):
    await store.clients.commit(creation(1))
    told, writer = [], Writer()
    found = [suspension(version=number) for number in range(1, 121)]
    await recheck_register(
        register,
        Found(None, *found),
        folder=tmp_path,
        writer=writer,
        progress=lambda *done: told.append(done),
    )
    assert [len(some) for some in writer.taken] == [50, 50, 20]
    assert [change for some in writer.taken for change in some] == found
    assert told == [(number, 1) for number in range(1, 122)]
    assert drafts(tmp_path) == []


@pytest.mark.parametrize("changes", [(), (None, None)])
async def test_where_nothing_has_to_be_changed_nobody_is_asked_to(
    register, tmp_path, store, changes
):
    writer = Writer()
    await recheck_register(register, Found(*changes), folder=tmp_path, writer=writer)
    assert writer.opened == 0


async def test_a_trial_changes_nothing(register, tmp_path, store):
    await store.clients.commit(creation(1))
    report = await recheck_register(register, Found(suspension()), folder=tmp_path, writer=None)
    assert report.clients == 1
    assert drafts(tmp_path) == []


async def test_the_clients_are_read_beside_their_server(register, store):
    await store.clients.commit(creation(1))
    await store.clients.set_state(suspension())
    opened = open_view(register)
    view = await asyncio.to_thread(opened.__enter__)
    (found,) = await RegisterPages(view).page(ClientId(""), 10)
    await asyncio.to_thread(opened.__exit__, None, None, None)
    assert found.standing == REVOKED


async def test_a_server_rechecks_while_it_serves(register, store):
    await store.clients.commit(creation(1))
    changes = None, suspension(), resumption(2), suspension(version=7)
    report = await recheck_at_leisure(store.clients, Found(*changes))
    assert report.clients == 1
    assert (await store.clients.find(ONE)).standing == REVOKED
