"""Bearer tokens: read strictly, kept by hash, bound to a certificate."""

from datetime import UTC, datetime, timedelta

import pytest

from enrol.errors import GrantError, MalformedRequestError, RefusalError, TokenError
from enrol.oauth.grant import TokenRequest, parse_token_request
from enrol.oauth.tokens import (
    AccessToken,
    check_token,
    encode_token,
    hash_token,
    parse_bearer,
)
from enrol.oauth.types import ClientId, X5tS256

AT = datetime(2026, 11, 24, tzinfo=UTC)
TOKEN = AccessToken(
    token_hash=hash_token("t"),
    client_id=ClientId("c"),
    organization_identifier="PSDFR-ACPR-12345",
    x5t_s256=X5tS256("thumb"),
    scope=frozenset({"manageRegistration"}),
    expires_at=AT + timedelta(hours=1),
)


@pytest.mark.parametrize(
    "value", [b"Bearer abc-._~+/12==", b"bearer  abc", b"BEARER abc", b" Bearer abc\t"]
)
def test_a_bearer_is_read_whatever_the_case_of_its_scheme(value: bytes) -> None:
    assert parse_bearer((value,)) in ("abc-._~+/12==", "abc")


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"Bearer",
        b"Bearer ",
        b"Basic abc",
        b"Bearer a b",
        b"Bearer a\xff",
        b"Bearer " + b"a" * 9999,
    ],
)
def test_what_is_no_bearer_is_refused(value: bytes) -> None:
    with pytest.raises(TokenError, match="token_malformed"):
        parse_bearer((value,))


def test_no_credentials_and_two_are_refused_apart() -> None:
    with pytest.raises(TokenError, match="token_missing"):
        parse_bearer(())
    with pytest.raises(MalformedRequestError, match="authorization_twice"):
        parse_bearer((b"Bearer a", b"Bearer a"))


@pytest.mark.parametrize(
    ("token", "thumbprint", "at", "code"),
    [
        (None, "thumb", AT, "token_unknown"),
        (TOKEN, "thumb", AT + timedelta(hours=1), "token_expired"),
        (TOKEN, "other", AT, "token_not_bound"),
    ],
)
def test_a_token_is_known_in_time_and_bound(
    token: AccessToken | None, thumbprint: str, at: datetime, code: str
) -> None:
    with pytest.raises(TokenError, match=code):
        check_token(token, x5t_s256=X5tS256(thumbprint), at=at)


def test_a_good_token_is_returned() -> None:
    assert check_token(TOKEN, x5t_s256=X5tS256("thumb"), at=AT) is TOKEN


def test_a_token_text_fits_its_own_grammar() -> None:
    text = encode_token(bytes(range(32)))
    assert parse_bearer((b"Bearer " + text.encode(),)) == text


def test_a_token_request_is_read() -> None:
    body = b"grant_type=client_credentials&scope=manageRegistration&client_id=PSD2_TPPRegister"
    assert parse_token_request(body) == TokenRequest(
        "client_credentials", "PSD2_TPPRegister", frozenset({"manageRegistration"})
    )


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"grant_type",
        b"grant_type=client_credentials",
        b"grant_type=a&grant_type=a&client_id=b",
        b"grant_type=a&client_id=%00",
        b"grant_type=a&client_id=%ff",
        b"grant_type=a&client_id=\xc3\xa9",
        b"grant_type=a&client_id=b" + b"&x=1" * 20,
    ],
)
def test_a_form_that_is_no_token_request_is_refused(body: bytes) -> None:
    with pytest.raises(GrantError) as refusal:
        parse_token_request(body)
    assert refusal.value.error == "invalid_request"
    assert isinstance(refusal.value, RefusalError)
