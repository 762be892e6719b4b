"""Sandbox banks that speak their bank's dialect, and what real clients of those banks send them."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from enrol.adapters.dialects import load_dialect, read_dialect
from live.desk import Desk
from live.party import Draft, Party, Reply
from live.test_bodies import BNP_COVERED, YOLT, body_of, with_certificates_of
from vectors import vectors

LCL_COVERED = ("(request-target)",)
PartyOf = Callable[..., Party]


@pytest.fixture(scope="module")
def bank_of(
    desk: Desk, party_of: PartyOf, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], Party]]:
    """Return a TPP connected to a bank of the dialect; each bank is started once."""
    started: dict[str, tuple[Desk, Party]] = {}

    def connect(name: str) -> Party:
        if name not in started:
            folder = tmp_path_factory.mktemp(name) / "sandbox"
            bank = desk.beside(folder, "--dialect", name)
            bank.start()
            party = party_of(bank, YOLT)
            party.register_path = load_dialect(name).register_path
            started[name] = bank, party
        return started[name][1]

    yield connect
    for bank, party in started.values():
        party.close()
        assert bank.stop() == 0


def stub(name: str) -> dict[str, Any]:
    index = json.loads(vectors("bodies", "index.json").read_bytes())
    return dict(index[name]["stub_response"])


def check_like(stub: dict[str, Any], reply: Reply) -> None:
    """Check that an answer has the status of a stub, its header fields, members and types."""
    assert reply.status == stub["status"], reply
    for name in stub.get("headers", {}).keys() & {"Warning"}:
        assert reply.fields[name.lower()] == stub["headers"][name]
    assert kinds(reply.json) == kinds(stub["jsonBody"])


def kinds(value: object) -> object:
    """Return the members of a JSON value and the types of what they hold."""
    match value:
        case dict():
            return {name: kinds(held) for name, held in value.items()}
        case list():
            return [kinds(held) for held in value[:1]]
        case _:
            return type(value).__name__


def send(party: Party, draft: Draft, *, bearer: str | None = None, **signature: Any) -> Reply:
    draft.set("Authorization", bearer and f"Bearer {bearer}")
    return party.send(party.signed(draft, **signature))


# The bodies of real clients


def test_bpce_answers_its_client_as_its_client_is_used_to(
    bank_of: Callable[[str], Party],
) -> None:
    yolt = bank_of("bpce")
    body = with_certificates_of(yolt, body_of("bpce-post"))
    reply = yolt.send(yolt.signed(yolt.draft("POST", body=body)))
    check_like(stub("bpce-post"), reply)
    client_id = reply.json["client_id"]
    body = with_certificates_of(yolt, body_of("bpce-put"), client_id=client_id)
    check_like(stub("bpce-put"), yolt.send(signed_as_post(yolt, client_id, body)))


def signed_as_post(party: Party, client_id: str, body: bytes) -> Draft:
    """Return an update whose signature says it is a POST, as BPCE's client signs it."""
    draft = party.draft("PUT", client_id, body)
    draft.method = "POST"
    party.signed(draft)
    draft.method = "PUT"
    return draft


def test_lcl_answers_its_client_as_its_client_is_used_to(bank_of: Callable[[str], Party]) -> None:
    yolt = bank_of("lcl")
    body = with_certificates_of(yolt, body_of("lcl-post"))
    reply = send(yolt, yolt.draft("POST", body=body), covered=LCL_COVERED)
    check_like(stub("lcl-post"), reply)
    client_id = reply.json["client_id"]
    body = with_certificates_of(yolt, body_of("lcl-put"), client_id=client_id)
    reply = send(yolt, yolt.draft("PUT", client_id, body), covered=LCL_COVERED)
    check_like(stub("lcl-put"), reply)


