"""Gateways ask about tokens, TPPs end theirs."""

import secrets
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from listening import issue as self_made
from live.desk import Desk
from live.hook import write_secret
from live.party import Draft, Pair, Party, Reply, issue

PartyOf = Callable[..., Party]

INTROSPECT = "/stet/psd2/oauth/introspect"
REVOKE = "/stet/psd2/oauth/revoke"
SECRET, OLD_SECRET = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
RIVAL = "PSDFR-ACPR-22222"


@pytest.fixture(scope="module")
def bank(desk: Desk, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A bank with a gateway, whose secret is being replaced."""
    folder = tmp_path_factory.mktemp("gateway")
    files = [
        write_secret(folder / name, text) for name, text in (("new", SECRET), ("old", OLD_SECRET))
    ]
    told = ",".join(map(str, files))
    with desk.beside(folder / "bank", introspection__secrets=told) as running:
        yield running


@pytest.fixture
def party(bank: Desk, party_of: PartyOf) -> Party:
    return party_of(bank)


def gateway_of(bank: Desk, party: Party, qwac: Pair | None = None) -> Party:
    return Party(bank.port, party.ca, "", qwac, party.qsealc)


@pytest.fixture
def gateway(bank: Desk, party: Party) -> Iterator[Party]:
    """A gateway without a certificate."""
    made = gateway_of(bank, party)
    yield made
    made.close()


def form(path: str, **fields: str) -> Draft:
    body = "&".join(f"{name}={value}" for name, value in fields.items()).encode()
    draft = Draft("POST", path, [("Host", "localhost")], body)
    draft.set("Content-Type", "application/x-www-form-urlencoded")
    return draft.set("Content-Length", str(len(body)))


def ask(gateway: Party, token: str, secret: str | None = SECRET) -> Reply:
    draft = form(INTROSPECT, token=token)
    return gateway.send(draft.set("Authorization", f"Bearer {secret}") if secret else draft)


def revoke(party: Party, token: str, **fields: str) -> Reply:
    return party.send(form(REVOKE, token=token, **fields))


def grant(party: Party, client_id: str = "PSD2_TPPRegister") -> str:
    reply = party.send(party.token_draft(client_id=client_id))
    assert reply.status == 200, reply
    return str(reply.json["access_token"])


@pytest.mark.parametrize("secret", [SECRET, OLD_SECRET], ids=["new", "old"])
def test_a_gateway_learns_of_a_token(gateway: Party, party: Party, secret: str) -> None:
    client_id = party.register(party.metadata(client_name=secret)).json["client_id"]
    reply = ask(gateway, grant(party, client_id), secret)
    assert reply.status == 200
    assert reply.fields["cache-control"] == "no-store"
    told = reply.json
    assert told.pop("exp") > 1_700_000_000
    assert told.pop("cnf").keys() == {"x5t#S256"}
    assert told.pop("iss").startswith("https://")
    assert told == {
        "active": True,
        "scope": "manageRegistration",
        "client_id": client_id,
        "token_type": "Bearer",
        "organization_identifier": party.organization,
    }


@pytest.mark.parametrize(
    "secret", [None, "x", pytest.param(SECRET[:-1], id="all but the end"), "", "é"]
)
def test_nobody_else_learns_anything(gateway: Party, party: Party, secret: str | None) -> None:
    reply = ask(gateway, grant(party), secret)
    assert (reply.status, reply.code) == (401, "gateway_unknown")
    assert reply.fields["www-authenticate"].startswith("Bearer ")


def test_of_an_unknown_token_nothing_is_said(gateway: Party) -> None:
    assert ask(gateway, "2YotnFZFEjr1zCsicMWpAA").body == b'{"active":false}'


def test_the_tokens_of_a_deleted_client_are_not_active(gateway: Party, party: Party) -> None:
    client_id = party.register(party.metadata(client_name="Short")).json["client_id"]
    token = grant(party, client_id)
    assert ask(gateway, token).json["active"] is True
    assert party.delete(client_id).status == 204
    assert ask(gateway, token).body == b'{"active":false}'


def test_a_revoked_token_is_of_no_use(bank: Desk, gateway: Party, party: Party) -> None:
    token = grant(party)
    party.use_token(token)
    client_id = party.register(party.metadata(client_name="Revoked")).json["client_id"]
    assert ask(gateway, token).json["active"] is True
    assert revoke(party, token).status == 200
    assert ask(gateway, token).body == b'{"active":false}'
    refused = party.get(client_id)
    assert (refused.status, refused.code) == (401, "token_unknown")
    assert revoke(party, token, token_type_hint="access_token").status == 200
    sql = "SELECT count(*) FROM audit_events WHERE type = 'token.revoked'"
    assert bank.rows(sql) == [(1,)]


def test_a_revocation_outlives_a_kill(desk: Desk, party_of: PartyOf, tmp_path: Path) -> None:
    with desk.beside(tmp_path / "bank") as bank:
        party = party_of(bank)
        party.use_token(grant(party))
        token = party.token
        assert party.register().status == 201
        assert revoke(party, token).status == 200
        bank.kill()
        bank.start()
        assert party.register().code == "token_unknown"


def test_nobody_ends_the_tokens_of_others(
    bank: Desk, gateway: Party, party: Party, party_of: PartyOf
) -> None:
    rival, token = party_of(bank, RIVAL), grant(party)
    known, unknown = revoke(rival, token), revoke(rival, "2YotnFZFEjr1zCsicMWpAA")
    assert (known.status, known.body) == (unknown.status, unknown.body) == (200, b"{}")
    renewed = Party(
        *(bank.port, party.ca, party.organization),
        issue(bank.pki, "qwac", party.organization, roles=("PSP_AI", "PSP_PI"), name="other"),
        party.qsealc,
    )
    assert revoke(renewed, token).status == 200
    renewed.close()
    assert ask(gateway, token).json["active"] is True


def test_nobody_ends_a_token_without_a_certificate(gateway: Party, party: Party) -> None:
    refused = revoke(gateway, grant(party))
    assert (refused.status, refused.code) == (401, "client_certificate_missing")


def test_a_registration_access_token_is_not_revoked(party: Party) -> None:
    token = party.register(party.metadata(client_name="Kept")).json["registration_access_token"]
    refused = revoke(party, token, token_type_hint="registration_access_token")
    assert (refused.status, refused.json["error"]) == (400, "unsupported_token_type")


def test_a_bank_without_gateways_says_nothing(desk: Desk, acme: Party) -> None:
    refused = ask(acme, grant(acme))
    assert (refused.status, refused.code) == (501, "introspection_off")
    metadata = acme.send(
        Draft("GET", "/.well-known/oauth-authorization-server", [("Host", "x")])
    ).json
    assert "introspection_endpoint" not in metadata
    assert metadata["revocation_endpoint"].endswith(REVOKE)


def test_the_metadata_name_the_endpoints(gateway: Party) -> None:
    metadata = gateway.send(
        Draft("GET", "/.well-known/oauth-authorization-server", [("Host", "x")])
    ).json
    assert metadata["introspection_endpoint"].endswith(INTROSPECT)
    assert metadata["introspection_endpoint_auth_methods_supported"] == ["Bearer"]
    assert metadata["revocation_endpoint_auth_methods_supported"] == ["tls_client_auth"]


def test_a_certificate_of_the_gateway_may_be_wanted_too(
    desk: Desk, party_of: PartyOf, tmp_path: Path
) -> None:
    secret = write_secret(tmp_path / "secret", SECRET)
    own = issue(desk.pki, "qwac", "PSDFR-ACPR-30004", roles=("PSP_AS",), name="gateway")
    settings = {
        "introspection__secrets": secret,
        "introspection__certificates": own.certificate_file,
        "server__introspection_path": "/internal/introspect",
    }
    with desk.beside(tmp_path / "bank", **settings) as bank:
        party = party_of(bank)
        draft = form("/internal/introspect", token=grant(party))
        draft.set("Authorization", f"Bearer {SECRET}")
        statuses = []
        for qwac in (own, party.qwac, None):
            gateway = gateway_of(bank, party, qwac)
            statuses.append(gateway.send(draft).status)
            gateway.close()
        assert statuses == [200, 401, 401]


def test_a_certificate_of_another_ca_ends_in_the_handshake(
    bank: Desk, party: Party, tmp_path: Path
) -> None:
    """So that a gateway's own certificate needs a CA of the TPPs', or a proxy in front."""
    foreign = Pair(*self_made("gateway").write(tmp_path, "gateway"))
    gateway = gateway_of(bank, party, foreign)
    with pytest.raises((ssl.SSLError, ConnectionError)):
        ask(gateway, grant(party))
    gateway.close()
