"""Signed texts are believed for one reading, one algorithm and one key, or not at all."""

import base64
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from enrol.oauth.jws import (
    ALGORITHMS,
    LONGEST,
    JwsError,
    JwsFault,
    key_of,
    parse_jws,
    read_key_set,
    verify_jws,
    write_key,
)
from statement_issuer import StatementIssuer

RSA = RSAKey.generate_key(2048)
KEYS = {
    "RSA": RSA,
    "P-256": ECKey.generate_key("P-256"),
    "P-384": ECKey.generate_key("P-384"),
    "P-521": ECKey.generate_key("P-521"),
    "Ed25519": OKPKey.generate_key("Ed25519"),
}
ISSUER = StatementIssuer(keys={**KEYS, "secret": OctKey.generate_key(256)})
PUBLISHED = read_key_set(StatementIssuer(keys=dict(KEYS)).jwks)


def fault_of(text: str, *, algorithms: tuple[str, ...] = ("ES256", "RS256")) -> JwsFault:
    with pytest.raises(JwsError) as error:
        verify_jws(parse_jws(text), PUBLISHED, algorithms=algorithms)
    return error.value.fault


def signed(**header: Any) -> str:
    return ISSUER.sign({"a": 1}, **{"kid": "P-256"} | header)


@pytest.mark.parametrize(("alg", "kind"), ALGORITHMS.items())
def test_a_text_is_believed_with_the_key_that_made_it(alg: str, kind: str) -> None:
    unverified = parse_jws(ISSUER.sign({"a": 1}, alg=alg, kid=kind))
    assert verify_jws(unverified, PUBLISHED, algorithms=[alg]).kid == kind
    assert json.loads(unverified.payload) == {"a": 1}


@given(st.data())
def test_a_text_with_any_character_changed_is_not_believed(data: st.DataObject) -> None:
    text = signed()
    at = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(
        st.sampled_from("ABCDwxyz0189-_.=+/ ~").filter(lambda character: character != text[at])
    )
    with pytest.raises(JwsError):
        verify_jws(parse_jws(text[:at] + other + text[at + 1 :]), PUBLISHED, algorithms=["ES256"])


@given(st.text(max_size=60) | st.from_regex(r"[\w-]{0,9}\.[\w-]{0,9}\.[\w-]{0,9}"))
def test_what_is_no_signed_text_is_refused_and_breaks_nothing(text: str) -> None:
    with pytest.raises(JwsError):
        verify_jws(parse_jws(text), PUBLISHED, algorithms=["ES256"])


def encoded(value: object) -> str:
    octets = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def test_no_algorithm_is_none() -> None:
    text = f"{encoded({'alg': 'none'})}.{encoded({'a': 1})}.AA"
    assert fault_of(text, algorithms=("none", "ES256")) is JwsFault.ALGORITHM


def test_a_public_key_is_never_a_shared_secret() -> None:
    text = ISSUER.sign({"a": 1}, alg="HS256", kid="secret")
    assert fault_of(text, algorithms=("HS256", "ES256")) is JwsFault.ALGORITHM


def test_an_algorithm_that_is_not_allowed_is_refused() -> None:
    assert fault_of(signed(), algorithms=("PS256",)) is JwsFault.ALGORITHM


def test_an_algorithm_takes_no_key_of_another_kind() -> None:
    renamed = StatementIssuer(keys={"RSA": KEYS["P-256"]})
    assert fault_of(renamed.sign({"a": 1}, kid="RSA")) is JwsFault.KEY


def test_a_key_in_the_header_is_not_looked_at() -> None:
    stranger = StatementIssuer(keys={"P-256": ECKey.generate_key("P-256")})
    text = stranger.sign(
        {"a": 1}, kid="P-256", jwk=stranger.keys["P-256"].as_dict(private=False), jku="https://x"
    )
    assert fault_of(text) is JwsFault.SIGNATURE


def test_a_key_nobody_publishes_is_not_found() -> None:
    issuer = StatementIssuer(keys={"other": ECKey.generate_key("P-256")})
    assert fault_of(issuer.sign({}, kid="other")) is JwsFault.KEY


def test_without_a_name_the_only_key_of_the_kind_is_meant() -> None:
    issuer = StatementIssuer(keys={"a": KEYS["P-256"], "b": ECKey.generate_key("P-256")})
    nameless = parse_jws(jws.serialize_compact({"alg": "ES256"}, b"{}", issuer.keys["a"]))
    assert verify_jws(nameless, PUBLISHED, algorithms=["ES256"]).kid == "P-256"
    with pytest.raises(JwsError, match="key"):
        verify_jws(nameless, read_key_set(issuer.jwks), algorithms=["ES256"])


