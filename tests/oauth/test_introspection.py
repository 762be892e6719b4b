"""The forms of introspection and revocation, and what is said of a token."""

from datetime import UTC, datetime

import msgspec
import pytest

from enrol.errors import GrantError
from enrol.oauth.introspection import (
    INACTIVE,
    describe_token,
    parse_introspection,
    parse_revocation,
)
from enrol.oauth.tokens import AccessToken
from enrol.oauth.types import ClientId, X5tS256

TOKEN = AccessToken(
    token_hash=bytes(32),
    client_id=ClientId("client-1"),
    organization_identifier="PSDFR-ACPR-12345",
    x5t_s256=X5tS256("thumbprint"),
    scope=frozenset({"pisp", "aisp"}),
    expires_at=datetime(2026, 11, 24, 12, tzinfo=UTC),
)


def test_an_active_token_is_described_in_the_words_of_the_standards():
    told = msgspec.to_builtins(describe_token(TOKEN, issuer="https://bank.test"))
    assert told == {
        "active": True,
        "scope": "aisp pisp",
        "client_id": "client-1",
        "token_type": "Bearer",
        "exp": 1795521600,
        "iss": "https://bank.test",
        "cnf": {"x5t#S256": "thumbprint"},
        "organization_identifier": "PSDFR-ACPR-12345",
    }


def test_of_a_token_that_is_not_active_nothing_else_is_said():
    assert msgspec.json.encode(INACTIVE) == b'{"active":false}'


@pytest.mark.parametrize("parse", [parse_introspection, parse_revocation])
@pytest.mark.parametrize(
    "hint", ["", "&token_type_hint=access_token", "&token_type_hint=x&client_id=y"]
)
def test_a_form_names_the_token(parse, hint):
    assert parse(b"token=2YotnFZFEjr1zCsicMWpAA" + hint.encode()) == "2YotnFZFEjr1zCsicMWpAA"


@pytest.mark.parametrize("parse", [parse_introspection, parse_revocation])
@pytest.mark.parametrize(
    ("form", "code"),
    [
        (b"token_type_hint=access_token", "token_parameter_missing"),
        (b"token=one&token=two", "token_request_malformed"),
        (b"token=", "token_parameter_missing"),
        (b"", "token_parameter_missing"),
        (b"token=%C3%A9", "token_request_malformed"),
        (b"token=\xff", "token_request_malformed"),
    ],
)
def test_a_form_without_one_token_is_refused(parse, form, code):
    with pytest.raises(GrantError) as refusal:
        parse(form)
    assert (refusal.value.code, refusal.value.error) == (code, "invalid_request")


def test_a_registration_access_token_is_not_revoked_by_itself():
    with pytest.raises(GrantError) as refusal:
        parse_revocation(b"token=x&token_type_hint=registration_access_token")
    assert refusal.value.error == "unsupported_token_type"
