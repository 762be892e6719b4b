"""A TPP finds its clients again, and their management tokens."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from live.desk import Desk
from live.party import REGISTER, Draft, Party, Reply

COUNT = 5


def list_clients(party: Party, query: str = "") -> Reply:
    draft = party.draft("GET")
    draft.target += query
    return party.send(party.signed(draft))


@pytest.fixture(scope="module")
def desk(desk: Desk, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A bank that lists clients."""
    folder = tmp_path_factory.mktemp("listing") / "bank"
    with desk.beside(folder, registration__listing="true") as bank:
        yield bank


@pytest.fixture
def lister(desk: Desk, party_of: Callable[..., Party]) -> Party:
    """A TPP with clients of its own."""
    party = party_of(desk, "PSDFR-ACPR-55555")
    have = len(list_clients(party, "?limit=100").json.get("clients", ()))
    for number in range(have, COUNT):
        party.register(party.metadata(software_id=f"s{number}"))
    return party


def test_the_list_holds_the_clients_of_the_caller_and_no_others(
    desk: Desk, lister: Party, acme: Party
) -> None:
    foreign = acme.register().json["client_id"]
    reply = list_clients(lister)
    assert reply.status == 200
    ids = [each["client_id"] for each in reply.json["clients"]]
    sql = "SELECT client_id FROM clients WHERE organization_identifier = ? ORDER BY client_id"
    assert [(each,) for each in ids] == desk.rows(sql, lister.organization)
    assert len(ids) == COUNT
    assert foreign not in ids
    assert "next" not in reply.json


def test_a_client_in_the_list_is_described_and_shows_no_token(lister: Party) -> None:
    listed = list_clients(lister).json["clients"][0]
    whole = lister.get(listed["client_id"]).json
    assert listed == {name: whole[name] for name in listed}
    assert listed.keys() == {
        *("client_id", "client_id_issued_at", "registration_client_uri"),
        *("client_name", "software_id", "scope"),
    }


def test_the_list_is_read_page_by_page(lister: Party) -> None:
    seen: list[str] = []
    query = "?limit=2"
    while True:
        page = list_clients(lister, query).json
        assert 1 <= len(page["clients"]) <= 2
        seen += [each["client_id"] for each in page["clients"]]
        if "next" not in page:
            break
        place, _, rest = page["next"].partition("?")
        assert place.endswith(lister.register_path)
        query = f"?{rest}"
    assert seen == sorted(set(seen))
    assert len(seen) == COUNT


def test_the_signature_covers_the_query(lister: Party) -> None:
    draft = lister.signed(lister.draft("GET"))
    draft.target += "?limit=1"
    reply = lister.send(draft)
    assert (reply.status, reply.json["error"]) == (401, "invalid_client")


@pytest.mark.parametrize(
    "query",
    [
        *("?limit=0", "?limit=101", "?limit=", "?limit=1&limit=2", "?limit=%31", "?limit=01"),
        *("?after=", "?after=..", "?after=a%20b", "?page=2", "?limit", "?&"),
    ],
)
def test_a_query_of_another_kind_is_refused(lister: Party, query: str) -> None:
    reply = list_clients(lister, query)
    assert (reply.status, reply.code) == (400, "list_query")


def test_a_list_needs_what_every_call_needs(lister: Party, rival: Party) -> None:
    unsigned = lister.draft("GET")
    assert lister.send(unsigned).status == 400
    other_seal = lister.signed(lister.draft("GET"), pair=rival.qsealc)
    assert lister.send(other_seal).status == 401
    no_token = lister.signed(lister.draft("GET").set("Authorization", None))
    assert lister.send(no_token).status == 401


def test_a_lost_management_token_is_shown_again_to_the_organisation(
    lister: Party, rival: Party
) -> None:
    client = lister.register().json
    found = list_clients(lister, "?limit=100").json["clients"]
    assert client["client_id"] in [each["client_id"] for each in found]
    again = lister.get(client["client_id"]).json
    assert again["registration_access_token"] == client["registration_access_token"]
    rival.register()
    assert rival.get(client["client_id"]).status == 403
    assert lister.delete(client["client_id"]).status == 204


def test_the_list_is_as_described(lister: Party) -> None:
    document = lister.send(Draft("GET", "/openapi.json", [("Host", "localhost")])).json
    described = document["paths"][REGISTER]["get"]
    assert described["operationId"] == "registrationList"
    schema = described["responses"]["200"]["content"]["application/json"]["schema"]
    assert schema == {"$ref": "#/components/schemas/ClientList"}
    Draft202012Validator(document | schema).validate(list_clients(lister).json)


def test_the_command_lists_the_clients_at_the_bank(desk: Desk, tmp_path: Path) -> None:
    shutil.copytree(desk.folder, tmp_path / "tpp", ignore=shutil.ignore_patterns("enrol.db*"))
    profile = tmp_path / "tpp" / "tpp" / "profile.toml"

    def enrol(*command: str) -> Any:
        words = [sys.executable, "-m", "enrol", "tpp", *command, "--profile", str(profile)]
        words += ["--bank-url", f"https://127.0.0.1:{desk.port}", "--json"]
        done = subprocess.run(words, check=True, capture_output=True, text=True)
        return json.loads(done.stdout)

    client_id = enrol("register")["client_id"]
    assert client_id in [each["client_id"] for each in enrol("list", "--remote")]
