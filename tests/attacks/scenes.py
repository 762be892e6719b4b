"""Attacks of more than one request; each prepares an attempt whose `act` plays the scene."""

import json
import ssl
from collections.abc import Callable

from attacks.attempt import Attempt
from attacks.bank import Bank, eventually
from attacks.signatures import sign
from attacks.wire import (
    Outcome,
    client_context,
    client_hello,
    dial,
    exchange,
    first_record,
    send_and_leave,
    send_plain,
)
from live.party import Draft, Party, read_reply

# Suites by number: TLS_RSA_WITH_AES_128_CBC_SHA and its like, and one that is fit for use.
_STATIC_RSA, _FIT = (0x002F, 0x0035, 0x009C), (0xC02B, 0xC02F)
HELLOS = {
    "SSLv3": (0x0300, (0x0004, 0x000A, 0x002F)),
    "TLS1.0": (0x0301, (0xC009, 0xC013, *_STATIC_RSA)),
    "TLS1.1": (0x0302, (0xC009, 0xC013, *_STATIC_RSA)),
    "TLS1.2+AES128-SHA (no FS)": (0x0303, _STATIC_RSA),
    "TLS1.2+RC4": (0x0303, (0x0004, 0x0005, 0xC007, 0xC011)),
    "TLS1.2+NULL": (0x0303, (0x0001, 0x0002, 0x003B, 0xC006, 0xC010)),
    "fit": (0x0303, _FIT),
}
"""First flights by name: version and suites; the last is one the bank takes up."""


def greet(port: int, name: str) -> Outcome:
    """Begin a handshake octet by octet; the outcome is TLS where an alert ends it."""
    answer = first_record(port, client_hello(*HELLOS[name]))
    return Outcome(
        closed=True, alert=f"alert {answer[5:7].hex()}" if answer[:1] == b"\x15" else None
    )


def plain_text(attempt: Attempt, times: int) -> list[Outcome]:
    """AC-025: a good request without TLS, again and again by somebody who is gone at once."""
    data, port = attempt.compose().to_bytes(), attempt.bank.desk.port
    for _ in range(times):
        send_and_leave(port, data)
    return [send_plain(port, data)]


def revoked_while_connected(attempt: Attempt) -> Callable[[], list[Outcome]]:
    """AC-021: a kept connection, and a session resumed, after the certificate was revoked."""
    bank, a = attempt.bank, attempt.bank.a
    pair = bank.mint.issue("qwac", a.organization, ("PSP_AI", "PSP_PI"), name="soon-revoked")
    party = Party(a.port, a.ca, a.organization, pair, a.qsealc)
    client_id = party.register().json["client_id"]
    post = party.post().to_bytes()
    context = client_context(pair)
    context.maximum_version = ssl.TLSVersion.TLSv1_2

    def act() -> list[Outcome]:
        with dial(a.port, pair) as kept, dial(a.port, pair, context=context) as first:
            reads = [sign(party.draft("GET", client_id), party).to_bytes() for _ in range(2)]
            for connection, read in zip((kept, first), reads, strict=True):
                connection.sendall(read)
                assert read_reply(connection).status == 200
            bank.mint.revoke(pair)
            assert eventually(lambda: party.get(client_id).status == 401)
            kept.sendall(post)
            on_kept = Outcome((read_reply(kept),))
            with dial(a.port, pair, context=context, session=first.session) as resumed:
                resumed.sendall(post)
                return [on_kept, Outcome((read_reply(resumed),))]

    return act


def pipelined(attempt: Attempt) -> list[Outcome]:
    """AC-066: three requests in one write, of which only the first is believed."""
    bad_token, no_signature = attempt.compose(), attempt.compose()
    bad_token.set("Authorization", "Bearer " + "A" * 43)
    no_signature.set("Signature", None)
    requests = (attempt.compose(), bad_token, no_signature)
    return [attempt.send(b"".join(map(Draft.to_bytes, requests)), replies=3)]


def repeated(attempt: Attempt) -> list[Outcome]:
    """AC-115: the same bytes twice."""
    data = attempt.compose().to_bytes()
    return [attempt.send(data), attempt.send(data)]


def rolled_back(attempt: Attempt) -> list[Outcome]:
    """AC-116: an old update is replayed after a newer one."""
    party = attempt.sender
    client_id = party.register().json["client_id"]
    attempt.notes["client_id"] = client_id

    def update(name: str) -> bytes:
        metadata = party.metadata(client_id=client_id, client_name=name)
        return sign(party.draft("PUT", client_id, metadata), party).to_bytes()

    first, second = update("Version One"), update("Version Two")
    return [attempt.send(data) for data in (first, second, first)]


def restarted_with_urls(attempt: Attempt) -> list[Outcome]:
    """AC-178: URLs that lead to the attacker are in the register when the bank starts again.

    The file waits two minutes; there is no job that would fetch, however long one waits.
    """
    url = "https://sink.test/x"
    members = ("client_uri", "logo_uri", "policy_uri", "tos_uri")
    attempt.document.update(dict.fromkeys(members, url))
    outcome, desk = attempt.send(attempt.compose().to_bytes()), attempt.bank.desk
    for party in attempt.bank.parties.values():
        party.close()
    assert desk.stop() == 0
    desk.start()
    attempt.bank.descriptors = attempt.bank.count_descriptors()
    return [outcome]


