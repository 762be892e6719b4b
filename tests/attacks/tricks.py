"""How each attack case is carried out: from a case and a variant to what came back.

A case whose operators are plain (set a header field, a member, the body) needs no entry here.
"""

import base64
import gzip
import hashlib
import json
import socket
import sqlite3
import ssl
import time
from collections.abc import Callable, Iterable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import load_der_private_key

from attacks import mint, oddkeys, wire
from attacks.conftest import A, B, Siege
from attacks.wire import CLOSE, TLS, Outcome, client_hello, exchange, exhaust, first_record
from live.party import REGISTER, Draft, Party

Trick = Callable[[Siege, Any], Outcome]
TRICKS: dict[str, Trick] = {}


def trick(*cases: str) -> Callable[[Trick], Trick]:
    """Register how cases are carried out."""

    def keep(function: Trick) -> Trick:
        TRICKS.update(dict.fromkeys(cases, function))
        return function

    return keep


# mtls


def over(siege: Siege, identity: wire.Identity | None) -> Outcome:
    """Send A's good request over another certificate."""
    return exchange(siege.desk.port, identity, siege.a.post().to_bytes())


@trick("AC-001")
def no_certificate(siege: Siege, _: Any) -> Outcome:
    return over(siege, None)


@trick("AC-003")
def copied_names(siege: Siege, _: Any) -> Outcome:
    info, private = oddkeys.new_rsa_key()
    files = siege.mint.forge(
        "copy",
        siege.a.qwac,
        mint.with_key(info),
        mint.self_issued,
        key=private,
        signer=load_der_private_key(private, None),
    )
    return over(siege, files)


@trick("AC-005")
def not_valid_yet(siege: Siege, _: Any) -> Outcome:
    soon = datetime.now(UTC) + timedelta(hours=1)
    return over(siege, siege.mint.issue("qwac", A, ("PSP_AI",), name="future", not_before=soon))


@trick("AC-006")
def revoked(siege: Siege, _: Any) -> Outcome:
    pair = siege.mint.issue("qwac", A, ("PSP_AI",), name="revoked")
    siege.mint.revoke(pair)
    return until_refused(lambda draft: exchange(siege.desk.port, pair, draft.to_bytes()), siege)


@trick("AC-021")
def revoked_while_connected(siege: Siege, _: Any) -> Outcome:
    pair = siege.mint.issue("qwac", A, ("PSP_AI",), name="revoked-later")
    party = Party(siege.desk.port, siege.a.ca, A, pair, siege.a.qsealc)
    with closing(party):
        assert party.register(party.metadata(scope="aisp")).status == 201
        siege.mint.revoke(pair)
        return until_refused(lambda draft: Outcome((party.send(draft),)), siege, party)


def until_refused(
    send: Callable[[Draft], Outcome], siege: Siege, party: Party | None = None
) -> Outcome:
    """Send until the bank has read the new revocation list, within a minute."""
    end = time.monotonic() + 60
    while True:
        draft = (party or siege.a).post()
        outcome = send(draft)
        if outcome.replies and outcome.replies[0].code == "cert_revoked":
            request_id = draft.get("x-request-id")
            assert "cert_revoked" in wait_for(partial(siege.audited, request_id))
            return outcome
        assert time.monotonic() < end, outcome


def wait_for(read: Callable[[], Any]) -> Any:
    """Return what `read` returns once it is not empty, within ten seconds."""
    end = time.monotonic() + 10
    while not (found := read()):
        assert time.monotonic() < end
    return found


FAULTS = {
    "AC-008": ("no-role",),
    "AC-010": ("no-client-auth",),
    "AC-011": ("leaf-as-ca",),
    "AC-018": ("double-organization-identifier",),
    "AC-020": ("organization-in-cn-only",),
}


def faulty(*faults: str) -> Trick:
    def send(siege: Siege, _: Any) -> Outcome:
        return over(siege, siege.mint.issue("qwac", A, ("PSP_AI",), *faults))

    return send


TRICKS.update({case: faulty(*faults) for case, faults in FAULTS.items()})


