"""Other people's OAuth clients register by RFC 7591, with their own judgement of our answers.

Each runs once; a client that refuses an answer of ours fails with its own words.
"""

from collections.abc import Callable
from typing import Any

import pytest

from interop import programs
from live.desk import Desk
from live.party import REGISTER, TOKEN, Party

Outcome = dict[str, Any]
REDIRECT_URI = "https://tpp.test/cb"
NOT_TLS = "http://tpp.test/cb"


@pytest.fixture(scope="module", params=["register_openid_client.mjs", "register_oauth4webapi.mjs"])
def outcome(
    request: pytest.FixtureRequest, node: str, plain_bank: Desk, tpp_of: Callable[[Desk], Party]
) -> Outcome:
    """What a client got at each of its steps."""
    party = tpp_of(plain_bank)
    metadata = {"redirect_uris": [REDIRECT_URI], "jwks": party.metadata()["jwks"]}
    return programs.ask(
        node,
        request.param,
        given={
            "issuer": f"https://127.0.0.1:{party.port}",
            "generic_client_id": "PSD2_TPPRegister",
            "metadata": metadata,
            "refused_metadata": metadata | {"redirect_uris": [NOT_TLS]},
            "refused_token": "unknown",
            "keyid": party.kid,
            "ca": str(party.ca),
            "qwac": str(party.qwac.certificate_file),
            "qwac_key": str(party.qwac.key_file),
            "qsealc_key": str(party.qsealc.key_file),
        },
    )


def test_discovery_finds_the_entry_points(plain_bank: Desk, outcome: Outcome) -> None:
    issuer = f"https://127.0.0.1:{plain_bank.port}"
    server = outcome["server"]
    assert server["issuer"] == issuer
    assert server["token_endpoint"] == issuer + TOKEN
    assert server["registration_endpoint"] == issuer + REGISTER


def test_a_token_is_granted_for_the_generic_client_id(outcome: Outcome) -> None:
    token = outcome["token"]
    assert (token["token_type"].lower(), token["scope"]) == ("bearer", "manageRegistration")


def test_the_registration_is_accepted_and_stored(plain_bank: Desk, outcome: Outcome) -> None:
    client = outcome["client"]
    assert client["redirect_uris"] == [REDIRECT_URI]
    assert client["token_endpoint_auth_method"] == "tls_client_auth"
    stored = plain_bank.rows("SELECT 1 FROM clients WHERE client_id = ?", client["client_id"])
    assert stored == [(1,)]


def test_the_management_token_reads_what_was_registered(outcome: Outcome) -> None:
    assert outcome["read"]["status"] == 200
    assert outcome["read"]["body"] == outcome["client"]


def test_a_token_is_granted_for_the_new_client_id(outcome: Outcome) -> None:
    assert outcome["own_token"]["scope"] == "manageRegistration"
    assert outcome["own_token"]["access_token"] != outcome["token"]["access_token"]


def test_a_refused_redirect_uri_is_understood_as_such(outcome: Outcome) -> None:
    refused = outcome["refused_metadata"]
    assert refused["name"] == "ResponseBodyError"
    assert (refused["status"], refused["error"]) == (400, "invalid_redirect_uri")
    assert "https://" in refused["error_description"]


def test_a_refused_token_is_understood_as_a_bearer_challenge(outcome: Outcome) -> None:
    refused = outcome["refused_token"]
    assert (refused["name"], refused["status"]) == ("WWWAuthenticateChallengeError", 401)
    challenge = next(c for c in refused["cause"] if c["scheme"] == "bearer")
    assert challenge["parameters"]["error"] == "invalid_token"
