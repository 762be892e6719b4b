"""What clients send to be believed at the token endpoint is read strictly, then judged."""

import json
from base64 import b64encode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote_plus, urlencode

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from hypothesis import given
from hypothesis import strategies as st

from enrol.errors import GrantError
from enrol.oauth.client_authentication import (
    ASSERTION_TYPE,
    Assertion,
    BasicCredentials,
    parse_basic,
    unverified_subject,
    verify_assertion,
)
from enrol.oauth.grant import parse_token_request
from enrol.oauth.jws import key_of

AT = datetime(2026, 11, 24, 12, tzinfo=UTC)
NOW = int(AT.timestamp())
ISSUER = "https://bank.test"
KEY = rsa.generate_private_key(65537, 2048)
OTHER = rsa.generate_private_key(65537, 2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())
KEYS = [key_of(KEY.public_key(), kid="1"), key_of(EC_KEY.public_key(), kid="2")]
CLAIMS = {"iss": "c1", "sub": "c1", "aud": ISSUER, "exp": NOW + 60, "iat": NOW, "jti": "j1"}


def base64url(octets: bytes) -> str:
    return urlsafe_b64encode(octets).rstrip(b"=").decode()


def assertion(
    key: rsa.RSAPrivateKey = KEY, header: dict[str, Any] | None = None, **changes: Any
) -> str:
    claims = {name: value for name, value in (CLAIMS | changes).items() if value is not ...}
    parts = [{"alg": "RS256", "kid": "1"} | (header or {}), claims]
    signed = ".".join(base64url(json.dumps(part).encode()) for part in parts)
    signature = key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
    return f"{signed}.{base64url(signature)}"


def verified(text: str) -> Assertion:
    keys = [key for key in KEYS if key is not None]
    return verify_assertion(text, client_id="c1", keys=keys, audience={ISSUER}, at=AT)


def basic(text: str) -> tuple[bytes, ...]:
    return (b"Basic " + b64encode(text.encode("latin-1")),)


def test_a_good_assertion_is_believed() -> None:
    given = verified(assertion())
    assert (given.jti, given.expires_at) == ("j1", AT + timedelta(seconds=60))
    assert given.key is KEYS[0]


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": [ISSUER]},
        {"aud": ["https://other.test", ISSUER]},
        {"iat": ...},
        {"iat": NOW + 10, "nbf": NOW + 10},
        {"exp": NOW + 600},
        {"exp": NOW + 0.5},
        {"extra": {"a": 1}},
    ],
)
def test_what_rfc_7523_leaves_open_is_accepted(changes: dict[str, Any]) -> None:
    assert verified(assertion(**changes)).jti == "j1"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"iss": "c2"}, "assertion_subject"),
        ({"sub": "c2"}, "assertion_subject"),
        ({"iss": ...}, "assertion_subject"),
        ({"iss": ["c1"], "sub": ["c1"]}, "assertion_subject"),
        ({"iss": ["c1", "evil"]}, "assertion_subject"),
        ({"aud": ...}, "assertion_audience"),
        ({"aud": "https://bank.test/"}, "assertion_audience"),
        ({"aud": "https://bank.test.evil"}, "assertion_audience"),
        ({"aud": []}, "assertion_audience"),
        ({"aud": [[ISSUER]]}, "assertion_audience"),
        ({"aud": {"a": ISSUER}}, "assertion_audience"),
        ({"exp": ...}, "assertion_time"),
        ({"exp": NOW}, "assertion_time"),
        ({"exp": str(NOW + 60)}, "assertion_time"),
        ({"exp": True}, "assertion_time"),
        ({"exp": 1e30}, "assertion_time"),
        ({"exp": NOW + 3600}, "assertion_time"),
        ({"nbf": NOW + 61}, "assertion_time"),
        ({"iat": NOW + 61}, "assertion_time"),
        ({"iat": None}, "assertion_time"),
        ({"jti": ...}, "assertion_id"),
        ({"jti": ""}, "assertion_id"),
        ({"jti": 1}, "assertion_id"),
        ({"jti": "j" * 256}, "assertion_id"),
        ({"header": {"alg": "none"}}, "assertion_algorithm"),
        ({"header": {"alg": "HS256"}}, "assertion_algorithm"),
        ({"header": {"alg": "RS384"}}, "assertion_signature"),
        ({"header": {"alg": "ES256"}}, "assertion_key"),
        ({"header": {"kid": "2"}}, "assertion_key"),
        ({"header": {"kid": "3"}}, "assertion_key"),
        ({"header": {"crit": ["exp"]}}, "assertion_header"),
        ({"header": {"typ": "at+jwt"}}, "assertion_header"),
        ({"key": OTHER}, "assertion_signature"),
    ],
)
def test_a_broken_assertion_is_refused_by_its_rule(changes: dict[str, Any], code: str) -> None:
    with pytest.raises(GrantError, match=code) as refusal:
        verified(assertion(**changes))
    assert refusal.value.error == "invalid_client"


