"""Rules in which standards and banks contradict each other: each is a switch of the dialect.

Other banks than those there are have one that is a changed copy.
"""

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from dialects import AT, KEYS, answer, changed, document, findings, good, grant
from enrol.adapters.dialects import dialect_names, load_dialect
from enrol.httpsig import (
    HttpMessage,
    SigningKey,
    digest_field,
    sign,
    signing_key,
    verify_message,
)
from enrol.registration.dialect import Operation
from httpsig_messages import code_of, with_fields

each = pytest.mark.parametrize("name", dialect_names())


@pytest.fixture(scope="module")
def key() -> SigningKey:
    return signing_key(rsa.generate_private_key(65537, 2048))


# Success status


@pytest.mark.parametrize(
    ("name", "status"), [("rfc7591", 201), ("stet-strict", 201), ("bpce", 200), ("lcl", 201)]
)
def test_success_status(name: str, status: int) -> None:
    assert load_dialect(name).answer.of(Operation.REGISTER).status == status


# Rotate RAT on PUT


@pytest.mark.parametrize(("name", "rotates"), [("rfc7591", True), ("stet", True), ("bpce", False)])
def test_rotate_rat_on_put(name: str, rotates: bool) -> None:
    assert load_dialect(name).rotates_token is rotates


def test_rotate_rat_on_put_where_the_token_is_null() -> None:
    assert answer("bpce", Operation.UPDATE)["registration_access_token"] is None


def test_rotate_rat_on_put_is_switched_off() -> None:
    switched = changed("rfc7591", ("[credentials]", "[credentials]\nrotate = false"))
    assert switched.can_rotate_token
    assert not switched.rotates_token


# Signature algorithm token; what the suite of the draft wants of it


@pytest.mark.parametrize("label", ["rsa-sha256", "hs2019"])
@each
def test_signature_algorithm_token(key: SigningKey, name: str, label: str) -> None:
    """STET's text and its clients say ``rsa-sha256``; the suite of draft-cavage-11 ``hs2019``."""
    policy = load_dialect(name).signature.policy
    body = b"{}"
    fields = {
        "Host": "bank.test",
        "Date": AT.strftime("%a, %d %b %Y %H:%M:%S GMT"),
        "Content-Type": "application/json",
        "X-Request-ID": "1",
        **dict([digest_field(body)]),
    }
    raw = [(field.encode(), value.encode()) for field, value in fields.items()]
    message = HttpMessage.of("POST", b"/register", raw, body)
    covered = ("(request-target)", *(field.lower() for field in fields))
    signature = sign(message, key=key, keyid="k", covered=covered, algorithm_label=label)
    signed = with_fields(message, signature)
    assert verify_message(signed, lambda _: key.verification_key(), at=AT, policy=policy)


# jwks


@each
def test_jwks_by_value(name: str) -> None:
    granted = grant(name, good(name, jwks=KEYS)).jwks
    assert granted is not None
    assert granted.keys[0].x5c == ("QUFB",)


def test_jwks_by_value_is_switched_off() -> None:
    """Brasil refuses keys by value."""
    switched = changed("stet", ("refused = [\n", 'refused = [\n  "jwks",\n'))
    assert findings(switched, document(jwks=KEYS)) == {("member_refused", "jwks")}


@each
def test_jwks_uri(name: str) -> None:
    """What would have to be fetched is refused; null, as clients send it, is no URI."""
    assert findings(name, good(name, jwks_uri="https://tpp.test/keys")) == {
        ("member_refused", "jwks_uri")
    }
    assert grant(name, good(name, jwks_uri=None)).jwks_uri is None


# Scope separator


@pytest.mark.parametrize("name", ["rfc7591", "stet-strict", "bnpp"])
def test_scope_separator_of_the_standards(name: str) -> None:
    assert grant(name, good(name, scope="aisp pisp")).scope == "aisp pisp"
    assert findings(name, good(name, scope="aisp,pisp")) == {("scope_unknown", "scope")}
    assert answer(name)["scope"] == "aisp pisp"


@pytest.mark.parametrize("scope", ["aisp,pisp", "aisp, pisp", "aisp pisp"])
@pytest.mark.parametrize("name", ["bpce", "lcl", "stet"])
def test_scope_separator_as_seen(name: str, scope: str) -> None:
    assert grant(name, good(name, scope=scope)).scope == "aisp pisp"


def test_scope_separator_of_an_answer_as_seen() -> None:
    assert answer("bpce")["scope"] == "aisp,pisp"


# Unsupported field


@pytest.mark.parametrize("name", ["rfc7591", "stet-strict", "lcl"])
def test_unsupported_field(name: str) -> None:
    members = good(name, application_type="web", subject_type="public")
    assert grant(name, members) == grant(name, good(name))
    assert not answer(name, application_type="web").keys() & {"application_type", "logo_uri"}


def test_unsupported_field_is_null_as_seen() -> None:
    given = answer("bpce", application_type="web")
    assert "application_type" not in given
    assert {given[member] for member in ("tos_uri", "logo", "software_id")} == {None}


# Required fields


@pytest.mark.parametrize(
    ("name", "required"),
    [
        pytest.param("rfc7591", {"redirect_uris"}, id="none but what the grants need"),
        pytest.param(
            "stet-strict",
            {
                *("redirect_uris", "token_endpoint_auth_method", "grant_types"),
                *("client_name", "contacts", "provider_legal_id"),
            },
            id="the six of STET",
        ),
    ],
)
def test_required_fields(name: str, required: set[str]) -> None:
    assert required_of(name) == required


def test_required_fields_as_seen() -> None:
    assert "contact" in required_of("bpce")
    assert "contacts" not in required_of("bpce")


def required_of(name: str) -> set[str]:
    """Return the members without which good metadata are refused."""
    whole = good(name)
    return {
        member
        for member in whole
        if code_of(grant, name, {each: whole[each] for each in whole.keys() - {member}})
        == "member_missing"
    }
