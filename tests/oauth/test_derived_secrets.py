"""Secrets that are derived: each of one purpose, one client, one generation."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enrol.oauth.derived_secrets import find_generation, registration_access_token
from enrol.oauth.tokens import parse_bearer
from enrol.oauth.types import ClientId

SECRET = b"s" * 32
CLIENT = ClientId("a")
client_ids = st.from_regex(r"[A-Za-z0-9._~-]{1,128}", fullmatch=True).map(ClientId)
generations = st.integers(1, 999_999_999)


def test_a_management_token_is_of_one_client_one_secret_and_one_generation() -> None:
    tokens = {
        registration_access_token(secret, ClientId(client_id), generation)
        for secret in (SECRET, b"t" * 32)
        for client_id in ("a", "b")
        for generation in (1, 2, 12)
    }
    assert len(tokens) == 12
    assert registration_access_token(SECRET, CLIENT, 2) in tokens


def test_the_first_token_is_what_it_was_before_there_were_others() -> None:
    token = registration_access_token(SECRET, CLIENT)
    assert token == "Qb3BVJiTQFANmg1YXhcJFUdvdQw7AYw9zr4dS46tA-M"


@given(client_ids, generations)
def test_a_token_says_which_one_it_is_and_fits_the_grammar(
    client_id: ClientId, generation: int
) -> None:
    token = registration_access_token(SECRET, client_id, generation)
    assert find_generation(SECRET, client_id, token) == generation
    assert parse_bearer((b"Bearer " + token.encode(),)) == token


@pytest.mark.parametrize(
    "token",
    [
        registration_access_token(SECRET, CLIENT) + ".1",
        registration_access_token(SECRET, CLIENT) + ".2",
        registration_access_token(SECRET, CLIENT, 2).replace(".2", ".3"),
        registration_access_token(SECRET, CLIENT, 2).replace(".2", ".02"),
        registration_access_token(SECRET, CLIENT, 2).removesuffix(".2"),
        registration_access_token(SECRET, CLIENT, 2) + "\n",
        registration_access_token(SECRET, ClientId("b"), 2),
        registration_access_token(b"t" * 32, CLIENT, 2),
        "",
        ".2",
    ],
)
def test_what_was_never_issued_is_no_token(token: str) -> None:
    assert find_generation(SECRET, CLIENT, token) is None
