"""What holds in every dialect, and the two that are no bank's."""

import msgspec
import pytest

from dialects import CONTACT, STET, answer, findings, good, grant
from enrol.adapters.dialects import dialect_names, load_dialect
from enrol.errors import ClientMetadataError
from enrol.oauth.metadata import ISSUED_MEMBERS
from enrol.registration.dialect import Credential, Operation, Presence
from enrol.server.problems import problem_of

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