def test_keys_in_the_header_are_not_looked_at() -> None:
    numbers = OTHER.public_key().public_numbers()
    jwk = {"kty": "RSA", "e": "AQAB", "n": base64url(numbers.n.to_bytes(256, "big"))}
    for header in ({"jwk": jwk}, {"jku": "https://evil.test"}, {"x5u": "https://evil.test"}):
        with pytest.raises(GrantError, match="assertion_signature"):
            verified(assertion(OTHER, header))


@pytest.mark.parametrize("text", ["", "a", "a.b", "a.b.c", "a.b.c.d", "..", "é.b.c", "a" * 40_000])
def test_what_is_no_jws_is_refused(text: str) -> None:
    for judge in (verified, unverified_subject):
        with pytest.raises(GrantError, match="assertion_malformed"):
            judge(text)


@given(st.data())
def test_no_other_octet_passes(data: st.DataObject) -> None:
    text = assertion()
    position = data.draw(st.integers(0, len(text) - 2))  # the last one has bits that mean nothing
    other = data.draw(st.sampled_from("ABCabc019-_").filter(lambda c: c != text[position]))
    with pytest.raises(GrantError):
        verified(text[:position] + other + text[position + 1 :])


@given(st.text(st.characters(codec="ascii"), max_size=40), st.text(st.characters(codec="ascii")))
def test_basic_credentials_are_encoded_as_a_form_is(client_id: str, secret: str) -> None:
    values = basic(f"{quote_plus(client_id)}:{quote_plus(secret)}")
    assert parse_basic(values) == BasicCredentials(client_id, secret)


@pytest.mark.parametrize("values", [(), (b"Bearer abc",), (b"",), (b"basically x",)])
def test_another_scheme_is_no_basic_credentials(values: tuple[bytes, ...]) -> None:
    assert parse_basic(values) is None


@pytest.mark.parametrize(
    "values",
    [
        (b"Basic",),
        (b"Basic ",),
        (b"Basic !!!",),
        (b"Basic YTpi YTpi",),
        (b"Basic YTp",),
        basic("a"),
        basic("a:%zz"),
        basic("a:b\n"),
        basic("a:é"),
        basic("a:%C3%A9"),
        basic("a:%FF"),
        (*basic("a:b"), *basic("a:b")),
        (*basic("a:b"), b"Bearer abc"),
    ],
)
def test_basic_credentials_that_cannot_be_read_are_refused(values: tuple[bytes, ...]) -> None:
    with pytest.raises(GrantError, match="client_credentials_malformed"):
        parse_basic(values)


def test_a_secret_is_in_no_representation() -> None:
    request = parse_token_request(b"grant_type=client_credentials", basic("a:hidden"))
    assert request.basic == BasicCredentials("a", "hidden")
    assert "hidden" not in repr(request)
    text = assertion()
    body = urlencode({"client_assertion": text, "client_assertion_type": ASSERTION_TYPE})
    request = parse_token_request(f"grant_type=client_credentials&{body}".encode())
    assert (request.client_id, request.assertion) == ("c1", text)
    assert text not in repr(request)


@pytest.mark.parametrize(
    ("form", "authorization", "code"),
    [
        ({"client_id": "b"}, basic("a:x"), "client_credentials_two"),
        (
            {"client_assertion": assertion(), "client_assertion_type": ASSERTION_TYPE},
            basic("c1:x"),
            "client_credentials_two",
        ),
        ({"client_assertion": assertion()}, (), "assertion_type"),
        ({"client_assertion": "x", "client_assertion_type": "y"}, (), "assertion_type"),
        ({}, (), "token_request_incomplete"),
        (
            {"client_assertion": "a" * 8193, "client_assertion_type": ASSERTION_TYPE},
            (),
            "token_request_malformed",
        ),
    ],
)
def test_a_client_says_in_one_way_who_it_is(
    form: dict[str, str], authorization: tuple[bytes, ...], code: str
) -> None:
    body = urlencode({"grant_type": "client_credentials"} | form).encode()
    with pytest.raises(GrantError, match=code):
        parse_token_request(body, authorization)


@pytest.mark.parametrize("name", ["a\x00b", "", "a" * 600])
def test_a_client_that_cannot_be_registered_is_unknown_however_it_is_named(name: str) -> None:
    asserted = {"client_assertion": assertion(sub=name), "client_assertion_type": ASSERTION_TYPE}
    grant = {"grant_type": "client_credentials"}
    for body, authorization in ((grant, basic(f"{quote_plus(name)}:x")), (grant | asserted, ())):
        with pytest.raises(GrantError, match="client_unknown"):
            parse_token_request(urlencode(body).encode(), authorization)
