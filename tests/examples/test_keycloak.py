"""The example keeps the clients of a realm as Enrol's events have them."""

import json
import re
from base64 import b64encode
from datetime import UTC, datetime

import httpx
import pytest
import standardwebhooks
from provisioner.admin import AdminError, Realm
from provisioner.app import Provisioner, make_receiver
from provisioner.clients import SEQUENCE, representation_of, subject_pattern
from provisioner.webhook import TOLERANCE, NotBelievedError, read_secret, verify
from starlette.applications import Starlette
from starlette.routing import Route

from enrol.adapters.webhooks import signatures
from examples.fake_keycloak import REALM, SERVICE, FakeKeycloak

KEY, OLD_KEY = bytes(range(32)), bytes(range(1, 33))
NOW = 1_795_521_600
ACME = "PSDFR-ACPR-12345"


def event(kind: str = "client.registered", *, sequence: int = 1, **changes) -> dict:
    data = {
        "client_id": "client-1",
        "organization_identifier": ACME,
        "sequence": sequence,
        "version": 1,
        "state": "active",
        "metadata": {
            "client_name": "Acme Co.",
            "redirect_uris": ["https://tpp.test/cb"],
            "token_endpoint_auth_method": "tls_client_auth",
            "grant_types": ["authorization_code", "refresh_token"],
            "scope": "aisp pisp",
        },
    }
    return {"type": kind, "timestamp": "2026-11-24T12:00:00Z", "data": data | changes}


@pytest.fixture
def keycloak() -> FakeKeycloak:
    return FakeKeycloak()


@pytest.fixture
async def provisioner(keycloak):
    transport = httpx.ASGITransport(keycloak.app())
    async with httpx.AsyncClient(transport=transport, base_url="http://keycloak.test") as http:
        yield Provisioner(
            Realm(http, REALM, client_id=SERVICE["client_id"], secret=SERVICE["client_secret"])
        )
    assert keycloak.violations == []


@pytest.fixture
async def receiver(provisioner):
    """Send a message to the provisioner; returns the answer's status."""
    receive = make_receiver(provisioner, (KEY, OLD_KEY), now=lambda: NOW)
    transport = httpx.ASGITransport(Starlette(routes=[Route("/events", receive, methods=["POST"])]))
    async with httpx.AsyncClient(transport=transport, base_url="http://provisioner.test") as http:

        async def send(told: dict, *, key=KEY, at=NOW, message_id="evt_1") -> int:
            body = json.dumps(told).encode()
            fields = {
                "webhook-id": message_id,
                "webhook-timestamp": str(at),
                "webhook-signature": signatures((key,), message_id, at, body),
            }
            return (await http.post("/events", content=body, headers=fields)).status_code

        yield send


async def test_a_registration_becomes_a_client(provisioner, keycloak):
    await provisioner.carry_out(event())
    client = keycloak.client("client-1")
    assert client["enabled"]
    assert client["redirectUris"] == ["https://tpp.test/cb"]
    assert (client["standardFlowEnabled"], client["serviceAccountsEnabled"]) == (True, False)
    assert client["clientAuthenticatorType"] == "client-x509"
    assert client["attributes"]["enrol.organization_identifier"] == ACME
    assert keycloak.calls == [("GET", CLIENTS), ("POST", CLIENTS)]


CLIENTS = f"/admin/realms/{REALM}/clients"


async def test_an_update_replaces_the_client(provisioner, keycloak):
    await provisioner.carry_out(event())
    internal_id = keycloak.client("client-1")["id"]
    changed = event("client.updated", sequence=2)
    changed["data"]["metadata"]["redirect_uris"] = ["https://tpp.test/new"]
    await provisioner.carry_out(changed)
    assert keycloak.client("client-1")["redirectUris"] == ["https://tpp.test/new"]
    assert keycloak.calls[-1] == ("PUT", f"{CLIENTS}/{internal_id}")


@pytest.mark.parametrize("state", ["pending", "suspended", "rejected"])
async def test_a_client_that_is_not_active_is_disabled(provisioner, keycloak, state):
    await provisioner.carry_out(event())
    await provisioner.carry_out(event("client.changed", sequence=2, state=state))
    assert keycloak.client("client-1")["enabled"] is False
    await provisioner.carry_out(event("client.resumed", sequence=3))
    assert keycloak.client("client-1")["enabled"] is True


async def test_a_deletion_deletes_once(provisioner, keycloak):
    await provisioner.carry_out(event())
    gone = event("client.deleted", sequence=2, state="deleted")
    del gone["data"]["metadata"]
    await provisioner.carry_out(gone)
    await provisioner.carry_out(gone)
    assert keycloak.clients == {}
    assert [method for method, _ in keycloak.calls] == ["GET", "POST", "GET", "DELETE"]


async def test_an_event_that_comes_twice_is_carried_out_once(provisioner, keycloak):
    await provisioner.carry_out(event())
    await provisioner.carry_out(event())
    assert len(keycloak.calls) == 2


async def test_an_event_that_comes_late_changes_nothing(provisioner, keycloak):
    await provisioner.carry_out(event("client.suspended", sequence=5, state="suspended"))
    await provisioner.carry_out(event(sequence=4))
    assert keycloak.client("client-1")["enabled"] is False


