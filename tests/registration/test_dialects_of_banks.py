"""The rules in which BNP Paribas, LCL, CIC, La Banque Postale and Crédit Agricole differ."""

import re

import pytest

from dialects import answer, changed, findings, good, grant
from enrol.adapters.dialects import load_dialect
from enrol.errors import ClientMetadataError
from enrol.oauth.jwk import JsonWebKey, JsonWebKeySet
from enrol.oauth.metadata import ISSUED_MEMBERS
from enrol.registration.dialect import Credential, Operation, Presence

# BNP Paribas


def test_bnpp_registers_without_bearer_and_manages_with_its_own() -> None:
    rules = load_dialect("bnpp").credentials
    assert rules.register == ()
    assert rules.manage == (Credential.REGISTRATION_ACCESS_TOKEN,)


def test_bnpp_requires_its_context() -> None:
    members = good("bnpp")
    del members["context"]
    assert findings("bnpp", members) == {("member_missing", "context")}
    assert findings("bnpp", members | {"context": "psd3"}) == {("value_refused", "context")}


def test_bnpp_refuses_an_apostrophe_in_a_name() -> None:
    assert findings("bnpp", good("bnpp", client_name="L'Acme")) == {
        ("character_refused", "client_name")
    }
    assert grant("stet", good("stet", client_name="L'Acme"))


def test_bnpp_reads_an_algorithm_in_place_of_a_key_type() -> None:
    keys = {"keys": [{"kty": "RS256", "x5c": ["QUFB"]}]}
    assert grant("bnpp", good("bnpp", jwks=keys)).jwks == JsonWebKeySet(
        (JsonWebKey(kty="RSA", x5c=("QUFB",)),)
    )
    assert findings("stet", good("stet", jwks=keys)) == {("jwk_kty", "jwks")}


def test_bnpp_answers_an_update_with_a_message() -> None:
    assert answer("bnpp", Operation.UPDATE) == {
        "message": "Your update request has been recorded. We will contact you to confirm."
    }


def test_bnpp_answers_context_and_text_for_the_expiry_of_its_secret() -> None:
    given = answer("bnpp")
    assert (given["context"], given["client_secret_expires_at"]) == ("psd2", "0")
    assert "client_id_issued_at" not in given


# LCL


def test_lcl_has_no_delete() -> None:
    assert load_dialect("lcl").operations == frozenset(Operation) - {Operation.DELETE}


def test_lcl_registers_and_updates_with_201_and_a_warning() -> None:
    rules = load_dialect("lcl").answer
    for own in (rules.register, rules.update):
        assert (own.status, own.fields) == (201, {"Warning": "200"})


def test_lcl_answers_a_registration_with_two_members() -> None:
    assert answer("lcl") == {"client_id": "c1", "client_id_issued_at": "2022-04-22T15:33:39.000Z"}


def test_lcl_answers_an_update_with_scopes_by_blanks_and_without_issued_members() -> None:
    given = answer("lcl", Operation.UPDATE)
    assert given["scope"] == "aisp pisp"
    assert not given.keys() & set(ISSUED_MEMBERS)


def test_lcl_takes_a_signature_of_the_request_line_and_no_bearer() -> None:
    dialect = load_dialect("lcl")
    assert dialect.signature.policy.coverage.required == ("(request-target)",)
    assert dialect.signature.policy.coverage.unsigned_digest
    assert dialect.credentials.register == dialect.credentials.manage == ()


def test_lcl_may_want_redirect_uris_that_end_in_a_slash() -> None:
    strict = changed("lcl", ('# redirect_uri_ending = "/"', 'redirect_uri_ending = "/"'))
    assert findings(strict, good("lcl")) == {("redirect_uri_ending", "redirect_uris")}
    assert grant(strict, good("lcl", redirect_uris=["https://tpp.test/cb/"]))


# CIC


def test_cic_wants_the_certificate_of_the_connection_alone() -> None:
    dialect = load_dialect("cic")
    assert dialect.credentials.register == dialect.credentials.manage == ()
    assert dialect.signature.presence is Presence.OPTIONAL


def test_cic_ignores_the_subject_dn_that_others_refuse() -> None:
    dn = {"tls_client_auth_subject_dn": "2.5.4.97=PSDFR-ACPR-12345"}
    assert grant("cic", good("cic", **dn))
    assert findings("stet", good("stet", **dn)) == {
        ("member_refused", "tls_client_auth_subject_dn")
    }