def test_bnpp_answers_its_client_as_its_client_is_used_to(bank_of: Callable[[str], Party]) -> None:
    yolt = bank_of("bnpp")
    body = with_certificates_of(yolt, body_of("bnp-post"))
    reply = send(yolt, yolt.draft("POST", body=body), covered=BNP_COVERED)
    check_like(stub("bnp-post"), reply)
    client_id, token = reply.json["client_id"], reply.json["registration_access_token"]
    body = with_certificates_of(yolt, body_of("bnp-put"), client_id=client_id)
    covered = (*BNP_COVERED[:-1], "authorization", "digest")
    draft = yolt.draft("PUT", client_id, body)
    check_like(stub("bnp-put"), send(yolt, draft, bearer=token, covered=covered))


# What a call needs


def test_bnpp_takes_no_other_bearer_for_management(bank_of: Callable[[str], Party]) -> None:
    yolt = bank_of("bnpp")
    body = with_certificates_of(yolt, body_of("bnp-post"))
    client_id = send(yolt, yolt.draft("POST", body=body)).json["client_id"]
    reply = send(yolt, yolt.draft("GET", client_id), bearer=yolt.token)
    assert (reply.status, reply.code) == (401, "token_unknown")


def test_bpce_takes_no_registration_access_token(
    bank_of: Callable[[str], Party], desk: Desk, party_of: PartyOf
) -> None:
    yolt = bank_of("bpce")
    body = with_certificates_of(yolt, body_of("bpce-post"))
    client_id = send(yolt, yolt.draft("POST", body=body), bearer=yolt.token).json["client_id"]
    assert send(yolt, yolt.draft("GET", client_id)).code == "token_missing"
    assert send(yolt, yolt.draft("GET", client_id), bearer="x" * 43).code == "token_unknown"


def test_cic_registers_over_the_certificate_of_the_connection_alone(
    bank_of: Callable[[str], Party], desk: Desk, party_of: PartyOf
) -> None:
    yolt = bank_of("cic")
    metadata = yolt.metadata(tls_client_auth_subject_dn="CN=anybody", scope="aisp pisp")
    metadata["jwks"]["keys"][0]["kid"] = None
    reply = yolt.send(yolt.draft("POST", body=metadata).set("Authorization", None))
    assert reply.status == 201, reply
    assert reply.json["jwks"]["keys"][0]["kid"]
    client_id = reply.json["client_id"]
    read = yolt.draft("GET", client_id).set("Authorization", None)
    assert yolt.send(read).json == reply.json
    stranger = party_of(desk, "PSDFR-ACPR-22222")
    stranger.port, stranger.register_path = yolt.port, yolt.register_path
    foreign = stranger.send(stranger.draft("GET", client_id).set("Authorization", None))
    assert (foreign.status, foreign.code) == (403, "client_not_yours")
    stranger.close()
    gone = yolt.send(yolt.draft("DELETE", client_id).set("Authorization", None))
    assert gone.status == 204


def test_cic_verifies_a_signature_that_comes(bank_of: Callable[[str], Party]) -> None:
    yolt = bank_of("cic")
    draft = yolt.signed(yolt.draft("POST", body=yolt.metadata()))
    assert draft.get("Signature")
    draft.body = draft.body.replace(b"Acme", b"Bcme", 1)
    reply = yolt.send(draft)
    assert (reply.status, reply.code) == (400, "DIG-9")
    draft = yolt.signed(yolt.draft("POST", body=yolt.metadata()))
    draft.set("X-Request-ID", "another")
    assert yolt.send(draft).code == "SIG-1"


def test_cic_judges_the_keys_of_an_unsigned_registration(
    bank_of: Callable[[str], Party], new_pair: Callable[..., Any]
) -> None:
    yolt = bank_of("cic")
    foreign = new_pair("qsealc", "PSDFR-ACPR-22222")
    metadata = yolt.metadata(scope="aisp pisp")
    other = Party(yolt.port, yolt.ca, yolt.organization, yolt.qwac, foreign)
    metadata["jwks"] = other.metadata()["jwks"]
    reply = yolt.send(yolt.draft("POST", body=metadata))
    assert reply.status == 401, reply


