"""Signatures made by other people's libraries, judged by a running server over TLS."""

import base64
import hashlib
import json
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from interop import programs
from live.desk import Desk
from live.party import REGISTER, Party, Reply

Given = dict[str, Any]
Signer = Callable[[Given], Reply]


def _reply(answer: Any) -> Reply:
    return Reply(answer["status"], {}, answer["body"].encode())


def http_signature(request: pytest.FixtureRequest) -> Signer:
    node = request.getfixturevalue("node")
    return lambda given: _reply(programs.ask(node, "sign_http_signature.mjs", given=given))


def httpsig(_request: pytest.FixtureRequest) -> Signer:
    python = programs.PEERS_PYTHON
    if not python.exists():
        pytest.skip("needs httpsig in .peers, which `make test` installs")
    return lambda given: _reply(programs.ask(python, "sign_httpsig.py", given=given))


def openssl(request: pytest.FixtureRequest) -> Signer:
    programs.need("openssl", "curl")
    folder = request.getfixturevalue("tmp_path")

    def send(given: Given) -> Reply:
        files = {name: given[name] for name in ("body", "changed_body") if given[name] is not None}
        for name, content in files.items():
            (folder / name).write_text(content)
        values = given | {name: folder / name for name in files}
        environment = {name.upper(): str(value or "") for name, value in values.items()}
        body, _, status = programs.run("./sign_openssl.sh", environment=environment).rpartition(
            "\n"
        )
        return Reply(int(status), {}, body.encode())

    return send


@pytest.fixture(params=[http_signature, httpsig, openssl], ids=lambda make: make.__name__)
def sign_and_send(request: pytest.FixtureRequest) -> Signer:
    """Sign a request with one of the libraries and send it."""
    return request.param(request)


@pytest.fixture(scope="module")
def acme(bank: Desk, tpp_of: Callable[[Desk], Party]) -> Iterator[Party]:
    """A TPP that has what a signer needs; a client of its own is registered by it."""
    party = tpp_of(bank)
    yield party
    party.close()


@dataclass(frozen=True)
class Requests:
    """What a signer is given: the credentials of a party and the request to make."""

    party: Party

    def __call__(self, method: str, client_id: str = "", body: Any = None, **changed: str) -> Given:
        party = self.party
        path = f"{REGISTER}/{client_id}" if client_id else REGISTER
        return {
            "method": method,
            "url": f"https://localhost:{party.port}{path}",
            "token": party.token,
            "request_id": str(uuid.uuid4()),
            "keyid": party.kid,
            "ca": str(party.ca),
            "qwac": str(party.qwac.certificate_file),
            "qwac_key": str(party.qwac.key_file),
            "qsealc_key": str(party.qsealc.key_file),
            "body": None if body is None else json.dumps(body),
            "changed_body": None,
            "changed_digest": None,
        } | changed


@pytest.fixture
def request_to(acme: Party) -> Requests:
    return Requests(acme)


@pytest.fixture(scope="module")
def client_id(acme: Party) -> str:
    """A client that is registered already."""
    return str(acme.register().json["client_id"])


def test_a_signed_registration_is_accepted(
    bank: Desk, acme: Party, request_to: Requests, sign_and_send: Signer
) -> None:
    reply = sign_and_send(request_to("POST", body=acme.metadata()))
    assert reply.status == 201, reply
    stored = bank.rows("SELECT count(*) FROM clients WHERE client_id = ?", reply.json["client_id"])
    assert stored == [(1,)]


def test_a_signed_read_is_answered(
    client_id: str, request_to: Requests, sign_and_send: Signer
) -> None:
    reply = sign_and_send(request_to("GET", client_id))
    assert (reply.status, reply.json["client_id"]) == (200, client_id)


def test_a_signed_update_is_accepted(
    acme: Party, client_id: str, request_to: Requests, sign_and_send: Signer
) -> None:
    metadata = acme.metadata(client_id=client_id, client_name="Acme Two")
    reply = sign_and_send(request_to("PUT", client_id, metadata))
    assert (reply.status, reply.json["client_name"]) == (200, "Acme Two")


def test_a_signed_deletion_is_accepted(
    bank: Desk, acme: Party, request_to: Requests, sign_and_send: Signer
) -> None:
    gone = acme.register().json["client_id"]
    reply = sign_and_send(request_to("DELETE", gone))
    assert (reply.status, reply.body) == (204, b"")
    assert bank.rows("SELECT count(*) FROM clients WHERE client_id = ?", gone) == [(0,)]


def test_a_body_changed_after_signing_is_refused(
    bank: Desk, acme: Party, request_to: Requests, sign_and_send: Signer
) -> None:
    count = bank.count_clients()
    changed = json.dumps(acme.metadata(redirect_uris=["https://thief.test/cb"]))
    reply = sign_and_send(request_to("POST", body=acme.metadata(), changed_body=changed))
    assert (reply.status, reply.code) == (400, "DIG-9")
    assert bank.count_clients() == count


def test_a_body_changed_with_its_digest_is_refused(
    bank: Desk, acme: Party, request_to: Requests, sign_and_send: Signer
) -> None:
    count = bank.count_clients()
    changed = json.dumps(acme.metadata(redirect_uris=["https://thief.test/cb"]))
    digest = base64.b64encode(hashlib.sha256(changed.encode()).digest()).decode()
    reply = sign_and_send(
        request_to(
            "POST",
            body=acme.metadata(),
            changed_body=changed,
            changed_digest=f"SHA-256={digest}",
        )
    )
    assert (reply.status, reply.code) == (401, "SIG-1")
    assert bank.count_clients() == count
