"""The certificate behind a keyId URL: fetched once, where the settings allow, or not at all."""

import base64
import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from live.desk import Desk
from live.keyhost import HOST, KeyHost
from live.party import Party, Reply


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KeyHost]:
    """The TPP's web server."""
    with KeyHost(tmp_path_factory.mktemp("keyhost")) as running:
        yield running


def start_with_host(desk: Desk, folder: Path, host: KeyHost, *, fetch: bool) -> Desk:
    """Return a bank that reaches the TPP's web server on loopback, not started."""
    bank = desk.beside(folder, key_urls__fetch=str(fetch).lower())
    with (folder / "enrol.toml").open("a") as settings:
        settings.write(f'[key_urls]\nca = "{host.ca}"\n')
        settings.write(f'[key_urls.hosts]\n"{HOST}" = "127.0.0.1:{host.port}"\n')
    return bank


@pytest.fixture(scope="module")
def bank(desk: Desk, host: KeyHost, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A bank that fetches."""
    folder = tmp_path_factory.mktemp("fetching") / "bank"
    with start_with_host(desk, folder, host, fetch=True) as running:
        yield running


@pytest.fixture(autouse=True)
def _forget_requests(host: KeyHost) -> None:
    host.requested.clear()


def pem_of(party: Party) -> bytes:
    return party.qsealc.certificate.public_bytes(Encoding.PEM)


def wide_pem_of(party: Party) -> bytes:
    """Return the certificate as PEM whose base64 is one line, as some TPPs publish it."""
    text = base64.b64encode(party.qsealc.der)
    return b"-----BEGIN CERTIFICATE-----\n%s\n-----END CERTIFICATE-----\n\n" % text


def register(party: Party, keyid: str) -> Reply:
    """Register without keys in the body."""
    draft = party.draft("POST", body=party.metadata(jwks=None))
    return party.send(party.signed(draft, keyid=keyid))


def get(party: Party, client_id: str, keyid: str) -> Reply:
    return party.send(party.signed(party.draft("GET", client_id), keyid=keyid))


def put(party: Party, client_id: str, keyid: str) -> Reply:
    body = party.metadata(jwks=None, client_id=client_id, client_name="New")
    return party.send(party.signed(party.draft("PUT", client_id, body), keyid=keyid))


def test_a_published_certificate_registers_and_is_not_fetched_again(
    bank: Desk, host: KeyHost, party_of: Callable[..., Party]
) -> None:
    party = party_of(bank)
    host.files["/seal.pem"] = pem_of(party)
    keyid = host.url("/seal.pem")
    reply = register(party, keyid)
    assert reply.status == 201, reply
    assert host.requested == ["/seal.pem"]
    client_id = reply.json["client_id"]

    bank.settings["key_urls.fetch"] = "false"  # nor is what was fetched remembered in memory only
    assert bank.stop() == 0
    bank.start()
    assert get(party, client_id, keyid).status == 200
    assert put(party, client_id, keyid).json["client_name"] == "New"
    assert get(party, client_id, keyid).status == 200
    assert host.requested == ["/seal.pem"]

    assert register(party, host.url("/other.pem")).code == "key_url_refused"
    assert host.requested == ["/seal.pem"]
    bank.settings["key_urls.fetch"] = "true"
    assert bank.stop() == 0
    bank.start()


@pytest.mark.parametrize("published", [pem_of, wide_pem_of], ids=["usual PEM", "one long line"])
@pytest.mark.parametrize("hashed", ["file", "der"])
def test_a_url_may_end_in_the_hash_of_the_certificate_or_of_its_file(
    bank: Desk,
    host: KeyHost,
    party_of: Callable[..., Party],
    published: Callable[[Party], bytes],
    hashed: str,
) -> None:
    party = party_of(bank)
    file = published(party)
    digest = hashlib.sha256(file if hashed == "file" else party.qsealc.der).hexdigest()
    path = f"/{published.__name__}_{digest}"
    host.files[path] = file
    reply = register(party, host.url(path))
    assert reply.status == 201, reply
    assert get(party, reply.json["client_id"], host.url(path)).status == 200


def test_a_url_that_ends_in_another_hash_is_refused(
    bank: Desk, host: KeyHost, party_of: Callable[..., Party]
) -> None:
    party = party_of(bank)
    path = f"/seal_{hashlib.sha256(b'another').hexdigest()}"
    host.files[path] = pem_of(party)
    count = bank.count_clients()
    reply = register(party, host.url(path))
    assert (reply.status, reply.code) == (401, "KEY-3")
    assert bank.count_clients() == count


def test_what_is_behind_a_url_must_be_the_callers_certificate(
    bank: Desk, host: KeyHost, party_of: Callable[..., Party]
) -> None:
    party, rival = party_of(bank), party_of(bank, "PSDFR-ACPR-22222")
    host.files["/rival.pem"] = pem_of(rival)
    host.files["/junk.pem"] = b"junk"
    count = bank.count_clients()
    for path in ("/rival.pem", "/junk.pem", "/absent.pem"):
        reply = register(party, host.url(path))
        assert reply.status == 401, reply
    assert bank.count_clients() == count


def test_nothing_is_fetched_for_strangers(
    bank: Desk, host: KeyHost, party_of: Callable[..., Party]
) -> None:
    party = party_of(bank)
    request = party.draft("POST", body=party.metadata(jwks=None))
    request = party.signed(request, keyid=host.url("/stranger.pem"))
    bearer = str(request.get("authorization"))
    assert party.send(request.set("Authorization", "Bearer " + "A" * 43)).status == 401
    request.set("Authorization", bearer)
    digest = str(request.get("digest"))
    assert party.send(request.set("Digest", "SHA-256=" + "A" * 43 + "=")).status == 400
    request.set("Digest", digest)
    assert host.requested == []
    assert party.send(request).status == 401
    assert host.requested == ["/stranger.pem"]
