"""Faults that peers were seen to have, tried at a running bank; those of one part are tested there.

`tests/test_peers.py` says which test shows which of them.
"""

import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from live.desk import Desk
from live.party import Draft, Party

ODD: dict[str, Any] = {
    "null for the names": {"client_name": None},
    "a list for a text": {"client_name": ["Acme"]},
    "an object for a list": {"redirect_uris": {"0": "https://tpp.test/cb"}},
    "null in a list": {"redirect_uris": [None]},
    "an empty text": {"scope": ""},
    "an empty list": {"grant_types": []},
    "a number beyond counting": {"software_version": 10**400},
    "a list of lists": {"contacts": [[["ops@tpp.test"]]]},
    "a key set of nothing": {"jwks": {}},
    "null for a key": {"jwks": {"keys": [None]}},
    "an unpaired surrogate": {"client_name": "\ud800"},
    "a NUL": {"client_name": "A\0B"},
    "true for an object": {"contact": True},
    "an agent that is a number": {"client_legal_id": 5},
}


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A port at which something would have to be fetched."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        listening.setblocking(False)
        yield listening


def was_called(listener: socket.socket) -> bool:
    try:
        listener.accept()[0].close()
    except BlockingIOError:
        return False
    return True


def test_server_fetches_any_uri(acme: Party, listener: socket.socket) -> None:
    place = f"https://127.0.0.1:{listener.getsockname()[1]}/x"
    for member in ("jwks_uri", "sector_identifier_uri", "request_uris"):
        reply = acme.register(acme.metadata(**{member: place}))
        assert (reply.status, reply.code) == (400, "member_refused")
    for member in ("logo_uri", "client_uri", "tos_uri", "policy_uri"):
        reply = acme.register(acme.metadata(**{member: place}))
        assert (reply.status, reply.code) == (400, "uri_refused")  # an address is no name
    assert not was_called(listener)


@pytest.mark.parametrize("method", ["PATCH", "POST"])
def test_patch_wipes_rat(acme: Party, method: str) -> None:
    client = acme.register().json
    draft = acme.draft(method, client["client_id"], {"client_name": "Other"})
    reply = acme.send(acme.signed(draft))
    assert (reply.status, reply.code) == (405, "method_not_allowed")
    read = acme.draft("GET", client["client_id"])
    read.set("Authorization", f"Bearer {client['registration_access_token']}")
    assert acme.send(acme.signed(read)).json == client


def test_revoked_iat_still_registers(acme: Party) -> None:
    token = acme.send(acme.token_draft()).json["access_token"]
    body = f"token={token}&client_id=PSD2_TPPRegister".encode()
    revoke = Draft("POST", "/stet/psd2/oauth/revoke", [("Host", "localhost")], body)
    revoke.set("Content-Type", "application/x-www-form-urlencoded")
    assert acme.send(revoke.set("Content-Length", str(len(body)))).status == 200
    draft = acme.draft("POST", body=acme.metadata()).set("Authorization", f"Bearer {token}")
    refused = acme.send(acme.signed(draft))
    assert (refused.status, refused.json["error"]) == (401, "invalid_token")


@pytest.mark.parametrize("changes", ODD.values(), ids=ODD)
def test_500_instead_of_400_on_odd_metadata(acme: Party, changes: dict[str, Any]) -> None:
    reply = acme.register(acme.metadata(**changes))
    assert reply.status == 400, reply
    assert reply.json["error"] in ("invalid_client_metadata", "invalid_redirect_uri")


def test_whole_configuration_rewritten_at_each_registration(
    desk: Desk, folder: Path, party_of: Callable[..., Party]
) -> None:
    """A registration adds rows and changes none."""
    with desk.beside(folder) as bank:
        party = party_of(bank)
        party.register()
        before = rows_of(bank)
        assert party.register().status == 201
        after = rows_of(bank)
    assert {name for name, rows in before.items() if rows - after[name]} == set()
    assert len(after["clients"] - before["clients"]) == 1


def rows_of(bank: Desk) -> dict[str, set[str]]:
    kept = "type = 'table' AND name NOT LIKE 'sqlite_%'"
    tables = bank.rows(f"SELECT name FROM sqlite_master WHERE {kept}")
    return {name: {repr(row) for row in bank.rows(f"SELECT * FROM {name}")} for (name,) in tables}


@pytest.mark.parametrize("name", ["Client-Cert", "X-SSL-Client-Cert", "X-Client-Cert"])
def test_certificate_from_a_header_trusted_without_further_proof(
    desk: Desk, acme: Party, name: str
) -> None:
    bare = Party(acme.port, acme.ca, acme.organization, None, acme.qsealc)
    bare.use_token(acme.token)
    pem = acme.qwac.certificate_file.read_text().replace("\n", "")
    claimed = bare.post().set(name, pem)
    count = desk.count_clients()
    assert bare.send(claimed).status in (400, 401)
    assert desk.count_clients() == count
    bare.close()


def test_relative_registration_client_uri(acme: Party) -> None:
    client = acme.register().json
    place = f"https://127.0.0.1:{acme.port}{acme.register_path}/{client['client_id']}"
    assert client["registration_client_uri"] == place