@pytest.mark.parametrize(
    ("header", "fault"),
    [
        ({"crit": ["exp"], "exp": 1}, JwsFault.CRITICAL),
        ({"typ": "client-authentication+jwt"}, JwsFault.TYPE),
        ({"typ": "logout+jwt"}, JwsFault.TYPE),
        ({"typ": "application/dpop+jwt"}, JwsFault.TYPE),
    ],
    ids=["critical", "client assertion", "logout token", "media type"],
)
def test_what_is_marked_as_something_else_is_not_taken(
    header: dict[str, Any], fault: JwsFault
) -> None:
    text = f"{encoded({'alg': 'ES256', 'kid': 'P-256'} | header)}.{encoded({})}.AA"
    assert fault_of(text) is fault


@pytest.mark.parametrize("typ", ["JWT", "jwt", "application/jwt"])
def test_a_type_is_compared_as_a_media_type(typ: str) -> None:
    assert verify_jws(parse_jws(signed(typ=typ)), PUBLISHED, algorithms=["ES256"])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a.b",
        "a.b.c.d",
        f"{encoded([])}.{encoded({})}.AA",
        f"{encoded({'kid': 'a'})}.{encoded({})}.AA",
        f"{encoded({'alg': 1})}.{encoded({})}.AA",
        f"{encoded({'alg': 'ES256', 'kid': 1})}.{encoded({})}.AA",
        encoded(b'{"alg":"ES256","alg":"none"}') + f".{encoded({})}.AA",
        "A" * (LONGEST + 1),
    ],
    ids=["empty", "two", "four", "list", "no alg", "number", "kid", "alg twice", "long"],
)
def test_what_has_no_one_reading_is_malformed(text: str) -> None:
    with pytest.raises(JwsError, match="malformed"):
        parse_jws(text)


def jwks(*keys: dict[str, Any]) -> bytes:
    return json.dumps({"keys": keys}).encode()


PUBLIC = KEYS["P-256"].as_dict(private=False)


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"[]",
        b"{}",
        jwks(),
        jwks({"kty": "oct", "k": "AAAA"}),
        jwks(KEYS["P-256"].as_dict(private=True)),
        jwks(PUBLIC | {"use": "enc"}),
        jwks(PUBLIC | {"kid": "a"}, KEYS["P-384"].as_dict(private=False) | {"kid": "a"}),
        jwks({"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}),
        jwks({"kty": "RSA", "n": "AQAB", "e": "AQAB"}),
        jwks({"kty": "AKP", "pub": "AA"}),
    ],
    ids=[
        *("nothing", "list", "no keys", "empty", "secret", "private", "encrypts", "name twice"),
        *("off the curve", "weak", "new kind"),
    ],
)
def test_a_set_without_a_good_key_is_none(document: bytes) -> None:
    with pytest.raises(JwsError):
        read_key_set(document)


def test_keys_that_nobody_here_knows_do_not_harm_the_others() -> None:
    (key,) = read_key_set(jwks({"kty": "AKP", "pub": "AA"}, PUBLIC | {"kid": "a"}))
    assert (key.kid, key.kind) == ("a", "P-256")


def test_weak_keys_and_strange_curves_verify_nothing() -> None:
    assert key_of(rsa.generate_private_key(65537, 1024).public_key(), kid=None) is None
    assert key_of(rsa.generate_private_key(3, 2048).public_key(), kid=None) is None
    assert key_of(ec.generate_private_key(ec.SECP256K1()).public_key(), kid=None) is None


def test_a_key_is_for_its_own_algorithm() -> None:
    (key,) = read_key_set(jwks(RSA.as_dict(private=False) | {"kid": "RSA", "alg": "PS256"}))
    text = ISSUER.sign({}, alg="RS256", kid="RSA")
    with pytest.raises(JwsError, match="key"):
        verify_jws(parse_jws(text), [key], algorithms=["RS256", "PS256"])


def test_a_key_is_written_as_it_is_read() -> None:
    for key in PUBLISHED:
        (again,) = read_key_set(jwks(json.loads(write_key(key))))
        assert write_key(again) == write_key(key)
        assert b'"d"' not in write_key(key)