@trick("AC-013")
def outside_the_name_constraint(siege: Siege, _: Any) -> Outcome:
    certificate, key = siege.mint.constrained_ca("other.example")
    files = siege.mint.forge(
        "constrained",
        siege.a.qwac,
        mint.issued_by(certificate.subject, key.public_key()),
        signer=key,
        chain=[certificate],
    )
    return over(siege, files)


ODD_KEYS: dict[str, Callable[[], tuple[bytes, bytes]]] = {
    "rsa16384": oddkeys.huge_rsa_key,
    "rsa2048_big_e": oddkeys.slow_rsa_key,
    "explicit": oddkeys.explicit_ec_key,
}


@trick("AC-015", "AC-016")
def odd_key(siege: Siege, variant: Any) -> Outcome:
    name = variant or "explicit"
    info, private = ODD_KEYS[name]()
    files = siege.mint.forge(name, siege.a.qwac, mint.with_key(info), key=private)
    try:
        return over(siege, files)
    except ssl.SSLError:
        # this machine's own TLS will not even load such a key: the bank was not reached
        pytest.skip(f"the TLS library of the test cannot present {name}")


OLD_TLS = {
    "SSLv3": (0x0300, (0x000A, 0x002F)),
    "TLS1.0": (0x0301, (0x002F, 0xC013)),
    "TLS1.1": (0x0302, (0x002F, 0xC013)),
    "TLS1.2+AES128-SHA (no FS)": (0x0303, (0x002F,)),
    "TLS1.2+RC4": (0x0303, (0x0005, 0xC011)),
    "TLS1.2+NULL": (0x0303, (0x0001, 0x003B, 0xC010)),
}


@trick("AC-023")
def old_tls(siege: Siege, variant: Any) -> Outcome:
    version, suites = OLD_TLS[variant]
    answer = first_record(siege.desk.port, client_hello(version, suites))
    return Outcome(closed=True, alert="alert" if answer[:1] == b"\x15" or not answer else None)


@trick("AC-025")
def plain_http(siege: Siege, _: Any) -> Outcome:
    data = siege.a.post().to_bytes()
    for _ in range(500):
        wire.send_and_leave(siege.desk.port, data)
    with closing(socket.create_connection(("127.0.0.1", siege.desk.port), timeout=20)) as raw:
        raw.sendall(data)
        received = raw.recv(4096)
    assert not received.startswith(b"HTTP")
    return Outcome(closed=True)


# token


@trick("AC-070", "AC-071")
def token_of_another_scope(siege: Siege, variant: Any) -> Outcome:
    text = base64.urlsafe_b64encode(hashlib.sha256(repr(variant).encode()).digest())
    token = text.rstrip(b"=").decode()
    thumbprint = hashlib.sha256(siege.a.qwac.der).digest()
    row = (
        hashlib.sha256(token.encode()).digest(),
        "PSD2_TPPRegister",
        A,
        base64.urlsafe_b64encode(thumbprint).rstrip(b"=").decode(),
        "aisp" if variant is None else str(variant),
        int((time.time() + 3600) * 1000),
    )
    with closing(sqlite3.connect(siege.desk.database, timeout=20)) as database, database:
        database.execute("INSERT OR REPLACE INTO access_tokens VALUES (?,?,?,?,?,?)", row)
    return siege.send(with_token(siege.a, token))


def with_token(party: Party, token: str) -> Draft:
    draft = party.draft("POST", body=party.metadata())
    return party.signed(draft.set("Authorization", f"Bearer {token}"))