async def test_a_provisioner_that_was_restarted_knows_what_it_did(provisioner, keycloak):
    await provisioner.carry_out(event("client.suspended", sequence=5, state="suspended"))
    await Provisioner(provisioner._realm).carry_out(event(sequence=4))
    assert keycloak.client("client-1")["enabled"] is False
    assert keycloak.client("client-1")["attributes"][SEQUENCE] == "5"


async def test_a_token_is_used_again_and_replaced_when_it_does_not_count(provisioner, keycloak):
    await provisioner.carry_out(event())
    assert len(keycloak.tokens) == 1
    keycloak.revoke_tokens()
    await provisioner.carry_out(event("client.updated", sequence=2))
    assert len(keycloak.tokens) == 1
    assert keycloak.client("client-1")["attributes"][SEQUENCE] == "2"


async def test_keycloak_down_is_temporary_and_a_refusal_is_not(provisioner, keycloak):
    keycloak.down = True
    with pytest.raises(AdminError) as failure:
        await provisioner.carry_out(event())
    assert failure.value.is_temporary
    keycloak.down, keycloak.refuses = False, "client-1"
    with pytest.raises(AdminError) as failure:
        await provisioner.carry_out(event())
    assert not failure.value.is_temporary


async def test_what_failed_is_carried_out_when_it_comes_again(provisioner, keycloak):
    keycloak.down = True
    with pytest.raises(AdminError):
        await provisioner.carry_out(event())
    keycloak.down = False
    await provisioner.carry_out(event())
    assert keycloak.client("client-1") is not None


async def test_what_is_signed_is_answered_by_what_became_of_it(receiver, keycloak):
    assert await receiver(event()) == 204
    assert await receiver(event(sequence=2), key=OLD_KEY) == 204
    keycloak.down = True
    assert await receiver(event(sequence=3)) == 503
    keycloak.down, keycloak.refuses = False, "client-2"
    assert await receiver(event(client_id="client-2")) == 500


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"key": bytes(32)}, id="another key"),
        pytest.param({"at": NOW - TOLERANCE - 1}, id="too old"),
        pytest.param({"at": NOW + TOLERANCE + 1}, id="of the future"),
        pytest.param({"message_id": ""}, id="without an id"),
    ],
)
async def test_what_is_not_believed_reaches_nobody(receiver, keycloak, changes):
    assert await receiver(event(), **changes) == 401
    assert keycloak.calls == []


def test_verification_agrees_with_the_library():
    oracle = standardwebhooks.Webhook("whsec_" + b64encode(KEY).decode())
    body = '{"type":"x"}'
    fields = {
        "webhook-id": "evt_1",
        "webhook-timestamp": str(NOW),
        "webhook-signature": "v1a,AAAA "
        + oracle.sign("evt_1", datetime.fromtimestamp(NOW, UTC), body),
    }
    key = read_secret("whsec_" + b64encode(KEY).decode() + "\n")
    assert verify(body.encode(), fields, (bytes(32), key), now=NOW) == "evt_1"
    with pytest.raises(NotBelievedError):
        verify(body.encode() + b" ", fields, (key,), now=NOW)


@pytest.mark.parametrize(
    ("subject", "matches"),
    [
        (f"CN=tpp.test, OID.2.5.4.97={ACME}, O=Acme, C=FR", True),
        (f"OID.2.5.4.97={ACME}, CN=tpp.test", True),
        (f"OID.2.5.4.97={ACME}", True),
        (f'CN="Acme, Inc.", OID.2.5.4.97={ACME}', True),
        (f"CN=tpp.test, OID.2.5.4.97={ACME}6, C=FR", False),
        (f'CN="x, OID.2.5.4.97={ACME}, y", OID.2.5.4.97=PSDFR-ACPR-2', False),
        (f'CN="\\", OID.2.5.4.97={ACME}, \\"", OID.2.5.4.97=PSDFR-ACPR-2', False),
        (f"CN=tpp.test, SERIALNUMBER={ACME}", False),
    ],
)
def test_a_subject_is_that_of_the_organisation(subject, matches):
    """As Java writes the subject of a certificate, where Keycloak matches a pattern."""
    assert (re.fullmatch(subject_pattern(ACME), subject) is not None) is matches


def test_a_registered_subject_counts_as_it_is():
    told = event()
    told["data"]["metadata"]["tls_client_auth_subject_dn"] = "CN=tpp.test,C=FR"
    attributes = representation_of(told["data"])["attributes"]
    assert attributes["x509.subjectdn"] == "CN=tpp.test,C=FR"
    assert attributes["x509.allow.regex.pattern.comparison"] == "false"


def test_who_signs_its_assertions_is_known_by_its_keys():
    told = event()
    told["data"]["metadata"] |= {
        "token_endpoint_auth_method": "private_key_jwt",
        "jwks": {"keys": []},
    }
    client = representation_of(told["data"])
    assert client["clientAuthenticatorType"] == "client-jwt"
    assert client["attributes"]["jwks.string"] == '{"keys": []}'


def test_who_needs_a_secret_is_not_enabled():
    told = event()
    told["data"]["metadata"]["token_endpoint_auth_method"] = "client_secret_basic"
    assert representation_of(told["data"])["enabled"] is False
