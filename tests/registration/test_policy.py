"""Which metadata are granted, and what is said of the others."""

from typing import Any

import pytest

from dialects import RFC7591, STET
from enrol.eidas.organization import OrganizationIdentifier
from enrol.eidas.qcstatements import PspRole
from enrol.errors import ClientMetadataError, EntitlementError
from enrol.oauth.metadata import ClientMetadata, parse_client_metadata
from enrol.oauth.types import ClientId
from enrol.registration.dialect import Dialect
from enrol.registration.policy import Applicant, decide

ACME = Applicant(
    OrganizationIdentifier("PSDFR-ACPR-12345"), frozenset({PspRole.PSP_AI, PspRole.PSP_PI})
)
GOOD: dict[str, Any] = {
    "client_name": "Acme Co.",
    "redirect_uris": ["https://tpp.test/cb"],
    "token_endpoint_auth_method": "tls_client_auth",
    "grant_types": ["authorization_code", "refresh_token", "client_credentials"],
    "response_types": ["code"],
    "contact": {"contact_name": "Acme", "email": "ops@tpp.test", "phone_number": "+33100000000"},
    "provider_legal_id": "PSDFR-ACPR-12345",
    "scope": "aisp,pisp",
}


def grant(
    document: dict[str, Any], *, applicant: Applicant = ACME, dialect: Dialect = STET
) -> ClientMetadata:
    return decide(document, parse_client_metadata(document), applicant=applicant, dialect=dialect)


def findings(document: dict[str, Any], **others: Any) -> set[tuple[str, str | None]]:
    with pytest.raises(ClientMetadataError) as refusal:
        grant(document, **others)
    return {(finding.code, finding.member) for finding in refusal.value.findings}


def test_metadata_as_real_clients_send_them_are_granted() -> None:
    granted = grant(GOOD)
    assert granted.scope == "aisp pisp"
    assert granted.redirect_uris == ("https://tpp.test/cb",)


@pytest.mark.parametrize("scope", ["aisp pisp", "aisp,pisp", "aisp, pisp", "pisp aisp"])
def test_scopes_are_separated_as_banks_differ(scope: str) -> None:
    assert grant(GOOD | {"scope": scope}).scope == "aisp pisp"


def test_an_omitted_scope_becomes_what_the_roles_carry() -> None:
    document = {name: value for name, value in GOOD.items() if name != "scope"}
    assert grant(document).scope == "aisp pisp"


def test_a_scope_beyond_the_roles_is_not_an_entitlement() -> None:
    with pytest.raises(EntitlementError, match="role_insufficient"):
        grant(GOOD | {"scope": "aisp cbpii"})


@pytest.mark.parametrize(
    "scope", ["aisp manageRegistration", "openid admin", "*", "aisp\naspsp", "", "AISP\0pisp"]
)
def test_a_scope_nobody_offers_is_refused(scope: str) -> None:
    assert ("scope_unknown", "scope") in findings(GOOD | {"scope": scope})


@pytest.mark.parametrize("member", sorted(STET.metadata.required))
def test_a_required_member_that_is_absent_is_named(member: str) -> None:
    document = {name: value for name, value in GOOD.items() if name != member}
    assert findings(document) == {("member_missing", member)}


def test_contacts_may_stand_for_contact_and_one_must() -> None:
    document = {name: value for name, value in GOOD.items() if name != "contact"}
    assert findings(document) == {("member_missing", "contacts")}
    assert grant(document | {"contacts": ["ops@tpp.test"]}).contacts == ("ops@tpp.test",)


def test_all_findings_are_reported_together() -> None:
    document = GOOD | {"redirect_uris": ["http://tpp.test/cb"], "client_name": " "}
    assert findings(document) == {
        ("redirect_uri_scheme", "redirect_uris"),
        ("text_not_plain", "client_name"),
    }


