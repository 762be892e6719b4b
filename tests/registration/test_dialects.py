"""Every rule in which banks differ, as each dialect has it."""

import re
from base64 import b64encode
from types import SimpleNamespace

import msgspec
import pytest

from dialects import AT, CONTACT, STET, answer, changed, findings, good, grant
from enrol.adapters.dialects import dialect_names, load_dialect
from enrol.eidas.certificate import parse_certificate, parse_pem_certificate
from enrol.eidas.validate import CertificateUse
from enrol.errors import CertificateError, ClientMetadataError
from enrol.httpsig.policy import Quirk
from enrol.oauth.jwk import JsonWebKey, JsonWebKeySet
from enrol.oauth.metadata import ISSUED_MEMBERS, ClientMetadata
from enrol.oauth.types import ClientId
from enrol.registration.certificates import check_form
from enrol.registration.client_id import new_client_id
from enrol.registration.dialect import Credential, Dialect, Operation, Presence
from enrol.registration.signers import registered_keys
from enrol.server.problems import problem_of
from vectors import vectors

NAMES = dialect_names()

each = pytest.mark.parametrize("name", NAMES)


# What holds in every dialect


def test_the_dialects_are_those_the_banks_need() -> None:
    banks = {"bpce", "bnpp", "lcl", "cic", "labanquepostale", "creditagricole"}
    assert set(NAMES) == banks | {"stet", "stet-strict", "rfc7591"}


@each
def test_a_dialect_is_named_after_its_file(name: str) -> None:
    assert load_dialect(name).name == name


@each
def test_good_metadata_are_granted(name: str) -> None:
    assert grant(name, good(name)).scope == "aisp pisp"


@each
@pytest.mark.parametrize("member", ["jwks_uri", "request_uris", "sector_identifier_uri"])
def test_no_dialect_takes_a_uri_that_would_have_to_be_fetched(name: str, member: str) -> None:
    assert ("member_refused", member) in findings(name, good(name, **{member: "https://x.test/"}))


@each
def test_a_fault_of_a_redirect_uri_is_told_as_one(name: str) -> None:
    with pytest.raises(ClientMetadataError) as refusal:
        grant(name, good(name, redirect_uris=["http://tpp.test/cb"]))
    assert problem_of(refusal.value).error == "invalid_redirect_uri"


@each
@pytest.mark.parametrize("member", ISSUED_MEMBERS)
def test_no_dialect_lets_a_client_choose_what_the_server_issues(name: str, member: str) -> None:
    assert ("member_refused", member) in findings(name, good(name, **{member: "x"}))


@each
def test_no_dialect_grants_the_implicit_flow_or_a_weak_client(name: str) -> None:
    for change in (
        {"grant_types": ["implicit"]},
        {"response_types": ["token"]},
        {"token_endpoint_auth_method": "none"},
        {"token_endpoint_auth_method": "client_secret_post"},
        {"client_secret": "x"},
    ):
        assert {member for _, member in findings(name, good(name, **change))} == set(change)


@each
def test_every_redirect_uri_is_judged_not_only_the_first(name: str) -> None:
    uris = ["https://tpp.test/cb/", "http://tpp.test/cb/"]
    assert ("redirect_uri_scheme", "redirect_uris") in findings(
        name, good(name, redirect_uris=uris)
    )


@each
def test_an_unknown_member_is_ignored_and_not_echoed(name: str) -> None:
    granted = grant(name, good(name, keys_ops="x", application_type="web"))
    assert "application_type" not in msgspec.to_builtins(granted)


@each
def test_a_client_that_sends_its_scope_keeps_the_other_defaults(name: str) -> None:
    members = good(name, scope="aisp")
    if "response_types" not in load_dialect(name).metadata.required:
        del members["response_types"]
    assert grant(name, members).response_types == ("code",)


@each
def test_a_registration_client_uri_is_absolute_unless_a_bank_is_known_for_another(
    name: str,
) -> None:
    uri = answer(name, Operation.READ).get("registration_client_uri")
    absolute = "https://bank.test/register/c1"
    known = {"bpce": None, "lcl": None, "creditagricole": "/tpp_consumers"}
    assert uri == known.get(name, absolute)


@each
def test_a_secret_is_nobodys_and_comes_with_its_expiry(name: str) -> None:
    answers = [answer(name), answer(name, client_name="Other")]
    secrets = {given.get("client_secret") for given in answers}
    assert secrets in ({None}, {"none-is-issued"})
    for given in answers:
        assert ("client_secret" in given) == ("client_secret_expires_at" in given)