def id_used_again(attempt: Attempt) -> list[Outcome]:
    """AC-118: two bodies under one X-Request-ID."""
    attempt.set_field("X-Request-ID", "request-1")
    first = attempt.send(attempt.compose().to_bytes())
    attempt.document["client_name"] = "Acme Two"
    return [first, attempt.send(attempt.compose().to_bytes())]


def deleted_client(attempt: Attempt) -> str:
    """AC-093: return the token of a client that is deleted by now."""
    party = attempt.sender
    client_id = party.register().json["client_id"]
    token = str(party.send(party.token_draft(client_id=client_id)).json["access_token"])
    assert party.delete(client_id).status == 204
    return token


def flooded(attempt: Attempt, times: int) -> list[Outcome]:
    """AC-233: failed requests of a stranger, then a good one of A."""
    attempt.judged = times
    stranger = attempt.bank.b
    outcomes = []
    for _ in range(times):
        draft = stranger.draft("POST", body=stranger.metadata())
        draft.set("Authorization", "Bearer " + "A" * 43)
        outcomes.append(Outcome((stranger.send(sign(draft, stranger)),)))
    attempt.notes["good"] = attempt.sender.register()
    return outcomes


def crowding(attempt: Attempt, times: int) -> list[Outcome]:
    """AC-235: registrations until the bank has had enough."""
    return [Outcome((attempt.sender.register(),)) for _ in range(times)]


def amplified(attempt: Attempt, times: int) -> list[Outcome]:
    """AC-135: every request names another URL at one host."""
    attempt.document.pop("jwks")
    outcomes = []
    for number in range(times):
        draft = attempt.sender.draft("POST", body=attempt.octets_of_body())
        sign(draft, attempt.sender, keyid=f"https://victim.test/{number}")
        outcomes.append(Outcome((attempt.sender.send(draft),)))
    return outcomes


def forged_log_lines(attempt: Attempt) -> list[Outcome]:
    """AC-256: the text of the case in every place that could end in a log; the first is judged."""
    attempt.judged = 1
    text = 'x\u2028{"event":"forged"}\n'.encode().decode("latin-1").replace("\n", "")
    line = '\n{"event":"forged"}'
    agent = attempt.compose().set("User-Agent", text)
    path = attempt.compose()
    path.target = f"/{json.dumps(text)}".replace(" ", "")
    name = attempt.sender.post(attempt.sender.metadata(client_name=f"Acme{line}"))
    keyid = sign(attempt.sender.draft("POST", body=attempt.document), attempt.sender, keyid=text)
    requests = (attempt.compose(), agent, path, name, keyid)
    return [attempt.send(draft.to_bytes()) for draft in requests]


def every_status(attempt: Attempt, bank_of: Callable[[str], Bank]) -> list[Outcome]:
    """AC-253 and AC-255: an answer of each status, good and bad, of whichever bank gives it."""
    attempt.judged = 1
    a, c = attempt.bank.a, attempt.bank.parties["C"]
    attempt.notes["banks"] = [bank_of(n) for n in ("discreet", "rationed", "faulty", "closed")]
    discreet, rationed, faulty, closed = attempt.notes["banks"]
    key_with_secret = a.metadata()
    key_with_secret["jwks"]["keys"][0]["d"] = "c2VjcmV0LXByaXZhdGUtZXhwb25lbnQ"
    attempt.secrets.append("c2VjcmV0LXByaXZhdGUtZXhwb25lbnQ")
    created = attempt.send(attempt.compose().to_bytes())
    client_id = created.replies[0].json["client_id"]
    attempt.secrets.append(created.replies[0].json["registration_access_token"])
    stalled = discreet.a.post()
    stalled.body = stalled.body[:-1]
    fault = faulty.desk.folder / "fault"
    fault.write_text("tokens.find")
    drafts = (
        (a, a.signed(a.draft("GET", client_id))),
        (a, a.post(b"{}")),
        (a, a.post(key_with_secret)),
        (a, a.post().set("Authorization", None)),
        (a, a.post().set("Authorization", "Bearer " + "A" * 43)),
        (c, c.post(c.metadata(scope="pisp"))),
        (a, a.signed(a.draft("PUT", body={}))),
        (a, a.post().set("Accept", "text/html")),
        (a, a.signed(a.draft("DELETE", client_id))),
        (discreet.a, stalled),
        (faulty.a, faulty.a.post()),
        (closed.a, closed.a.post()),
        (closed.a, closed.a.token_draft()),
    )
    outcomes = [created]
    for party, draft in drafts:
        outcomes.append(exchange(party.port, party.qwac, draft.to_bytes()))
    fault.unlink()
    outcomes.append(_too_many(rationed))
    seen = {outcome.kind for outcome in outcomes}
    assert seen == {200, 201, 204, 400, 401, 403, 405, 406, 408, 429, 500, 501, 503}
    return outcomes


def _too_many(rationed: Bank) -> Outcome:
    """Fail until the bank has had enough of this address."""
    party = rationed.b
    for _ in range(100):
        draft = party.post().set("Authorization", "Bearer " + "A" * 43)
        reply = party.send(draft)
        if reply.status == 429:
            return Outcome((reply,))
    raise AssertionError("the bank never had enough")