@pytest.mark.parametrize("member", sorted(STET.metadata.refused))
def test_a_member_that_is_not_the_clients_is_refused(member: str) -> None:
    assert ("member_refused", member) in findings(GOOD | {member: "x"})


@pytest.mark.parametrize(
    "change",
    [
        {"token_endpoint_auth_method": "none"},
        {"token_endpoint_auth_method": "client_secret_basic"},
        {"token_endpoint_auth_method": "TLS_CLIENT_AUTH"},
        {"token_endpoint_auth_method": ""},
        {"grant_types": ["implicit"]},
        {"grant_types": ["authorization_code", "password"]},
        {"grant_types": []},
        {"response_types": ["token"]},
        {"tls_client_certificate_bound_access_tokens": False},
        {"logo": "not base64!"},
        {"logo": "QUFB" * 20_000},
        {"logo_uri": "javascript:alert(1)"},
        {"client_uri": "JAVASCRIPT:alert(1)"},
        {"tos_uri": "data:text/html,<script>"},
        {"policy_uri": "\tjavascript:x"},
        {"client_legal_id": "PSDFR-ACPR-1"},
        {"provider_legal_id": "PSDFR-ACPR-22222"},
        {"provider_legal_id": "psdfr-acpr-12345"},
        {"client_id": "mine"},
        {"client_secret": None},
    ],
    ids=str,
)
def test_a_value_outside_the_policy_is_refused(change: dict[str, Any]) -> None:
    assert {member for _, member in findings(GOOD | change)} == set(change)


@pytest.mark.parametrize(
    "name",
    [
        *("a\0b", "a\x1b[31mb", "\u202eknab", "a\u200bb", "a\u2028b", "\U000e0041"),
        *("a" + "\u0301" * 50, "   ", "", "\ufeffa", "a\u00adb", "a" * 141),
    ],
    ids=ascii,
)
def test_a_name_that_people_cannot_read_is_refused(name: str) -> None:
    assert findings(GOOD | {"client_name": name}) == {("text_not_plain", "client_name")}


@pytest.mark.parametrize(
    "name",
    [
        "<script>alert(1)</script>",
        "'; DROP TABLE clients;--",
        "${jndi:ldap://127.0.0.1/x}",
        "Élan Société",
    ],
)
def test_a_name_is_data_whatever_it_looks_like(name: str) -> None:
    assert grant(GOOD | {"client_name": name}).client_name == name


@pytest.mark.parametrize(
    "email",
    [
        "a@b.c\r\nBcc: x@y",
        "a" * 50_000 + "!",
        "x",
        "a@b",
        '"<script>"@x.test',
        "a@[127.0.0.1]",
        "a@b..c",
    ],
    ids=lambda email: ascii(email)[:20],
)
def test_a_contact_nobody_can_be_reached_at_is_refused(email: str) -> None:
    assert findings(GOOD | {"contact": {"email": email}}) == {("contact_malformed", "contact")}
    assert ("contact_malformed", "contacts") in findings(GOOD | {"contacts": [email]})


REFUSED_URIS = """
http://tpp.test/cb
http://localhost/cb
https://localhost/cb
https://127.0.0.1/cb
https://[::1]/cb
https://tpp.test/cb#f
https://tpp.test/cb#
https://tpp.test/cb%23x#
*
https://*
https://*.tpp.test/cb
https://tpp.test/*
https://tpp.test/cb?*
https://tpp.*/cb
https://{x}.tpp.test/
https://tpp.test/%2a
https://tpp.test/cb/../x
https://tpp.test/cb/%2e%2e/x
https://tpp.test/cb/%252e%252e/x
https://tpp.test/cb/..;/x
https://tpp.test/cb/.%2e/x
https://tpp.test//evil.test/
https://tp\u0440.test/
https://xn--tp-emc.test/
https://tpp\u3002test/
https://bank\u2010test.test/
https://tpp.test:0/cb
https://tpp.test:99999/cb
https://tpp.test:/cb
https://tpp.test:0443/cb
https://tpp.test:22/cb
https://tpp.test:\uff14\uff14\uff13/cb
https://tpp.test/cb?code=x
https://tpp.test/cb?state=x&iss=y
https://tpp.test/cb?redirect_uri=https://evil.test
https://tpp.test/cb?next=//evil.test
https://user@tpp.test/
https://h\\@evil.test/
https:///x
https:x
javascript:alert(1)
java\tscript:alert(1)
 https://tpp.test/cb
https://TPP.test/cb
""".strip("\n").split("\n")