# STET


def test_stet_is_spoken_unless_another_is_named() -> None:
    assert STET.answer.is_plain
    assert STET.register_path == "/stet/setting/v1/register"
    assert STET.signature.presence is Presence.REQUIRED


def test_stet_registers_with_201_reads_and_updates_with_200_and_deletes_with_204() -> None:
    for name in ("stet", "stet-strict", "rfc7591"):
        rules = load_dialect(name).answer
        assert [rules.of(operation).status for operation in Operation] == [201, 200, 200, 204]


@pytest.mark.parametrize("member", ["contacts", "contact"])
def test_stet_takes_contacts_or_contact(member: str) -> None:
    members = good("stet", contact=CONTACT)
    del members["contacts" if member == "contact" else "contact"]
    assert getattr(grant("stet", members), member)


def test_stet_strict_requires_its_six_members_contacts_among_them() -> None:
    assert len(load_dialect("stet-strict").metadata.required) == 6
    members = good("stet-strict", contact=CONTACT)
    del members["contacts"]
    assert findings("stet-strict", members) == {("member_missing", "contacts")}


def test_the_password_grant_is_only_for_banks_that_allow_it() -> None:
    grants = ["authorization_code", "password"]
    for name in NAMES:
        if name in ("stet-strict", "bnpp"):
            assert grant(name, good(name, grant_types=grants))
        else:
            assert findings(name, good(name, grant_types=grants)) == {
                ("value_refused", "grant_types")
            }


def test_a_management_call_of_stet_brings_either_bearer() -> None:
    assert set(STET.credentials.manage) == set(Credential)
    assert STET.credentials.register == (Credential.MANAGE_REGISTRATION,)


# RFC 7591


def test_rfc7591_requires_redirect_uris_alone_and_fills_in_the_rest() -> None:
    granted = grant("rfc7591", {"redirect_uris": ["https://tpp.test/cb"]})
    assert granted.token_endpoint_auth_method == "tls_client_auth"
    assert granted.grant_types == ("authorization_code",)


def test_rfc7591_wants_neither_signature_nor_request_id() -> None:
    dialect = load_dialect("rfc7591")
    assert dialect.signature.presence is Presence.OPTIONAL
    assert dialect.credentials.request_id is Presence.OPTIONAL
    assert dialect.credentials.register == (Credential.MANAGE_REGISTRATION,)


# BPCE


def test_bpce_wants_the_manage_registration_bearer_on_every_call() -> None:
    rules = load_dialect("bpce").credentials
    assert rules.register == rules.manage == (Credential.MANAGE_REGISTRATION,)


@pytest.mark.parametrize("member", ["contact", "scope", "response_types", "jwks"])
def test_bpce_requires_more_than_stet(member: str) -> None:
    members = good("bpce")
    del members[member]
    assert findings("bpce", members) == {("member_missing", member)}


def test_bpce_answers_null_for_what_has_no_value() -> None:
    given = answer("bpce")
    for member in (
        *("registration_client_uri", "registration_access_token", "client_secret"),
        *("client_secret_expires_at", "tos_uri", "jwks_uri", "client_legal_id", "logo"),
    ):
        assert given[member] is None, member


def test_bpce_answers_enums_in_capitals_and_scopes_by_commas() -> None:
    given = answer("bpce")
    assert given["grant_types"] == ["AUTHORIZATION_CODE", "REFRESH_TOKEN", "CLIENT_CREDENTIALS"]
    assert given["response_types"] == ["CODE"]
    assert given["scope"] == "aisp,pisp"


def test_bpce_answers_a_date_without_zone() -> None:
    assert answer("bpce")["client_id_issued_at"] == "2022-04-22T15:33:39.000"


def test_bpce_answers_contact_and_not_contacts() -> None:
    given = answer("bpce")
    assert given["contact"] == CONTACT
    assert "contacts" not in given


def test_bpce_gives_of_a_key_no_more_than_type_use_and_certificate() -> None:
    key = answer("bpce")["jwks"]["keys"][0]
    assert {name for name, value in key.items() if value is not None} == {"kty", "x5c"}
    assert key.keys() == {"kty", "use", "key_ops", "alg", "kid", "x5u", "x5c", "x5t", "x5t#S256"}


