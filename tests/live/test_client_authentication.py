"""Clients of RFC 7591 are known at the token endpoint by the method they registered."""

import base64
import json
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote_plus

import pytest
from cryptography import x509

from live.desk import Desk
from live.party import TOKEN, Draft, Pair, Party, Reply

PartyOf = Callable[..., Party]
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
SECRETS = ("client_secret", "client_secret_expires_at")


@pytest.fixture(scope="module")
def bank(desk: Desk, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A bank that speaks RFC 7591."""
    folder = tmp_path_factory.mktemp("plain") / "sandbox"
    bank = desk.beside(folder, "--dialect", "rfc7591")
    bank.start()
    yield bank
    assert bank.stop() == 0


@pytest.fixture
def tpp(bank: Desk, party_of: PartyOf) -> Iterator[Party]:
    party = party_of(bank)
    yield party
    party.close()


def plain(party: Party, **members: Any) -> dict[str, Any]:
    return {"redirect_uris": ["https://tpp.test/cb"], "client_name": "Acme"} | members


def register(party: Party, method: str | None, **members: Any) -> Reply:
    if method is not None:
        members["token_endpoint_auth_method"] = method
    return party.send(party.draft("POST", body=plain(party, **members)))


def registered(party: Party, method: str | None, **members: Any) -> dict[str, Any]:
    reply = register(party, method, **members)
    assert reply.status == 201, reply
    return dict(reply.json)


def ask(party: Party, authorization: str | None = None, **form: str) -> Reply:
    """Ask for a token with the fields given, and no others."""
    fields = {"grant_type": "client_credentials", "scope": "manageRegistration"} | form
    body = "&".join(f"{name}={quote_plus(value)}" for name, value in fields.items()).encode()
    draft = Draft("POST", TOKEN, [("Host", "localhost")], body)
    draft.set("Content-Type", "application/x-www-form-urlencoded")
    draft.set("Content-Length", str(len(body))).set("Authorization", authorization)
    return party.send(draft)


def basic(client_id: str, secret: str) -> str:
    text = f"{quote_plus(client_id)}:{quote_plus(secret)}"
    return "Basic " + base64.b64encode(text.encode()).decode()


def base64url(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def assertion(pair: Pair, client_id: str, audience: str, **changes: Any) -> str:
    now = int(time.time())
    claims = {"iss": client_id, "sub": client_id, "aud": audience, "exp": now + 60}
    claims |= {"jti": str(uuid.uuid4())} | changes
    header = {"alg": "RS256", "kid": str(pair.certificate.serial_number)}
    signed = ".".join(base64url(json.dumps(part).encode()) for part in (header, claims))
    return f"{signed}.{base64url(pair.sign(signed.encode()))}"


def keys(*pairs: Pair) -> dict[str, Any]:
    return {
        "keys": [
            {
                "kty": "RSA",
                "kid": str(pair.certificate.serial_number),
                "x5c": [base64.b64encode(pair.der).decode()],
            }
            for pair in pairs
        ]
    }


def refused(reply: Reply) -> str:
    assert (reply.status, reply.json["error"]) == (401, "invalid_client"), reply
    return reply.code


# tls_client_auth


def test_a_client_has_the_subject_of_its_certificate_unless_it_says_another_name(
    tpp: Party,
) -> None:
    client = registered(tpp, None)
    assert client["token_endpoint_auth_method"] == "tls_client_auth"
    assert tpp.qwac is not None
    assert "2.5.4.97=PSDFR-ACPR-12345" in client["tls_client_auth_subject_dn"]
    assert ask(tpp, client_id=client["client_id"]).status == 200
    host = tpp.qwac.certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    name = host.value.get_values_for_type(x509.DNSName)[0]
    client = registered(tpp, None, tls_client_auth_san_dns=name)
    assert client["tls_client_auth_san_dns"] == name
    assert "tls_client_auth_subject_dn" not in client
    assert ask(tpp, client_id=client["client_id"]).status == 200


def test_dn_compared_as_text_in_the_wrong_string_form(tpp: Party) -> None:
    assert tpp.qwac is not None
    subject = tpp.qwac.certificate.subject
    names = {x509.NameOID.ORGANIZATION_IDENTIFIER: "organizationIdentifier"}
    for text in (
        subject.rfc4514_string(names),
        subject.rfc4514_string(names).replace(",", " , "),
        subject.rfc4514_string(names).upper(),
        _in_der(subject),
    ):
        client = registered(tpp, "tls_client_auth", tls_client_auth_subject_dn=text)
        assert client["tls_client_auth_subject_dn"] == text
        assert ask(tpp, client_id=client["client_id"]).status == 200
    forwards = ",".join(reversed(subject.rfc4514_string(names).split(",")))
    for text, code in (
        (forwards, "tls_client_auth_differs"),
        ("CN=somebody else", "tls_client_auth_differs"),
        ("/CN=" + tpp.organization, "tls_client_auth_malformed"),
    ):
        reply = register(tpp, "tls_client_auth", tls_client_auth_subject_dn=text)
        assert (reply.status, reply.code) == (400, code)


def _in_der(name: x509.Name) -> str:
    """Return a name with every type as a number and every value as the hex of its DER."""
    values = [(each.oid.dotted_string, str(each.value).encode()) for each in name]
    return ",".join(f"{oid}=#0c{len(v):02x}{v.hex()}" for oid, v in reversed(values))


def test_a_client_has_one_name_alone(tpp: Party) -> None:
    names = {"tls_client_auth_san_dns": "a.test", "tls_client_auth_san_email": "a@a.test"}
    reply = register(tpp, "tls_client_auth", **names)
    assert (reply.status, reply.code) == (400, "tls_client_auth_names")


def test_a_certificate_without_the_registered_name_is_not_the_clients(
    bank: Desk, tpp: Party, new_pair: Callable[..., Pair], party_of: PartyOf
) -> None:
    client = registered(tpp, None, tls_client_auth_subject_dn=_subject(tpp))
    other = new_pair("qwac", name="other-qwac", roles=("PSP_AI",), out=bank.folder / "others")
    party = Party(tpp.port, tpp.ca, tpp.organization, other, tpp.qsealc)
    same_name = other.certificate.subject == tpp.qwac.certificate.subject if tpp.qwac else True
    reply = ask(party, client_id=client["client_id"])
    party.close()
    assert reply.status == (200 if same_name else 401)


def _subject(party: Party) -> str:
    assert party.qwac is not None
    return party.qwac.certificate.subject.rfc4514_string(
        {x509.NameOID.ORGANIZATION_IDENTIFIER: "2.5.4.97"}
    )


# self_signed_tls_client_auth


def test_a_certificate_that_is_registered_by_value_is_the_clients(
    bank: Desk, tpp: Party, new_pair: Callable[..., Pair]
) -> None:
    assert tpp.qwac is not None
    method = "self_signed_tls_client_auth"
    client = registered(tpp, method, jwks=keys(tpp.qwac, tpp.qsealc))
    assert ask(tpp, client_id=client["client_id"]).status == 200
    other = new_pair("qwac", name="another-qwac", roles=("PSP_AI", "PSP_PI"))
    party = Party(tpp.port, tpp.ca, tpp.organization, other, tpp.qsealc)
    assert refused(ask(party, client_id=client["client_id"])) == "client_certificate_unknown"
    party.close()
    reply = register(tpp, method, jwks=keys(tpp.qsealc))
    assert (reply.status, reply.code) == (400, "jwks_without_certificate")
    assert register(tpp, method).code == "member_missing"


# private_key_jwt


def test_an_assertion_signed_with_a_registered_key_is_believed_once(bank: Desk, tpp: Party) -> None:
    client_id = registered(tpp, "private_key_jwt", jwks=keys(tpp.qsealc))["client_id"]
    issuer = f"https://127.0.0.1:{bank.port}"
    for audience in (issuer, issuer + TOKEN):
        text = assertion(tpp.qsealc, client_id, audience)
        form = {"client_assertion": text, "client_assertion_type": ASSERTION_TYPE}
        assert ask(tpp, **form).status == 200
        assert refused(ask(tpp, **form)) == "assertion_used"
    assert refused(ask(tpp, client_id=client_id)) == "assertion_missing"


def test_an_assertion_of_another_key_audience_or_client_is_not_believed(
    bank: Desk, tpp: Party, new_pair: Callable[..., Pair]
) -> None:
    client_id = registered(tpp, "private_key_jwt", jwks=keys(tpp.qsealc))["client_id"]
    issuer = f"https://127.0.0.1:{bank.port}"
    assert tpp.qwac is not None

    def code(text: str) -> str:
        form = {"client_assertion": text, "client_assertion_type": ASSERTION_TYPE}
        return refused(ask(tpp, client_id=client_id, **form))

    assert code(assertion(tpp.qwac, client_id, issuer)) == "assertion_key"
    assert code(assertion(tpp.qsealc, client_id, "https://other.test")) == "assertion_audience"
    assert code(assertion(tpp.qsealc, client_id, issuer, exp=1)) == "assertion_time"
    assert code(assertion(tpp.qsealc, "other", issuer)) == "assertion_subject"
    bent = assertion(tpp.qsealc, client_id, issuer)
    assert code(bent[:-8] + "AAAAAAAA") == "assertion_signature"


def test_a_client_of_assertions_registers_its_keys(tpp: Party) -> None:
    reply = register(tpp, "private_key_jwt")
    assert [(f["code"], f["member"]) for f in reply.json["findings"]] == [
        ("member_missing", "jwks")
    ]


# client_secret_basic


def test_a_secret_is_given_and_is_the_clients_alone(tpp: Party) -> None:
    client = registered(tpp, "client_secret_basic")
    client_id, secret = client["client_id"], client["client_secret"]
    assert ask(tpp, basic(client_id, secret)).status == 200
    assert ask(tpp, basic(client_id, secret), client_id=client_id).status == 200
    wrong = ask(tpp, basic(client_id, secret[:-1]))
    assert refused(wrong) == "client_secret_wrong"
    assert wrong.fields["www-authenticate"].startswith("Basic ")
    other = registered(tpp, "client_secret_basic")
    assert refused(ask(tpp, basic(other["client_id"], secret))) == "client_secret_wrong"
    assert refused(ask(tpp, client_id=client_id)) == "client_secret_missing"
    assert refused(ask(tpp, client_id=client_id, client_secret=secret)) == "client_secret_missing"


@pytest.mark.parametrize(
    "method", [None, "tls_client_auth", "self_signed_tls_client_auth", "private_key_jwt"]
)
def test_secret_issued_to_clients_whose_method_uses_none(tpp: Party, method: str | None) -> None:
    assert tpp.qwac is not None
    brought = {"self_signed_tls_client_auth": tpp.qwac, "private_key_jwt": tpp.qsealc}
    jwks = keys(brought[method]) if method in brought else None
    assert not registered(tpp, method, jwks=jwks).keys() & set(SECRETS)


def test_client_secret_without_client_secret_expires_at(tpp: Party) -> None:
    client = registered(tpp, "client_secret_basic")
    assert client["client_secret_expires_at"] == 0
    assert type(client["client_secret_expires_at"]) is int


def test_a_secret_expires_and_the_next_is_in_the_registration(
    desk: Desk, tmp_path: Any, party_of: PartyOf
) -> None:
    bank = desk.beside(tmp_path / "sandbox", "--dialect", "rfc7591", tokens__secret_lifetime=1)
    with bank:
        party = party_of(bank)
        client = registered(party, "client_secret_basic")
        client_id, secret = client["client_id"], client["client_secret"]
        assert client["client_secret_expires_at"] > client["client_id_issued_at"]
        while (reply := ask(party, basic(client_id, secret))).status == 200:
            pass
        assert reply.code in ("client_secret_expired", "client_secret_wrong")
        after = party.send(party.draft("GET", client_id)).json
        assert after["client_secret"] != secret
        assert ask(party, basic(client_id, after["client_secret"])).status == 200
        party.close()


def test_a_client_that_gives_its_secret_up_has_none_any_more(tpp: Party) -> None:
    client = registered(tpp, "client_secret_basic")
    client_id = client["client_id"]
    body = plain(tpp, client_id=client_id, token_endpoint_auth_method="tls_client_auth")
    changed = tpp.send(tpp.draft("PUT", client_id, body))
    assert changed.status == 200
    assert not changed.json.keys() & set(SECRETS)
    assert ask(tpp, client_id=client_id).status == 200


@pytest.mark.parametrize("method", ["none", "client_secret_post", "client_secret_jwt", ""])
def test_a_method_that_is_not_offered_is_refused(tpp: Party, method: str) -> None:
    assert register(tpp, method).code == "auth_method_refused"


# What is told, and what is kept


def test_the_metadata_of_the_server_follow_the_dialect(desk: Desk, acme: Party, tpp: Party) -> None:
    path = "/.well-known/oauth-authorization-server"
    plain_desk, stet = (
        party.exchange(Draft("GET", path, [("Host", "localhost")]).to_bytes()).json
        for party in (tpp, acme)
    )
    assert plain_desk["token_endpoint_auth_methods_supported"] == [
        *("tls_client_auth", "self_signed_tls_client_auth"),
        *("private_key_jwt", "client_secret_basic"),
    ]
    algorithms = plain_desk["token_endpoint_auth_signing_alg_values_supported"]
    assert {"PS256", "ES256"} <= set(algorithms)
    assert not any(each.startswith("HS") or each == "none" for each in algorithms)
    assert stet["token_endpoint_auth_methods_supported"] == ["tls_client_auth"]
    assert "token_endpoint_auth_signing_alg_values_supported" not in stet


@pytest.mark.parametrize(
    "method", ["client_secret_basic", "private_key_jwt", "self_signed_tls_client_auth"]
)
def test_stet_takes_the_certificate_alone(acme: Party, method: str) -> None:
    reply = acme.register(acme.metadata(token_endpoint_auth_method=method))
    assert (reply.status, reply.code) == (400, "auth_method_refused")


def test_no_secret_is_in_the_register_the_evidence_or_the_log(bank: Desk, tpp: Party) -> None:
    client = registered(tpp, "client_secret_basic")
    client_id, secret = client["client_id"], client["client_secret"]
    credentials = basic(client_id, secret)
    assert ask(tpp, credentials).status == 200
    body = plain(tpp, client_id=client_id, client_secret=secret) | {
        "token_endpoint_auth_method": "client_secret_basic"
    }
    assert tpp.send(tpp.draft("PUT", client_id, body)).status == 200
    other = registered(tpp, "private_key_jwt", jwks=keys(tpp.qsealc))["client_id"]
    text = assertion(tpp.qsealc, other, f"https://127.0.0.1:{bank.port}")
    form = {"client_assertion": text, "client_assertion_type": ASSERTION_TYPE}
    assert [ask(tpp, **form).status for _ in range(2)] == [200, 401]
    hidden = [secret, credentials.partition(" ")[2], text, text.rpartition(".")[2]]
    kept = [bank.database, bank.database.with_name(bank.database.name + "-wal")]
    written = b"".join(path.read_bytes() for path in kept if path.exists())
    written += "\n".join(bank.log_lines).encode()
    assert not any(each.encode() in written for each in hidden)