def segment(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


@trick("AC-073", "AC-075", "AC-076", "AC-078", "AC-080", "AC-081", "AC-083", "AC-085", "AC-091")
def a_jwt(siege: Siege, variant: Any) -> Outcome:
    """Send a JWT with all the right claims: a token here is one that was issued, or nothing."""
    header = {"alg": "HS256", "typ": "at+jwt", "jku": "https://sink.test/jwks", "v": repr(variant)}
    claims = {"iss": "https://localhost", "scope": "manageRegistration", "exp": 4102444800}
    return siege.send(with_token(siege.a, f"{segment(header)}.{segment(claims)}.c2ln"))


OVERSIZED = {
    "1MB": "A" * 1_000_000,
    "jwe": "a.b.c.d.e",
    "jwe_zip_bomb": f"{segment({'alg': 'dir', 'zip': 'DEF'})}..a.{'A' * 9000}.b",
    "5_segments": ".".join("abcde"),
    "nested": f"{segment({'cty': 'JWT'})}.{segment({})}.c",
    "a.b.c": "a.b.c",
    "非ascii": "\xe9\x9d\x9eascii",
}


@trick("AC-088")
def an_odd_token(siege: Siege, variant: Any) -> Outcome:
    return siege.send(with_token(siege.a, OVERSIZED[variant]))


@trick("AC-090")
def two_authorizations(siege: Siege, _: Any) -> Outcome:
    outcomes = []
    for first in (True, False):
        draft = siege.a.post()
        bad = ("Authorization", "Bearer bad")
        draft.fields = [bad, *draft.fields] if first else [*draft.fields, bad]
        outcomes.append(siege.send(draft))
    assert outcomes[0].kind == outcomes[1].kind
    return outcomes[0]


@trick("AC-093")
def token_of_a_deleted_client(siege: Siege, _: Any) -> Outcome:
    client_id = siege.a.register().json["client_id"]
    reply = siege.a.send(siege.a.token_draft(client_id=client_id))
    token = reply.json["access_token"]
    assert siege.send(with_token(siege.a, token)).kind == 201
    assert siege.a.delete(client_id).status == 204
    return siege.send(with_token(siege.a, token))


# digest and signature


@trick("AC-095", "AC-096")
def changed_body(siege: Siege, _: Any) -> Outcome:
    draft = siege.a.post()
    draft.body = draft.body.replace(b"Acme", b"Acne")
    return siege.send(draft)


@trick("AC-101")
def no_signature(siege: Siege, _: Any) -> Outcome:
    return siege.send(siege.a.post().set("Signature", None))


# framing


def raw_post(siege: Siege, *, drop: Iterable[str] = ()) -> tuple[bytes, bytes]:
    """Return head (without its empty line) and body of A's good request."""
    draft = siege.a.post()
    for name in drop:
        draft.set(name, None)
    head, _, body = draft.to_bytes().partition(b"\r\n\r\n")
    return head, body


CHUNKED = b"5\r\nhello\r\n0\r\n\r\n"


@trick("AC-050")
def odd_transfer_encoding(siege: Siege, variant: Any) -> Outcome:
    head, _ = raw_post(siege, drop=("Content-Length",))
    line = ("Transfer-Encoding: " + variant).encode("utf-8")
    return exhaust(siege.desk.port, siege.a.qwac, head + b"\r\n" + line + b"\r\n\r\n" + CHUNKED)


LENGTHS = {"5 and 6 (two lines)": b"5\r\nContent-Length: 6", "''": b"", "１２": "１２".encode()}


@trick("AC-051")
def odd_content_length(siege: Siege, variant: Any) -> Outcome:
    head, _ = raw_post(siege, drop=("Content-Length",))
    value = LENGTHS.get(variant, variant.encode("utf-8"))
    data = head + b"\r\nContent-Length: " + value + b"\r\n\r\nhello!"
    return exhaust(siege.desk.port, siege.a.qwac, data)


@trick("AC-053")
def odd_lines(siege: Siege, variant: Any) -> Outcome:
    head, body = raw_post(siege)
    whole = head + b"\r\n\r\n" + body
    data = {
        "LF only": lambda: whole.replace(b"\r\n", b"\n"),
        "CR only": lambda: whole.replace(b"\r\n", b"\r"),
        "obs-fold in Signature": lambda: whole.replace(b'",headers=', b'",\r\n headers='),
        "Digest : x": lambda: whole.replace(b"Digest:", b"Digest :"),
        "leading SP header": lambda: whole.replace(b"\r\nHost", b"\r\n Host", 1),
    }[variant]()
    return exhaust(siege.desk.port, siege.a.qwac, data)


@trick("AC-055")
def other_targets(siege: Siege, variant: Any) -> Outcome:
    head, body = raw_post(siege)
    _, _, rest = head.partition(b"\r\n")
    line = b"POST " + variant.encode() + b" HTTP/1.1\r\n"
    return exhaust(siege.desk.port, siege.a.qwac, line + rest + b"\r\n\r\n" + body)


@trick("AC-056")
def other_versions(siege: Siege, variant: Any) -> Outcome:
    head, body = raw_post(siege)
    _, _, rest = head.partition(b"\r\n")
    line = f"POST {REGISTER} {variant}\r\n"
    if variant.startswith("PRI"):
        line = f"{variant}\r\n"
    return exhaust(siege.desk.port, siege.a.qwac, line.encode() + rest + b"\r\n\r\n" + body)


@trick("AC-058")
def a_get_with_a_body(siege: Siege, _: Any) -> Outcome:
    client_id = siege.a.register().json["client_id"]
    other = siege.a.register().json["client_id"]
    smuggled = siege.a.signed(siege.a.draft("DELETE", other)).to_bytes()
    get = siege.a.signed(siege.a.draft("GET", client_id))
    get.set("Content-Length", str(len(smuggled)))
    get.body = smuggled
    outcome = exhaust(siege.desk.port, siege.a.qwac, get.to_bytes())
    assert siege.a.get(other).status == 200
    return outcome


@trick("AC-060")
def unknown_entry_point(siege: Siege, variant: Any) -> Outcome:
    draft = siege.a.draft("POST", body=siege.a.metadata())
    draft.target = variant
    return siege.send(siege.a.signed(draft))


@trick("AC-061")
def wrong_method(siege: Siege, variant: Any) -> Outcome:
    method, _, path = variant.partition(" ")
    client_id = siege.a.register().json["client_id"] if "{id}" in path else None
    draft = siege.a.draft(method, client_id)
    return siege.send(siege.a.signed(draft))


@trick("AC-063")
def oversized_head(siege: Siege, variant: Any) -> Outcome:
    draft = siege.a.post()
    match variant:
        case "URI 16 kB":
            draft.target += "?" + "a" * 16_384
        case "one header 64 kB":
            draft.set("X-Long", "a" * 65_536)
        case "500 headers":
            draft.fields += [(f"X-{n}", "1") for n in range(500)]
        case "Signature header 32 kB":
            draft.set("Signature", 'keyId="' + "a" * 32_768 + '"')
        case "Authorization 1 MB":
            draft.set("Authorization", "Bearer " + "a" * 1_000_000)
    return siege.send(draft)


@trick("AC-065")
def upgrade(siege: Siege, variant: Any) -> Outcome:
    draft = siege.a.post().set("Upgrade", variant).set("Connection", "Upgrade")
    return siege.send(draft)


@trick("AC-066")
def pipelined(siege: Siege, _: Any) -> Outcome:
    requests = (
        siege.a.post(),
        with_token(siege.a, "bad"),
        siege.a.post().set("Signature", None),
    )
    data = b"".join(request.to_bytes() for request in requests)
    outcome = exchange(siege.desk.port, siege.a.qwac, data, replies=3)
    assert [reply.status for reply in outcome.replies] in ([201, 401, 400], [201, 401])
    return outcome


# json


def with_body(siege: Siege, body: bytes) -> Outcome:
    return siege.send(siege.a.post(body))


def with_member(siege: Siege, name: str, value: Any) -> Outcome:
    return siege.send(siege.a.post(siege.a.metadata() | {name: value}))


BODIES: dict[str, Callable[[bytes], bytes]] = {
    "100 000 '['": lambda _: b"[" * 100_000,
    "100 000 '{\"a\":'": lambda _: b'{"a":' * 50_000,
    "depth 33 inside unknown member": lambda good: (
        good[:-1] + b',"x":' + b"[" * 32 + b"]" * 32 + b"}"
    ),
    "\\xff": lambda good: good.replace(b"Acme Co.", b"\xff"),
    "\\xc0\\xaf": lambda good: good.replace(b"Acme Co.", b"\xc0\xaf"),
    "utf-16 body": lambda good: good.decode().encode("utf-16"),
    "utf-32-be body": lambda good: good.decode().encode("utf-32-be"),
    "BOM + JSON": lambda good: b"\xef\xbb\xbf" + good,
    "client_name \\ud800": lambda good: good.replace(b"Acme Co.", rb"\ud800"),
    "CESU-8": lambda good: good.replace(b"Acme Co.", b"\xed\xa0\xbd\xed\xb8\x80"),
    "": lambda _: b"",
    "   ": lambda _: b"   ",
    "CL:0": lambda _: b"",
}
NUMBERS = {"9×5000": "9" * 5000, "9×4300": "9" * 4300}


@trick("AC-140", "AC-143")
def odd_body(siege: Siege, variant: Any) -> Outcome:
    good = json.dumps(siege.a.metadata()).encode()
    return with_body(siege, BODIES[variant](good))


@trick("AC-141")
def odd_number(siege: Siege, variant: Any) -> Outcome:
    good = json.dumps(siege.a.metadata() | {"software_version": "@"})
    return with_body(siege, good.replace('"@"', NUMBERS.get(variant, variant)).encode())


@trick("AC-145")
def no_body(siege: Siege, variant: Any) -> Outcome:
    if variant == "chunked empty":
        draft = siege.a.post(b"").set("Content-Length", None)
        draft.set("Transfer-Encoding", "chunked")
        draft.body = b"0\r\n\r\n"
        return siege.send(draft)
    return with_body(siege, BODIES[variant](b""))


@trick("AC-146")
def too_large(siege: Siege, variant: Any) -> Outcome:
    match variant:
        case "CL 256k+1":
            return siege.send(siege.a.post(b" " * 262_145))
        case "CL 10 GB, no data":
            draft = siege.a.post(b"{}").set("Content-Length", "10000000000")
            return siege.send(draft.to_bytes().partition(b"\r\n\r\n")[0] + b"\r\n\r\n")
        case "endless chunks":
            draft = siege.a.post(b"{}").set("Content-Length", None)
            draft.set("Transfer-Encoding", "chunked").body = b""
            chunk = b"10000\r\n" + b" " * 65_536 + b"\r\n"
            pieces = [draft.to_bytes(), *[chunk] * 200]
            return exchange(siege.desk.port, siege.a.qwac, pieces)
        case _:
            draft = siege.a.post(b" " * 100)
            return siege.send(draft.to_bytes() + b" " * 1_000_000)


@trick("AC-148")
def encoded(siege: Siege, variant: Any) -> Outcome:
    names = {"gzip bomb": "gzip", "gzip, gzip ×50": ", ".join(["gzip"] * 50)}
    draft = siege.a.post(gzip.compress(b" " * 1_000_000))
    return siege.send(draft.set("Content-Encoding", names.get(variant, variant)))


@trick("AC-150")
def wrong_type(siege: Siege, variant: Any) -> Outcome:
    name, _, text = variant.partition("=")
    values = {
        "string": "https://tpp.test/cb",
        "[[…]]": [["https://tpp.test/cb"]],
        "'authorization_code'": "authorization_code",
        "['aisp']": ["aisp"],
        "'x'": "x",
        "{keys:{}}": {"keys": {}},
        "{keys:[null]}": {"keys": [None]},
    }
    if name == "x5c":
        key = {"kty": "RSA", "x5c": "str" if text == "'str'" else [1]}
        return with_member(siege, "jwks", {"keys": [key]})
    return with_member(siege, name, values[text] if text in values else json.loads(text))


@trick("AC-151")
def too_many(siege: Siege, variant: Any) -> Outcome:
    good = siege.a.metadata()
    key = good["jwks"]["keys"][0]
    changes: dict[str, dict[str, Any]] = {
        "10 000 redirect_uris": {"redirect_uris": [f"https://tpp.test/{n}" for n in range(9000)]},
        "client_name 100 kB": {"client_name": "a" * 100_000},
        "5 000 unknown members": {f"m{n}": 1 for n in range(5000)},
        "1 000 contacts": {"contacts": ["a@tpp.test"] * 1000},
        "1 000 keys": {"jwks": {"keys": [{"kty": "RSA"}] * 1000}},
        "x5c with 500 certs": {"jwks": {"keys": [key | {"x5c": ["AAAA"] * 500}]}},
        "500 client_name#xx tags": {f"client_name#{n}": "x" for n in range(500)},
        "logo 200 kB base64": {"logo": "A" * 200_000},
    }
    return siege.send(siege.a.post(good | changes[variant]))


@trick("AC-153")
def unknown_members(siege: Siege, _: Any) -> Outcome:
    extra = {
        "is_admin": True,
        "status": "ACTIVE",
        "org_id": B,
        "__proto__": {},
        "constructor": {},
        "_sa_instance_state": 1,
    }
    outcome = siege.send(siege.a.post(siege.a.metadata() | extra))
    client = outcome.replies[0].json
    assert not extra.keys() & client.keys()
    stored = siege.desk.rows(
        "SELECT metadata FROM clients WHERE client_id = ?", client["client_id"]
    )
    assert not extra.keys() & json.loads(stored[0][0]).keys()
    return outcome


@trick("AC-155")
def other_names(siege: Siege, variant: Any) -> Outcome:
    metadata = siege.a.metadata()
    return siege.send(siege.a.post({variant: metadata.pop("redirect_uris"), **metadata}))


# errors


@trick("AC-246")
def no_request_id(siege: Siege, variant: Any) -> Outcome:
    draft = siege.a.post()
    sent = draft.get("x-request-id")
    draft.set("X-Request-ID", None)
    if variant == "(two different)":
        draft.fields += [("X-Request-ID", "one"), ("X-Request-ID", "two")]
    elif variant != "(absent)":
        draft.set("X-Request-ID", variant)
    outcome = siege.send(draft)
    assert outcome.replies[0].fields["x-request-id"] not in ("", "one", "two", variant, sent)
    return outcome


REQUEST_IDS = {
    "UUID upper case": "0F8FAD5B-D9CB-469F-A165-70867728950E",
    "UUID without dashes": "0f8fad5bd9cb469fa16570867728950e",
    "70 chars": "x" * 70,
}


@trick("AC-248")
def legal_request_id(siege: Siege, variant: Any) -> Outcome:
    request_id = REQUEST_IDS.get(variant, variant)
    draft = siege.a.draft("POST", body=siege.a.metadata()).set("X-Request-ID", request_id)
    outcome = siege.send(siege.a.signed(draft))
    assert outcome.replies[0].fields["x-request-id"] == request_id
    return outcome


@trick("AC-253")
def every_status(siege: Siege, _: Any) -> Outcome:
    good = siege.a.post()
    requests = [
        good,
        siege.a.post().set("Signature", None),
        with_token(siege.a, "bad"),
        siege.a.signed(siege.a.draft("GET", "unknown")),
        siege.a.draft("PATCH"),
        siege.a.post().set("Accept", "text/html"),
    ]
    outcomes = [siege.send(request) for request in requests]
    assert [outcome.kind for outcome in outcomes] == [201, 400, 401, 403, 405, 406]
    return outcomes[0]


@trick("AC-255")
def secrets_in_logs(siege: Siege, _: Any) -> Outcome:
    outcome = siege.send(siege.a.post())
    metadata = siege.a.metadata()
    metadata["jwks"]["keys"][0]["d"] = "PRIVATE-MATERIAL"
    assert siege.send(siege.a.post(metadata)).kind == 400
    token = outcome.replies[0].json["registration_access_token"]
    log = "\n".join(siege.desk.log_lines)
    for secret in (siege.a.token, token, "PRIVATE-MATERIAL", "BEGIN", "Bearer "):
        assert secret not in log
    return outcome


@trick("AC-256")
def forged_log_line(siege: Siege, _: Any) -> Outcome:
    draft = siege.a.post().set("User-Agent", 'x\\u2028{"event":"forged"}')
    outcome = siege.send(draft)
    name = '</b>\n{"event":"forged"}'
    assert siege.send(siege.a.post(siege.a.metadata(client_name=name))).kind == 400
    lines = [line for line in siege.desk.log_lines if line.startswith("{")]
    assert lines
    assert all(json.loads(line)["event"] != "forged" for line in lines)
    return outcome


@trick("AC-258")
def reflected(siege: Siege, _: Any) -> Outcome:
    uri = "javascript:alert('<b>REFLECT</b>')"
    outcome = siege.send(siege.a.post(siege.a.metadata(redirect_uris=[uri])))
    assert b"REFLECT" not in outcome.replies[0].body
    return outcome


@trick("AC-030")
def another_legal_id(siege: Siege, _: Any) -> Outcome:
    return with_member(siege, "provider_legal_id", B)


@trick("AC-068")
def no_token(siege: Siege, _: Any) -> Outcome:
    return siege.send(siege.a.post().set("Authorization", None))


__all__ = ["CLOSE", "TLS", "TRICKS"]