def test_bpce_takes_back_in_an_update_what_it_answered() -> None:
    given = answer("bpce")
    del given["client_id_issued_at"]
    granted = grant("bpce", given, client_id="c1")
    assert granted.grant_types == ("authorization_code", "refresh_token", "client_credentials")


def test_bpce_lets_a_put_be_signed_as_a_post() -> None:
    assert load_dialect("bpce").signature.quirks == (Quirk.PUT_SIGNED_AS_POST,)


def test_bpce_refuses_a_certificate_signed_with_rsassa_pss() -> None:
    folder = vectors("certs")
    pss = parse_pem_certificate(
        (folder / "ing-qsealc-dtrust-rsassapss-PSDNL-DNB-B0163.pem").read_bytes()
    )
    pkcs1 = parse_pem_certificate(
        (folder / "yolt-qsealc-eszigno-test-PSDNL-DNB-33031431.pem").read_bytes()
    )
    forms = load_dialect("bpce").certificates
    check_form(pkcs1, forms, use=CertificateUse.QSEALC)
    check_form(pss, STET.certificates, use=CertificateUse.QSEALC)
    with pytest.raises(CertificateError, match="cert_rsassa_pss"):
        check_form(pss, forms, use=CertificateUse.QSEALC)


async def test_bpce_registers_no_key_whose_certificate_could_not_sign_there() -> None:
    """The key that signed is judged with the signature; this is one brought beside it."""
    folder = vectors("certs")
    der = parse_pem_certificate(
        (folder / "ing-qsealc-dtrust-rsassapss-PSDNL-DNB-B0163.pem").read_bytes()
    ).der

    class Judge:
        async def qsealc(self, der: bytes, *, at: object) -> object:
            return SimpleNamespace(
                certificate=parse_certificate(der), organization_identifier="PSDNL-DNB-B0163"
            )

    qwac = SimpleNamespace(
        certificate=SimpleNamespace(public_key=None), organization_identifier="PSDNL-DNB-B0163"
    )
    verified = SimpleNamespace(seal=None, qwac=qwac, at=None, organization_identifier="")
    key = JsonWebKey(kty="RSA", x5c=(b64encode(der).decode(),))
    metadata = ClientMetadata(jwks=JsonWebKeySet((key,)))

    async def register(dialect: Dialect) -> int:
        keys = await registered_keys(
            verified,  # type: ignore[arg-type]  # what is looked at of it
            metadata,
            client_id=ClientId("c"),
            judge=Judge(),  # type: ignore[arg-type]  # same
            forms=dialect.certificates,
        )
        return len(keys)

    assert await register(STET) == 1
    with pytest.raises(CertificateError, match="cert_rsassa_pss"):
        await register(load_dialect("bpce"))


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


# Client identifiers


FORMS = {
    "stet": r"[0-9a-f]{32}",
    "bpce": r"1PSDFR-ACPR-12345-0-[A-Z2-7]{16}",
    "lcl": r"PSDFR-ACPR-12345_[A-Z2-7]{16}",
    "cic": r"[0-9a-f]{40}",
    "labanquepostale": r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    "creditagricole": r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
}


@pytest.mark.parametrize(("name", "form"), FORMS.items(), ids=FORMS)
def test_a_client_id_has_its_banks_form(name: str, form: str) -> None:
    rules = load_dialect(name).client_id
    made = new_client_id(rules.form, legal_id="PSDFR-ACPR-12345", at=AT, random=bytes)
    assert re.fullmatch(form, made)


@each
def test_a_client_id_has_eighty_random_bits_in_every_dialect(name: str) -> None:
    asked: list[int] = []

    def random(size: int) -> bytes:
        asked.append(size)
        return bytes(size)

    new_client_id(load_dialect(name).client_id.form, legal_id="X", at=AT, random=random)
    assert sum(asked) >= 10


@each
def test_a_client_id_fits_into_a_path_whatever_the_organisation_is_called(name: str) -> None:
    legal_id = "PSDXX-ABCDEFGH-" + "a/b c%2e" * 7
    made = new_client_id(load_dialect(name).client_id.form, legal_id=legal_id, at=AT, random=bytes)
    assert re.fullmatch(r"[A-Za-z0-9._~-]{1,128}", made)


def test_an_agent_has_its_own_legal_id_in_a_client_id() -> None:
    made = new_client_id(
        "1{legal_id}-0-{random}", legal_id="AGTFR-ACPR-12345001", at=AT, random=bytes
    )
    assert made.startswith("1AGTFR-ACPR-12345001-0-")