@pytest.mark.parametrize("uri", REFUSED_URIS, ids=ascii)
def test_a_redirect_uri_that_could_lead_elsewhere_is_refused(uri: str) -> None:
    assert {member for _, member in findings(GOOD | {"redirect_uris": [uri]})} == {"redirect_uris"}


@pytest.mark.parametrize(
    "uri",
    [
        "https://tpp.test",
        "https://tpp.test/",
        "https://a.b-c.tpp.test:8443/cb/x?tenant=1",
        "https://tpp.test/%C3%A9",
    ],
)
def test_a_plain_https_uri_is_granted(uri: str) -> None:
    assert grant(GOOD | {"redirect_uris": [uri]}).redirect_uris == (uri,)


def test_every_redirect_uri_is_judged_not_only_the_first() -> None:
    uris = ["https://tpp.test/cb", "http://tpp.test/cb"]
    assert findings(GOOD | {"redirect_uris": uris}) == {("redirect_uri_scheme", "redirect_uris")}


def test_an_update_carries_the_client_id_of_its_path() -> None:
    applicant = Applicant(ACME.organization_identifier, ACME.psp_roles, ClientId("c1"))
    assert findings(GOOD, applicant=applicant) == {("client_id_differs", "client_id")}
    assert grant(GOOD | {"client_id": "c1"}, applicant=applicant).client_name == "Acme Co."


def test_the_plain_dialect_fills_in_what_is_absent() -> None:
    granted = grant({"redirect_uris": ["https://tpp.test/cb"]}, dialect=RFC7591)
    assert granted.token_endpoint_auth_method == "tls_client_auth"
    assert granted.grant_types == ("authorization_code",)
    assert granted.response_types == ("code",)


@pytest.mark.parametrize(
    ("change", "member"),
    [
        ({"redirect_uris": "https://tpp.test/cb"}, "redirect_uris"),
        ({"redirect_uris": {}}, "redirect_uris"),
        ({"redirect_uris": [None]}, "redirect_uris"),
        ({"client_name": 1}, "client_name"),
        ({"scope": ["aisp"]}, "scope"),
        ({"contact": "x"}, "contact"),
        ({"jwks": "x"}, "jwks"),
        ({"jwks": {}}, "jwks"),
        ({"jwks": {"keys": [None]}}, "jwks"),
        ({"jwks": {"keys": [{"kty": "RSA", "x5c": [1]}]}}, "jwks"),
        ({"provider_legal_id": {}}, "provider_legal_id"),
        ({"logo": 5}, "logo"),
    ],
    ids=str,
)
def test_a_member_of_the_wrong_type_is_named(change: dict[str, Any], member: str) -> None:
    with pytest.raises(ClientMetadataError) as refusal:
        parse_client_metadata(GOOD | change)
    assert [(f.code, f.member) for f in refusal.value.findings] == [("member_wrong_type", member)]


@pytest.mark.parametrize(
    "key",
    [{"kty": "oct", "k": "AAAA"}, {"kty": "RSA", "d": "AAAA"}, {"kty": "EC", "x5c": [], "d": "x"}],
    ids=str,
)
def test_private_key_material_is_refused_before_anything_else(key: dict[str, Any]) -> None:
    with pytest.raises(ClientMetadataError, match="jwk_private"):
        parse_client_metadata(GOOD | {"jwks": {"keys": [key]}})
