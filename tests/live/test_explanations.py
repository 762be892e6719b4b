"""A sandbox tells a TPP in full why its signature is refused; a production server does not."""

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from enrol.explanations import EXPLANATIONS
from live.desk import Desk
from live.party import Draft, Party, Reply

SECRET = "not-to-be-repeated"


def signed_as(party: Party, method: str) -> Draft:
    """Return a registration whose signature says another method."""
    draft = party.signed(party.draft("POST", body=party.metadata()))
    draft.method = method
    party.signed(draft)
    draft.method = "POST"
    return draft


def rules(reply: Reply, verdict: str) -> set[str]:
    return {
        each["rule"] for each in reply.json["explanation"]["findings"] if each["verdict"] == verdict
    }


def test_the_sandbox_explains_a_refused_signature(acme: Party) -> None:
    draft = signed_as(acme, "PUT")
    reply = acme.send(draft)
    assert (reply.status, reply.code) == (401, "SIG-1")
    explanation = reply.json["explanation"]
    assert rules(reply, "fails") == {"SIG-1"}
    assert rules(reply, "holds") >= {"COV-1", "COV-2", "COV-3", "DIG-9", "ALG-3"}
    assert explanation["mistakes"] == [
        "The signature verifies if another method is signed: sign the method that is sent."
    ]
    assert explanation["signing_string"] == [
        f"(request-target): post {draft.target}",
        f"digest: {draft.get('digest')}",
        f"x-request-id: {draft.get('x-request-id')}",
    ]
    assert {member for member in reply.json if member != "explanation"} == {
        *("error", "error_description", "error_uri", "timestamp", "status", "message", "path")
    }


def test_nothing_else_of_the_request_is_told(acme: Party) -> None:
    draft = acme.signed(acme.draft("POST", body=acme.metadata(client_name=SECRET)))
    draft.set("Digest", "SHA-256=AAAA").set("PSU-Agent", SECRET)
    reply = acme.send(draft)
    assert (reply.status, reply.code) == (400, "DIG-7")
    assert "DIG-7" in rules(reply, "fails")
    assert SECRET not in reply.body.decode()
    assert acme.token not in reply.body.decode()


def test_what_is_told_of_the_signing_string_is_escaped(acme: Party) -> None:
    draft = acme.draft("POST", body=acme.metadata()).set("PSU-Agent", 'a\\"b\tc')
    covered = ("(request-target)", "digest", "x-request-id", "psu-agent")
    acme.signed(draft, covered=covered).set("X-Request-ID", "another")
    reply = acme.send(draft)
    assert reply.code == "SIG-1"
    assert reply.json["explanation"]["signing_string"][3] == 'psu-agent: a\\\\"b\\tc'


@pytest.mark.parametrize("name", ["keyid", "syntax"])
def test_other_refusals_of_a_signature_are_explained_too(acme: Party, name: str) -> None:
    draft = acme.post()
    value = str(draft.get("signature"))
    bent = value.replace(acme.kid, "nobody") if name == "keyid" else value + ";"
    reply = acme.send(draft.set("Signature", bent))
    assert reply.code == {"keyid": "KEY-2", "syntax": "PAR-1"}[name]
    assert reply.code in rules(reply, "fails")


def test_what_is_refused_for_other_reasons_is_not_explained(acme: Party) -> None:
    reply = acme.register(acme.metadata(redirect_uris=["http://tpp.test"]))
    assert reply.status == 400
    assert "explanation" not in reply.json


def test_a_production_setting_tells_the_rule_alone(
    desk: Desk, acme: Party, tmp_path: Path, party_of
) -> None:
    settings = tomllib.loads((desk.folder / "enrol.toml").read_text())
    assert settings["registration"]["explain_refusals"] is True
    other = desk.beside(tmp_path / "bank", registration__explain_refusals="false")
    with other:
        party = party_of(other)
        reply = party.send(signed_as(party, "PUT"))
        assert (reply.status, reply.code) == (401, "SIG-1")
        assert "explanation" not in reply.json
        assert "explained" not in "".join(other.log_lines)
    assert any("refusals_explained" in line for line in desk.log_lines)


def test_a_sent_request_explains_offline_as_the_bank_explains_it(
    acme: Party, tmp_path: Path
) -> None:
    draft = signed_as(acme, "PUT")
    file = tmp_path / "request.http"
    file.write_bytes(draft.to_bytes())
    command = [sys.executable, "-m", "enrol", "explain", "signature", str(file), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    document = json.loads(done.stdout)
    told = acme.send(draft).json["explanation"]
    assert [each["sentence"] for each in document["mistakes"]] == told["mistakes"]
    assert document["signing_string"].split("\n") == told["signing_string"]
    assert EXPLANATIONS["SIG-1"].meaning in json.dumps(document)
