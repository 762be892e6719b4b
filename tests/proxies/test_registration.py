"""The life of a registration through a proxy, byte for byte."""

import hashlib
from base64 import b64encode
from collections.abc import Iterator

import pytest

from live.desk import Desk
from live.party import REGISTER, Draft, Party, Reply, issue
from proxies.conftest import ACME, ROLES, Place
from proxies.front import is_of_proxy

pytestmark = pytest.mark.live

ISSUED = {"registration_client_uri", "registration_access_token", "client_id_issued_at"}


@pytest.fixture(scope="session")
def straight(template: Desk) -> Iterator[Party]:
    """Acme at a bank without a proxy."""
    with template.beside(template.folder.parent / "straight") as desk:
        pairs = [issue(desk.pki, kind, ACME, roles=ROLES) for kind in ("qwac", "qsealc")]
        party = Party(desk.port, desk.folder / "server-ca.pem", ACME, *pairs)
        yield party
        party.close()


def test_a_client_lives_from_registration_to_deletion(place: Place, acme: Party) -> None:
    draft = acme.post()
    created = acme.send(draft)
    assert created.status == 201, created
    assert created.fields["x-request-id"] == draft.get("x-request-id")
    client_id = created.json["client_id"]
    uri = f"https://127.0.0.1:{place.front.port}{REGISTER}/{client_id}"
    assert created.fields["location"] == created.json["registration_client_uri"] == uri
    read = acme.get(client_id)
    assert (read.status, read.json) == (200, created.json)
    changed = {k: v for k, v in created.json.items() if k not in ISSUED} | {"client_name": "Two"}
    assert acme.put(client_id, changed).json["client_name"] == "Two"
    deleted = acme.delete(client_id)
    assert (deleted.status, deleted.body) == (204, b"")
    assert acme.get(client_id).status in (401, 403)


def test_a_body_in_chunks_arrives_whole(acme: Party) -> None:
    draft = acme.post().set("Content-Length", None).set("Transfer-Encoding", "chunked")
    pieces = [draft.body[:700], draft.body[700:], b""]
    draft.body = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
    assert acme.send(draft).status == 201


def test_an_answer_has_one_date(acme: Party) -> None:
    with acme.connect() as connection:
        connection.sendall(acme.post().set("Connection", "close").to_bytes())
        received = b""
        while data := connection.recv(65_536):
            received += data
    assert received.startswith(b"HTTP/1.1 201 ")
    assert received.lower().count(b"\r\ndate: ") == 1


TARGETS = {
    "empty query": "{path}?",
    "query": "{path}?a=%2F&b",
    "escaped letter": "{escaped}",
    "escaped slash": "{path}%2F",
    "two slashes": "/{path}",
    "slash at the end": "{path}/",
    "dot segment": "/stet/./setting/v1/register/{id}",
    "parent segment": "/stet/x/../setting/v1/register/{id}",
    "escaped parent": "/stet/x/%2e%2e/setting/v1/register/{id}",
    "semicolon": "{path};x=1",
    "beyond the root": "/../..{path}",
    "NUL": "{path}%00",
    "fragment": "{path}#x",
}


def ask(party: Party, target: str) -> Reply:
    """Read a client of the party's own, which is registered for it, by another target."""
    client_id = str(party.register().json["client_id"])
    path = f"{REGISTER}/{client_id}"
    escaped = f"{REGISTER}/%{ord(client_id[0]):02x}{client_id[1:]}"
    draft: Draft = party.draft("GET", client_id)
    draft.target = target.format(path=path, id=client_id, escaped=escaped)
    return party.exchange(party.signed(draft).to_bytes())


@pytest.mark.parametrize("name", TARGETS)
def test_a_target_reaches_the_bank_as_signed_or_is_refused(
    acme: Party, straight: Party, name: str
) -> None:
    through, direct = ask(acme, TARGETS[name]), ask(straight, TARGETS[name])
    if is_of_proxy(through):
        assert (through.status, direct.status) == (400, 400)
    else:
        codes = [reply.json.get("error_uri", "").rpartition("/")[2] for reply in (through, direct)]
        assert (through.status, codes[0]) == (direct.status, codes[1])


@pytest.mark.parametrize("name", ["empty query", "query", "escaped letter"])
def test_a_target_that_is_good_straight_is_good_through_a_proxy(acme: Party, name: str) -> None:
    reply = ask(acme, TARGETS[name])
    assert not is_of_proxy(reply)
    assert reply.status == 200


def test_fields_are_not_rewritten(acme: Party) -> None:
    """A signature over odd fields holds, so they came as they were sent."""
    draft = acme.draft("POST", body=acme.metadata())
    draft.set("X-Under_Score", "a,  b").set("TPP-Thing", b64encode(b"=?&").decode())
    draft.set("User-Agent", "Mozilla/5.0  (two  blanks)").set("Via", "1.1 outgoing")
    names = ("x-under_score", "tpp-thing", "user-agent", "via", "host", "accept")
    covered = ("(request-target)", "digest", "x-request-id", *names)
    draft.set("Digest", None)
    assert acme.send(acme.signed(_with_digest(draft), covered=covered)).status == 201


def _with_digest(draft: Draft) -> Draft:
    digest = b64encode(hashlib.sha256(draft.body).digest()).decode()
    return draft.set("Digest", f"SHA-256={digest}")
