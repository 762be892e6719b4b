"""Whom a proxy lets through to be refused, what they read, and what the proxy says itself."""

from base64 import b64encode

import pytest

from attacks.wire import CLOSE, exchange
from live.operations import check_fields
from live.party import Pair, Party, issue
from proxies.conftest import ACME, ROLES, Place
from proxies.front import is_of_proxy

pytestmark = pytest.mark.live

REFUSED = {
    "none": (None, "client_certificate_missing"),
    "expired": ("expired", "cert_expired"),
    "foreign": ("wrong-ca", "cert_issuer_not_listed"),
    "self-signed": ("self-signed", "cert_issuer_not_listed"),
}


def pair_with(place: Place, fault: str | None) -> Pair | None:
    """Return a QWAC with a fault, None for no certificate."""
    if fault is None:
        return None
    return issue(place.desk.pki, "qwac", ACME, roles=ROLES, faults=[fault])


@pytest.mark.parametrize("name", REFUSED)
def test_a_certificate_is_refused_in_words(place: Place, name: str) -> None:
    fault, code = REFUSED[name]
    party = place.party(pair_with(place, fault))
    try:
        party.use_token("A" * 43)
        for draft in (party.token_draft(), party.post()):
            reply = party.send(draft)
            assert (reply.status, reply.json["error"], reply.code) == (401, "invalid_client", code)
            check_fields(reply, draft)
    finally:
        party.close()


@pytest.mark.parametrize("shown", ["nothing", "foreign"])
@pytest.mark.parametrize("name", ["Client-Cert", "client-cert", "Client_Cert", "X-Client-Cert"])
def test_nobody_becomes_acme_by_a_field(place: Place, acme: Party, name: str, shown: str) -> None:
    stranger = place.party(pair_with(place, "wrong-ca") if shown == "foreign" else None)
    stranger.use_token(acme.token)
    assert acme.qwac is not None
    claim = f":{b64encode(acme.qwac.der).decode()}:"
    clients = place.desk.count_clients()
    for draft in (stranger.token_draft(), stranger.post()):
        reply = stranger.send(draft.set(name, claim))
        assert (reply.status, reply.code) == (400, "certificate_claimed")
    assert place.desk.count_clients() == clients
    stranger.close()


def test_the_secret_of_the_hop_cannot_be_brought_from_outside(place: Place, acme: Party) -> None:
    """It is overwritten: right or wrong, the request is as good as without it."""
    for value in (place.front.secret, "0" * 64):
        assert acme.send(acme.post().set("Enrol-Hop-Secret", value)).status == 201


def test_nothing_of_the_hop_is_told_to_anybody(place: Place, acme: Party) -> None:
    draft = acme.draft("POST", body=acme.metadata()).set("Enrol-Hop-Secret", "guessed")
    covered = ("(request-target)", "digest", "x-request-id", "enrol-hop-secret")
    signed = acme.signed(draft, covered=("(request-target)", "digest", "x-request-id"))
    signature = str(signed.get("signature")).replace("x-request-id", " ".join(covered[2:]))
    reply = acme.send(signed.set("Signature", signature))
    assert reply.status in (400, 401)
    assert place.front.secret.encode() not in reply.body
    assert place.front.secret not in "".join(place.desk.log_lines)


def test_a_head_over_the_limits_is_refused_by_the_bank(acme: Party) -> None:
    reply = acme.send(acme.post().set("X-Long", "x" * 40_000))
    assert reply.status == 400
    reply = acme.send(acme.post().set("X-Long", "x" * 31_000))
    assert (reply.status, reply.code) == (400, "headers_too_large")


def test_a_long_body_leaves_room_for_the_certificate(place: Place, acme: Party) -> None:
    data = acme.post(acme.metadata(unknown="x" * 240_000)).to_bytes()
    for _ in range(8):
        reply = acme.exchange(data)
        assert not is_of_proxy(reply)
        assert reply.status == 201


def test_a_body_over_the_limit_is_refused(place: Place, acme: Party) -> None:
    """Whoever goes on sending may find the connection closed before it reads the answer."""
    draft = acme.post(b'{"a":"%b"}' % (b"x" * 270_000))
    outcome = exchange(place.front.port, acme.qwac, draft.to_bytes())
    assert outcome.kind in (400, CLOSE)
