"""The rules in which BPCE differs."""

from base64 import b64encode
from types import SimpleNamespace

import pytest

from dialects import CONTACT, STET, answer, findings, good, grant
from enrol.adapters.dialects import load_dialect
from enrol.eidas.certificate import parse_certificate, parse_pem_certificate
from enrol.eidas.validate import CertificateUse
from enrol.errors import CertificateError
from enrol.httpsig.policy import Quirk
from enrol.oauth.jwk import JsonWebKey, JsonWebKeySet
from enrol.oauth.metadata import ClientMetadata
from enrol.oauth.types import ClientId
from enrol.registration.certificates import check_form
from enrol.registration.dialect import Credential, Dialect
from enrol.registration.signers import registered_keys
from vectors import vectors


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
