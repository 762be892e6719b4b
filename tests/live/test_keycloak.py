"""The worked example: a bank, the provisioner and Keycloak, as its documentation has it."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

import pytest
import uvicorn
from starlette.applications import Starlette

from examples.fake_keycloak import REALM, SERVICE, FakeKeycloak
from live.desk import Desk
from live.hook import PATIENCE, write_secret
from live.party import Party, issue
from live.test_recheck import recheck, revoke

PartyOf = Callable[..., Party]
ROLES = ("PSP_AI", "PSP_PI")
EXAMPLE = Path(__file__).parents[2] / "examples" / "keycloak"


class Served(uvicorn.Server):
    """An application on a thread of its own, on a port that it keeps when it is served again."""

    def __init__(self, app: Callable[[], Starlette], port: int = 0) -> None:
        super().__init__(
            uvicorn.Config(app, factory=True, host="127.0.0.1", port=port, log_config=None)
        )
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self.serve()), daemon=True)
        self._thread.start()
        assert self._ready.wait(PATIENCE)
        self.port: int = self.servers[0].sockets[0].getsockname()[1]

    async def startup(self, sockets: list | None = None) -> None:
        await super().startup(sockets)
        self._ready.set()

    def stop(self) -> None:
        self.should_exit = True
        self._thread.join(PATIENCE)


class Site:
    """Keycloak and the provisioner; the latter may be stopped and started again."""

    def __init__(self, make_app: Callable[[], Starlette], keycloak: FakeKeycloak) -> None:
        self._make_app, self.keycloak = make_app, keycloak
        self.provisioner = Served(make_app)
        self.port = self.provisioner.port

    def restart(self) -> None:
        self.provisioner = Served(self._make_app, self.port)

    def wait_for(self, happened: Callable[[], bool]) -> None:
        """Wait until something is so in Keycloak."""
        with self.keycloak.news:
            assert self.keycloak.news.wait_for(happened, PATIENCE), self.keycloak.calls
        assert self.keycloak.violations == []


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.syspath_prepend(str(EXAMPLE))
    make_app = import_module("provisioner.app").make_app
    keycloak = FakeKeycloak()
    served = Served(keycloak.app)
    secret = tmp_path / "keycloak.secret"
    secret.write_text(SERVICE["client_secret"])
    monkeypatch.setenv("KEYCLOAK_URL", f"http://127.0.0.1:{served.port}")
    monkeypatch.setenv("KEYCLOAK_REALM", REALM)
    monkeypatch.setenv("KEYCLOAK_CLIENT_ID", SERVICE["client_id"])
    monkeypatch.setenv("KEYCLOAK_CLIENT_SECRET_FILE", str(secret))
    signing = write_secret(tmp_path / "webhook.secret")
    monkeypatch.setenv("PROVISIONER_SECRET_FILES", str(signing))
    made = Site(make_app, keycloak)
    yield made
    made.provisioner.stop()
    served.stop()


@pytest.fixture
def bank(desk: Desk, site: Site, tmp_path: Path) -> Iterator[Desk]:
    """A bank that tells the provisioner."""
    with desk.beside(
        tmp_path / "bank",
        webhooks__url=f"http://127.0.0.1:{site.port}/events",
        webhooks__secrets=tmp_path / "webhook.secret",
    ) as running:
        running.issuer = running.folder
        yield running


def test_a_client_lives_in_keycloak_as_long_as_in_the_register(
    bank: Desk, site: Site, party_of: PartyOf
) -> None:
    party, keycloak = party_of(bank), site.keycloak
    client_id = party.register().json["client_id"]
    site.wait_for(lambda: keycloak.client(client_id) is not None)
    assert keycloak.client(client_id)["enabled"] is True
    places = ["https://tpp.test/new"]
    changed = party.metadata(client_id=client_id, redirect_uris=places)
    assert party.put(client_id, changed).status == 200
    site.wait_for(lambda: keycloak.client(client_id)["redirectUris"] == places)
    revoke(bank, party)
    assert recheck(bank)["suspended"] == 1
    site.wait_for(lambda: keycloak.client(client_id)["enabled"] is False)
    renewed = issue(bank.pki, "qsealc", party.organization, roles=ROLES, name="new")
    party = Party(bank.port, party.ca, party.organization, party.qwac, renewed)
    assert party.put(client_id, party.metadata(client_id=client_id)).status == 200
    site.wait_for(lambda: keycloak.client(client_id)["enabled"] is True)
    assert party.delete(client_id).status == 204
    party.close()
    site.wait_for(lambda: keycloak.client(client_id) is None)


def test_what_happened_while_the_provisioner_was_away_is_made_up_for(
    bank: Desk, site: Site, party_of: PartyOf
) -> None:
    party, keycloak = party_of(bank), site.keycloak
    gone = party.register(party.metadata(client_name="Gone")).json["client_id"]
    site.wait_for(lambda: keycloak.client(gone) is not None)
    site.provisioner.stop()
    stays = party.register(party.metadata(client_name="Stays")).json["client_id"]
    places = ["https://tpp.test/new"]
    changed = party.metadata(client_id=stays, client_name="Stays", redirect_uris=places)
    assert party.put(stays, changed).status == 200
    assert party.delete(gone).status == 204
    site.restart()
    site.wait_for(lambda: keycloak.client(gone) is None)
    site.wait_for(lambda: (keycloak.client(stays) or {}).get("redirectUris") == places)


def test_what_happened_while_keycloak_was_away_is_made_up_for(
    bank: Desk, site: Site, party_of: PartyOf
) -> None:
    party, keycloak = party_of(bank), site.keycloak
    keycloak.down = True
    client_id = party.register().json["client_id"]
    site.wait_for(lambda: bool(keycloak.refused))
    keycloak.down = False
    site.wait_for(lambda: keycloak.client(client_id) is not None)
