"""What an issuer the bank trusts says of a client counts before what the client says itself."""

import base64
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from joserfc.jwk import ECKey

from enrol.adapters.dialects import read_dialect
from live.desk import Desk
from live.keyhost import HOST, KeyHost
from live.party import Party, Reply
from statement_issuer import StatementIssuer

FROM_FILE = StatementIssuer("https://directory.test")
FROM_URL = StatementIssuer("https://online.test")
STRANGER = StatementIssuer("https://stranger.test")
SETTINGS = """
[software_statements]
ca = "{ca}"
[software_statements.hosts]
"{host}" = "127.0.0.1:{port}"
[software_statements.issuers.directory]
issuer = "https://directory.test"
jwks = "directory.jwks"
audience = ["https://bank.test"]
[software_statements.issuers.online]
issuer = "https://online.test"
jwks_url = "https://{host}/jwks"
audience = ["https://bank.test"]
use = "many"
"""


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KeyHost]:
    """Where one issuer publishes its keys."""
    with KeyHost(tmp_path_factory.mktemp("keyhost")) as running:
        running.files["/jwks"] = FROM_URL.jwks
        yield running


@pytest.fixture(scope="module")
def bank(desk: Desk, host: KeyHost, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A bank that takes statements, and registers without."""
    folder = tmp_path_factory.mktemp("stating") / "bank"
    bank = desk.beside(folder, registration__dialect="./mybank.toml")
    text = read_dialect("stet").replace('"stet"', '"mybank"', 1)
    text = text.replace("[metadata]\n", '[metadata]\nsoftware_statement = "optional"\n', 1)
    (folder / "mybank.toml").write_text(text)
    (folder / "directory.jwks").write_bytes(FROM_FILE.jwks)
    with (folder / "enrol.toml").open("a") as settings:
        settings.write(SETTINGS.format(ca=host.ca, host=HOST, port=host.port))
    with bank:
        yield bank


@pytest.fixture
def tpp(bank: Desk, party_of: Callable[..., Party]) -> Iterator[Party]:
    party = party_of(bank)
    yield party
    party.close()


@pytest.fixture
def other(bank: Desk, party_of: Callable[..., Party]) -> Iterator[Party]:
    party = party_of(bank, "PSDFR-ACPR-22222")
    yield party
    party.close()


def statement(issuer: StatementIssuer = FROM_FILE, **changes: Any) -> str:
    return issuer.sign(issuer.claims(time.time(), **{"jti": str(uuid4())} | changes))


def register(party: Party, text: str, **members: Any) -> Reply:
    members = {"redirect_uris": None} | members
    return party.register(party.metadata(software_statement=text, **members))


def refusal(reply: Reply) -> tuple[int, str, str]:
    return reply.status, reply.json["error"], reply.code


def test_the_statement_wins_and_comes_back_unchanged(tpp: Party) -> None:
    text = statement(client_name="Acme by the directory", scope="aisp")
    reply = register(tpp, text, client_name="Acme by itself", scope="aisp pisp")
    assert reply.status == 201
    assert reply.json["software_statement"] == text
    assert reply.json["client_name"] == "Acme by the directory"
    assert reply.json["scope"] == "aisp"
    assert reply.json["redirect_uris"] == ["https://tpp.test/cb", "https://tpp.test/cb2"]
    assert tpp.get(reply.json["client_id"]).json == reply.json


def test_without_a_statement_a_client_is_what_it_says(tpp: Party) -> None:
    reply = tpp.register()
    assert (reply.status, "software_statement" in reply.json) == (201, False)


@pytest.mark.parametrize("position", [0, 1, 2])
def test_every_redirect_uri_is_one_of_the_statement_wherever_it_stands(
    bank: Desk, tpp: Party, position: int
) -> None:
    """The fault of a peer: only the first was looked at."""
    uris = ["https://tpp.test/cb", "https://tpp.test/cb2"]
    assert register(tpp, statement(), redirect_uris=uris).status == 201
    before = bank.count_clients()
    uris.insert(position, "https://evil.test/cb")
    assert refusal(register(tpp, statement(), redirect_uris=uris)) == (
        *(400, "invalid_redirect_uri", "redirect_uri_not_stated"),
    )
    assert bank.count_clients() == before


def test_a_statement_without_redirect_uris_lets_none_be_registered(tpp: Party) -> None:
    text = statement(redirect_uris=None)
    reply = register(tpp, text, redirect_uris=["https://tpp.test/cb"])
    assert reply.code == "redirect_uri_not_stated"
    assert register(tpp, text).code == "member_missing"


@pytest.mark.parametrize("claim", ["exp", "iss", "aud", "iat", "jti", "provider_legal_id"])
def test_a_statement_is_not_taken_without_a_claim(bank: Desk, tpp: Party, claim: str) -> None:
    """The fault of a peer: exp, iss and aud were not looked for."""
    before = bank.count_clients()
    reply = register(tpp, statement(**{claim: None}))
    assert refusal(reply) == (400, "invalid_software_statement", "statement_claims")
    assert bank.count_clients() == before


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("nonsense", "statement_malformed"),
        (statement(exp=1), "statement_expired"),
        (statement(aud="https://other.test"), "statement_audience"),
        (statement()[:-4] + "AAAA", "statement_signature"),
        (
            StatementIssuer(FROM_FILE.name).sign(FROM_FILE.claims(time.time())),
            "statement_signature",
        ),
        (
            FROM_FILE.sign(FROM_FILE.claims(time.time()), typ="client-authentication+jwt"),
            "statement_header",
        ),
    ],
    ids=["nonsense", "expired", "for another", "tampered", "another's key", "assertion"],
)
def test_a_statement_that_is_not_good_is_invalid(tpp: Party, text: str, code: str) -> None:
    assert refusal(register(tpp, text)) == (400, "invalid_software_statement", code)


def test_a_statement_of_nobody_known_here_is_not_approved(tpp: Party, host: KeyHost) -> None:
    host.requested.clear()
    text = STRANGER.sign(STRANGER.claims(time.time()), jku=f"https://{HOST}/jwks")
    assert refusal(register(tpp, text)) == (
        *(400, "unapproved_software_statement", "statement_issuer"),
    )
    assert host.requested == []


def test_a_statement_about_another_organisation_is_refused(bank: Desk, other: Party) -> None:
    before = bank.count_clients()
    reply = register(other, statement())
    assert refusal(reply) == (400, "invalid_software_statement", "statement_foreign")
    assert bank.count_clients() == before


@pytest.mark.parametrize(
    ("claim", "code"),
    [
        ({"redirect_uris": ["https://tpp.test/cb", "http://tpp.test/cb"]}, "redirect_uri_scheme"),
        ({"grant_types": ["implicit"]}, "value_refused"),
        ({"jwks_uri": "https://tpp.test/jwks"}, "member_refused"),
        ({"client_secret": "x"}, "member_refused"),
        ({"client_name": "a\u202eb"}, "text_not_plain"),
        ({"scope": "cbpii"}, "role_insufficient"),
        ({"redirect_uris": "https://tpp.test/cb"}, "member_wrong_type"),
        ({"redirect_uris": [{}]}, "member_wrong_type"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_a_statement_says_is_judged_like_what_a_client_says(
    tpp: Party, claim: dict[str, Any], code: str
) -> None:
    reply = register(tpp, statement(**claim))
    assert (reply.status, reply.code) == (403 if code == "role_insufficient" else 400, code)


def test_a_statement_registers_one_client_however_often_it_comes_at_once(
    bank: Desk, party_of: Callable[..., Party]
) -> None:
    before, text = bank.count_clients(), statement()
    parties = [party_of(bank) for _ in range(8)]
    with ThreadPoolExecutor(len(parties)) as pool:
        replies = list(pool.map(lambda party: register(party, text), parties))
    for party in parties:
        party.close()
    assert sorted(reply.status for reply in replies) == [201, *[400] * 7]
    assert {reply.code for reply in replies if reply.status == 400} == {"statement_reused"}
    assert bank.count_clients() == before + 1


def test_the_same_bytes_again_are_answered_alike(tpp: Party) -> None:
    post = tpp.post(tpp.metadata(software_statement=statement(), redirect_uris=None))
    assert tpp.send(post).body == tpp.send(post).body


def test_a_client_is_updated_with_the_statement_it_has_or_a_new_one(tpp: Party) -> None:
    text = statement()
    client_id = register(tpp, text).json["client_id"]

    def update(sent: str) -> Reply:
        body = tpp.metadata(software_statement=sent, redirect_uris=None, client_id=client_id)
        return tpp.put(client_id, body)

    assert update(text).json["software_statement"] == text
    newer = statement(redirect_uris=["https://tpp.test/new"])
    assert update(newer).json["redirect_uris"] == ["https://tpp.test/new"]
    assert update(statement(aud="https://other.test")).code == "statement_audience"


def test_one_issuers_statement_is_for_many_clients_where_that_is_set(tpp: Party) -> None:
    text = statement(FROM_URL)
    ids = {register(tpp, text).json["client_id"] for _ in range(3)}
    assert len(ids) == 3
    other = FROM_URL.sign(FROM_URL.claims(time.time(), jti=_jti_of(text), software_id="else"))
    assert register(tpp, other).code == "statement_reused"


def _jti_of(text: str) -> str:
    payload = text.split(".")[1]
    return str(json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["jti"])


def test_keys_are_fetched_seldom_and_for_nobody_who_is_not_believed(
    tpp: Party, host: KeyHost
) -> None:
    assert register(tpp, statement(FROM_URL)).status == 201
    host.requested.clear()
    draft = tpp.draft("POST", body=tpp.metadata(software_statement=statement(FROM_URL)))
    assert tpp.send(tpp.signed(draft, pair=tpp.qwac)).status == 401
    unknown = StatementIssuer(FROM_URL.name, keys={"new": ECKey.generate_key("P-256")})
    text = unknown.sign(unknown.claims(time.time()), kid="new")
    for _ in range(3):
        assert register(tpp, text).code == "statement_key"
    assert len(host.requested) <= 1


def test_a_dry_run_tells_what_the_statement_changes_and_uses_it_up_for_nobody(tpp: Party) -> None:
    text = statement(client_name="Acme by the directory")
    body = tpp.metadata(software_statement=text, redirect_uris=None)
    draft = tpp.draft("POST", body=body).set("Prefer", "handling=validate-only")
    report = tpp.send(tpp.signed(draft)).json
    changed = {each["member"]: each["code"] for each in report["substitutions"]}
    assert changed["client_name"] == changed["redirect_uris"] == "member_stated"
    assert register(tpp, text).status == 201
    again = tpp.draft("POST", body=body).set("Prefer", "handling=validate-only")
    report = tpp.send(tpp.signed(again)).json
    assert [each["code"] for each in report["findings"]] == ["statement_reused"]


def test_statement_and_key_are_kept_as_evidence(bank: Desk, tpp: Party) -> None:
    text = statement()
    client_id = register(tpp, text).json["client_id"]
    ((request, evidence),) = bank.rows(
        "SELECT request, evidence FROM audit_events WHERE client_id = ?", client_id
    )
    assert text.encode() in request
    assert '"statement_key":"' in evidence
    (key,) = bank.rows(
        "SELECT content FROM evidence_blobs WHERE lower(hex(sha256)) ="
        " json_extract(?, '$.statement_key')",
        evidence,
    )
    assert b'"kty":"EC"' in key[0]
    command = [sys.executable, "-m", "enrol", "audit", "verify"]
    command += ["--config", str(bank.folder / "enrol.toml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_where_statements_are_off_they_are_neither_judged_nor_registered(acme: Party) -> None:
    reply = acme.register(acme.metadata(software_statement="nonsense"))
    assert (reply.status, "software_statement" in reply.json) == (201, False)


def test_keys_that_are_missing_are_told_before_the_start(desk: Desk, tmp_path: Path) -> None:
    bank = desk.beside(tmp_path / "bank")
    text = read_dialect("stet").replace(
        "[metadata]\n", '[metadata]\nsoftware_statement = "required"\n', 1
    )
    (bank.folder / "mybank.toml").write_text(text)
    command = [sys.executable, "-m", "enrol", "check-config", str(bank.folder / "enrol.toml")]
    environment = os.environ | {"ENROL_REGISTRATION_DIALECT": "./mybank.toml"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode != 0
    assert "software_statements.issuers" in done.stdout + done.stderr