def test_rfc7591_serves_a_client_that_neither_signs_nor_sends_an_id(
    bank_of: Callable[[str], Party],
) -> None:
    yolt = bank_of("rfc7591")

    def plain(draft: Draft, bearer: str) -> Reply:
        draft.set("X-Request-ID", None).set("Authorization", f"Bearer {bearer}")
        return yolt.send(draft)

    metadata = {"redirect_uris": ["https://tpp.test/cb"], "client_name": "Acme"}
    made = plain(yolt.draft("POST", body=metadata), yolt.token)
    assert made.status == 201, made
    assert made.fields["location"] == made.json["registration_client_uri"]
    client_id, token = made.json["client_id"], made.json["registration_access_token"]
    assert plain(yolt.draft("GET", client_id), token).json == made.json
    body = metadata | {"client_id": client_id, "client_name": "Other"}
    changed = plain(yolt.draft("PUT", client_id, body), token)
    assert (changed.status, changed.json["client_name"]) == (200, "Other")
    assert plain(yolt.draft("DELETE", client_id), token).status == 204
    assert plain(yolt.draft("GET", client_id), token).status == 401


# Operations, and the description


def test_lcl_has_no_delete(bank_of: Callable[[str], Party]) -> None:
    yolt = bank_of("lcl")
    reply = send(yolt, yolt.draft("DELETE", "c1"))
    assert (reply.status, reply.code) == (501, "operation_off")


def _is_dry_run(response: dict[str, Any]) -> bool:
    """Tell whether an answer is that to a dry run alone, whose status no dialect changes."""
    schema = response.get("content", {}).get("application/json", {}).get("schema", {})
    return bool(schema.get("$ref", "").endswith("/DryRunReport"))


@pytest.mark.parametrize("name", ["bpce", "lcl", "bnpp", "cic", "rfc7591"])
def test_the_description_has_the_statuses_of_the_dialect(
    bank_of: Callable[[str], Party], name: str
) -> None:
    yolt, dialect = bank_of(name), load_dialect(name)
    served = yolt.exchange(Draft("GET", "/openapi.json", [("Host", "localhost")]).to_bytes()).json
    paths = served["paths"]
    one = paths[dialect.register_path + "/{clientId}"]
    answered = {
        "register": paths[dialect.register_path]["post"],
        "read": one.get("get"),
        "update": one.get("put"),
        "delete": one.get("delete"),
    }
    for operation, described in answered.items():
        assert (described is not None) == (operation in dialect.operations)
        if described is not None:
            answers = described["responses"].items()
            good = [status for status, each in answers if status < "300" and not _is_dry_run(each)]
            assert good == [str(getattr(dialect.answer, operation).status)]
    needed = answered["register"]["security"][0]
    assert (needed.keys() == {"qwac"}) == (not dialect.credentials.register)


@pytest.mark.parametrize("name", ["bpce", "lcl", "bnpp", "cic"])
def test_a_description_foresees_what_is_answered(
    bank_of: Callable[[str], Party], name: str
) -> None:
    yolt = bank_of(name)
    served = yolt.exchange(Draft("GET", "/openapi.json", [("Host", "localhost")]).to_bytes()).json
    metadata = yolt.metadata(context="psd2", contacts=["ops@tpp.test"])
    metadata["scope"] = "aisp,pisp" if name in ("bpce", "lcl") else "aisp pisp"
    reply = send(
        yolt, yolt.draft("POST", body=metadata), bearer=yolt.token if name == "bpce" else None
    )
    described = served["paths"][yolt.register_path]["post"]
    content = described["responses"][str(reply.status)]["content"]["application/json"]
    schema = content["schema"] | {"components": served["components"]}
    Draft202012Validator(schema).validate(reply.json)
    body = described["requestBody"]["content"]["application/json"]["schema"]
    Draft202012Validator(body | {"components": served["components"]}).validate(metadata)


# An operator's own


def test_an_operator_speaks_a_changed_copy(desk: Desk, party_of: PartyOf, tmp_path: Path) -> None:
    text = read_dialect("bpce").replace('name = "bpce"', 'name = "mybank"', 1)
    text = text.replace("status = 200", "status = 202", 1)
    bank = desk.beside(tmp_path / "sandbox", registration__dialect="./mybank.toml")
    (bank.folder / "mybank.toml").write_text(text, "utf-8")
    with bank:
        party = party_of(bank)
        assert party.register().status == 202
        party.close()