@pytest.mark.parametrize(
    ("uri", "is_taken"),
    [
        ("data:image/png;base64,QUFB", True),
        ("https://tpp.test/logo.png", True),
        ("data:image/svg+xml;base64,QUFB", False),
        ("data:text/html;base64,QUFB", False),
        ("data:image/png,AAA", False),
        ("data:image/png;base64,Q===", False),
        ("data:image/png;base64," + "QUFB" * 10_000, False),
    ],
    ids=lambda value: str(value)[:40],
)
def test_cic_takes_an_image_as_logo_uri(uri: str, is_taken: bool) -> None:
    if is_taken:
        assert grant("cic", good("cic", logo_uri=uri)).logo_uri == uri
    else:
        assert findings("cic", good("cic", logo_uri=uri)) == {("uri_refused", "logo_uri")}


def test_cic_names_a_key_that_has_no_name() -> None:
    keys = {"keys": [{"kty": "RSA", "kid": None, "x5c": ["QUFB"]}]}
    first, again = (grant("cic", good("cic", jwks=keys)).jwks for _ in range(2))
    assert first == again
    assert first is not None
    assert re.fullmatch(r"[0-9a-f-]{36}", first.keys[0].kid or "")


def test_cic_has_a_scope_of_its_own() -> None:
    scope = "aisp extended_transaction_history"
    assert grant("cic", good("cic", scope=scope)).scope == scope
    assert findings("stet", good("stet", scope=scope)) == {("scope_unknown", "scope")}


# La Banque Postale


def test_labanquepostale_has_no_put() -> None:
    assert load_dialect("labanquepostale").operations == frozenset(Operation) - {Operation.UPDATE}


def test_labanquepostale_requires_a_description_and_does_not_keep_it() -> None:
    members = good("labanquepostale")
    assert grant("labanquepostale", members).description is None
    del members["description"]
    assert findings("labanquepostale", members) == {("member_missing", "description")}


def test_labanquepostale_takes_one_redirect_uri() -> None:
    uris = ["https://tpp.test/a", "https://tpp.test/b"]
    assert findings("labanquepostale", good("labanquepostale", redirect_uris=uris)) == {
        ("redirect_uris_many", "redirect_uris")
    }


def test_labanquepostale_answers_the_dates_it_always_answers() -> None:
    given = answer("labanquepostale")
    assert given["client_id_issued_at"] == "9999999999000"
    assert given["client_secret_expires_at"] == "0"


# Crédit Agricole


def test_creditagricole_has_no_delete_and_registers_with_200() -> None:
    dialect = load_dialect("creditagricole")
    assert dialect.operations == frozenset(Operation) - {Operation.DELETE}
    assert dialect.answer.register.status == 200


def test_creditagricole_reads_capitals_a_bare_array_and_a_certificate_as_text() -> None:
    members = good(
        "creditagricole",
        grant_types=["AUTHORIZATION_CODE"],
        jwks=[{"kty": "RSA", "x5c": "QUFB"}],
    )
    granted = grant("creditagricole", members)
    assert granted.grant_types == ("authorization_code",)
    assert granted.jwks == JsonWebKeySet((JsonWebKey(kty="RSA", x5c=("QUFB",)),))


@pytest.mark.parametrize("jwks", [5, "x", [5], {"keys": 5}, {"keys": [{"kty": [], "x5c": 5}]}])
def test_creditagricole_refuses_key_sets_of_any_other_type(jwks: object) -> None:
    with pytest.raises(ClientMetadataError, match="member_wrong_type"):
        grant("creditagricole", good("creditagricole", jwks=jwks))


@pytest.mark.parametrize("jwks", [[{"kty": "RSA", "d": "x"}], {"keys": [{"kty": "oct", "k": "x"}]}])
def test_creditagricole_refuses_a_private_key_in_either_form(jwks: object) -> None:
    with pytest.raises(ClientMetadataError, match="jwk_private"):
        grant("creditagricole", good("creditagricole", jwks=jwks))


def test_creditagricole_answers_as_it_is_asked() -> None:
    given = answer("creditagricole")
    assert given["registration_access_token"] == "NOTAPPLICABLE"
    assert given["grant_types"][0] == "AUTHORIZATION_CODE"
    assert given["jwks"] == [{"kty": "RSA", "x5c": "QUFB"}]


def test_creditagricole_wants_its_constant_back_in_an_update() -> None:
    members = good("creditagricole", client_id="c1")
    token = {"registration_access_token": "NOTAPPLICABLE"}
    assert grant("creditagricole", members | token, client_id="c1")
    missing = {("member_missing", "registration_access_token")}
    assert findings("creditagricole", members, client_id="c1") == missing
    wrong = members | {"registration_access_token": "x"}
    assert findings("creditagricole", wrong, client_id="c1") == {
        ("value_refused", "registration_access_token")
    }
