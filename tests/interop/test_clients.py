"""Other people's OAuth clients register by RFC 7591, with their own judgement of our answers.

Each runs once; a client that refuses an answer of ours fails with its own words. None of them can
manage a registration by RFC 7592 but with its request for protected resources, as documented; those
of npm read, update and delete with that.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from interop import programs
from live.desk import Desk
from live.party import REGISTER, TOKEN, Party

Outcome = dict[str, Any]
REDIRECT_URI = "https://tpp.test/cb"
NOT_TLS = "http://tpp.test/cb"
OTHER_NAME = "Another name"


@dataclass(frozen=True)
class Client:
    """A library at the version that was tried, and the program around it."""

    name: str
    version: str
    program: str
    signs: bool = False

    @property
    def is_python(self) -> bool:
        return self.program.endswith(".py")

    @property
    def manages(self) -> bool:
        return not self.is_python


CLIENTS = {
    client.name + (" that signs" if client.signs else ""): client
    for client in (
        Client("openid-client", "6.9.0", "register_openid_client.mjs"),
        Client("openid-client", "6.9.0", "register_openid_client.mjs", signs=True),
        Client("oauth4webapi", "3.8.8", "register_oauth4webapi.mjs"),
        Client("oauth4webapi", "3.8.8", "register_oauth4webapi.mjs", signs=True),
        Client("idpyoidc", "5.0.0", "register_idpyoidc.py"),
    )
}


@pytest.fixture(scope="module", params=CLIENTS.values(), ids=CLIENTS)
def client(request: pytest.FixtureRequest) -> Client:
    """One of the clients."""
    return request.param  # type: ignore[no-any-return]  # it is one of the parameters


@pytest.fixture(scope="module")
def outcome(
    request: pytest.FixtureRequest,
    client: Client,
    plain_bank: Desk,
    tpp_of: Callable[[Desk], Party],
) -> Outcome:
    """What a client got at each of its steps."""
    party = tpp_of(plain_bank)
    metadata = {"redirect_uris": [REDIRECT_URI], "client_name": "Acme"}
    if client.signs:
        metadata["jwks"] = party.metadata()["jwks"]
    given = {
        "issuer": f"https://127.0.0.1:{party.port}",
        "generic_client_id": "PSD2_TPPRegister",
        "metadata": metadata,
        "refused_metadata": metadata | {"redirect_uris": [NOT_TLS]},
        "refused_token": "unknown",
        "changes": {"client_name": OTHER_NAME},
        "ca": str(party.ca),
        "qwac": str(party.qwac.certificate_file),
        "qwac_key": str(party.qwac.key_file),
    }
    if client.signs:
        given |= {"keyid": party.kid, "qsealc_key": str(party.qsealc.key_file)}
    runner = programs.PEERS_PYTHON
    if not client.is_python:
        runner = request.getfixturevalue("node")
    elif not runner.exists():
        pytest.skip(f"needs {client.name} in .peers, which `make test` installs")
    return programs.ask(runner, client.program, given=given)  # type: ignore[no-any-return]  # JSON


managing = pytest.mark.parametrize(
    "client",
    [client for client in CLIENTS.values() if client.manages],
    ids=[name for name, client in CLIENTS.items() if client.manages],
    indirect=True,
)
"""A test of what idpyoidc has no request for."""


# Registration


def test_the_client_is_the_version_that_was_tried(client: Client, outcome: Outcome) -> None:
    assert outcome["version"] == client.version


def test_discovery_finds_the_entry_points(plain_bank: Desk, outcome: Outcome) -> None:
    issuer = f"https://127.0.0.1:{plain_bank.port}"
    server = outcome["server"]
    assert server["issuer"] == issuer
    assert server["token_endpoint"] == issuer + TOKEN
    assert server["registration_endpoint"] == issuer + REGISTER


def test_a_token_is_granted_for_the_generic_client_id(outcome: Outcome) -> None:
    token = outcome["token"]
    assert (token["token_type"].lower(), token["scope"]) == ("bearer", "manageRegistration")


def test_the_registration_is_accepted_and_written_down(plain_bank: Desk, outcome: Outcome) -> None:
    registered = outcome["client"]
    assert registered["redirect_uris"] == [REDIRECT_URI]
    assert registered["token_endpoint_auth_method"] == "tls_client_auth"
    sql = "SELECT type FROM audit_events WHERE client_id = ? AND type LIKE 'client.%' LIMIT 1"
    assert plain_bank.rows(sql, registered["client_id"]) == [("client.registered",)]


def test_a_token_is_granted_for_the_new_client_id(outcome: Outcome) -> None:
    assert outcome["own_token"]["scope"] == "manageRegistration"
    assert outcome["own_token"]["access_token"] != outcome["token"]["access_token"]


def test_a_refused_redirect_uri_is_understood_as_such(outcome: Outcome) -> None:
    refused = outcome["refused_metadata"]
    assert refused["error"] == "invalid_redirect_uri"
    assert "https://" in refused["error_description"]


@managing
def test_a_refused_token_is_understood_as_a_bearer_challenge(outcome: Outcome) -> None:
    refused = outcome["refused_token"]
    assert (refused["name"], refused["status"]) == ("WWWAuthenticateChallengeError", 401)
    challenge = next(c for c in refused["cause"] if c["scheme"] == "bearer")
    assert challenge["parameters"]["error"] == "invalid_token"


# Management


def test_the_management_token_reads_what_was_registered(outcome: Outcome) -> None:
    assert outcome["read"] == outcome["client"]


@managing
def test_an_update_is_accepted_and_read_again(outcome: Outcome) -> None:
    token = outcome["updated"]["registration_access_token"]  # another, or the same
    changes = {"client_name": OTHER_NAME, "registration_access_token": token}
    assert outcome["updated"] == outcome["client"] | changes
    assert outcome["read_again"] == outcome["updated"]


@managing
def test_a_deleted_registration_is_gone_and_its_token_with_it(
    plain_bank: Desk, outcome: Outcome
) -> None:
    assert outcome["deletion"] == 204
    assert outcome["read_after_deletion"] == 401
    client_id = outcome["client"]["client_id"]
    assert plain_bank.rows("SELECT 1 FROM clients WHERE client_id = ?", client_id) == []
