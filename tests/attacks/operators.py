"""The operations of the attack file: each bends an attempt a little."""

import base64
import hashlib
from collections.abc import Callable
from typing import Any

from attacks import bodies, framings, keyfiles, scenes, symbols, tokens
from attacks.attempt import Attempt
from attacks.bank import Bank
from attacks.framings import octets
from attacks.signatures import b64, sign
from attacks.wire import Outcome
from live.party import REGISTER, Draft

BankOf = Callable[[str], Bank]
Operation = dict[str, Any]

_WITH_BODY = ("POST", "PUT", "PATCH")


def apply(attempt: Attempt, bank_of: BankOf) -> None:
    """Apply the operations of a case in their order."""
    for operation in attempt.attack.case["mutate"]:
        match operation["op"]:
            case "matrix":
                attempt.act = lambda: scenes.every_status(attempt, bank_of)
            case name:
                OPERATORS[name](attempt, operation)


# The connection


def tls(attempt: Attempt, operation: Operation) -> None:
    if "resume" in operation:
        attempt.act = scenes.revoked_while_connected(attempt)
    elif "version" in operation:
        port, name = attempt.bank.desk.port, attempt.attack.text
        attempt.act = lambda: [scenes.greet(port, name)]
    elif operation["cert"] is None:
        attempt.identity = None
    else:
        name = attempt.fill(operation["cert"])
        attempt.identity = symbols.CERTIFICATES[name](attempt.bank.mint)


def raw_plain(attempt: Attempt, operation: Operation) -> None:
    attempt.act = lambda: scenes.plain_text(attempt, operation["repeat"])


def raw(attempt: Attempt, operation: Operation) -> None:
    good, text = attempt.compose(), attempt.attack.text
    make = {
        "AC-050": lambda: framings.transfer_encoding(good, text, attempt.attack.label),
        "AC-051": lambda: framings.content_length(good, text),
        "AC-053": lambda: framings.line_ends(good, text),
        "AC-055": lambda: framings.target(good, text),
        "AC-056": lambda: framings.version(good, text),
        "AC-058": lambda: _bearing_deletions(attempt),
        "AC-063": lambda: framings.oversized(good, text),
    }[attempt.attack.name]
    attempt.act = lambda wires=make(): [attempt.send(wire) for wire in wires]


def _bearing_deletions(attempt: Attempt) -> list[framings.Wire]:
    """AC-058: GET and DELETE of one client, whose bodies are the deletion of another."""
    a = attempt.sender
    one, other = (str(a.register().json["client_id"]) for _ in range(2))
    attempt.watched += [one, other]
    deletion = sign(a.draft("DELETE", other), a)
    return [
        wire
        for method in ("GET", "DELETE")
        for wire in framings.bearing(sign(a.draft(method, one), a), deletion)
    ]


def pipeline(attempt: Attempt, operation: Operation) -> None:
    attempt.act = lambda: scenes.pipelined(attempt)


# The request line


def path(attempt: Attempt, operation: Operation) -> None:
    """An entry point is asked for by POST, as the good request is, and by GET."""
    place = attempt.fill(operation["value"])

    def act() -> list[Outcome]:
        get = attempt.sender.draft("GET")
        get.target = place
        post = attempt.compose()
        post.target = place
        drafts = (sign(get, attempt.sender), sign(post.set("Digest", None), attempt.sender))
        return [attempt.send(draft.to_bytes()) for draft in drafts]

    attempt.act = act


def method(attempt: Attempt, operation: Operation) -> None:
    """``GET /register`` names both; a method alone is tried on the collection and a client."""
    name, _, place = attempt.fill(operation["value"]).partition(" ")
    client_id = attempt.sender.register().json["client_id"]
    places = [place] if place else ["/register", "/register/{id}"]

    def act() -> list[Outcome]:
        outcomes = []
        for each in places:
            body = attempt.octets_of_body() if name in _WITH_BODY else None
            draft = attempt.sender.draft(name, body=body)
            draft.target = REGISTER.replace("/register", each.replace("{id}", client_id))
            outcomes.append(attempt.send(sign(draft, attempt.sender).to_bytes()))
        return outcomes

    attempt.act = act


# Header fields


def header(attempt: Attempt, operation: Operation) -> None:
    """A field that signs or is signed by its value is set as it stands, and signed so."""
    name, text = operation["name"], attempt.attack.text
    match name:
        case "Digest":
            while "+" not in _digest_of(attempt.octets_of_body()):  # else both alphabets agree
                attempt.document["software_id"] = attempt.document.get("software_id", "") + "x"
            attempt.early.append(lambda draft: _state(draft, text))
        case "Signature":
            attempt.seals = list(symbols.SIGNATURES[attempt.attack.name](attempt))
        case "X-Request-ID":
            values = symbols.REQUEST_IDS.get(text, (text,))
            attempt.early.append(lambda draft: draft.set(name, None))
            attempt.early += [lambda d, v=value: d.fields.append((name, v)) for value in values]
            attempt.notes["request_ids"] = values
        case "Content-Encoding":
            coding, attempt.body = bodies.compressed(text)
            attempt.set_field(name, coding)
        case "Upgrade":
            attempt.set_field(name, text)
            attempt.set_field("Connection", "Upgrade")
        case "User-Agent":
            attempt.set_field(name, octets(operation["value"]).decode("latin-1"))
            attempt.act = lambda: scenes.forged_log_lines(attempt)
        case _:
            raise AssertionError(name)


def _digest_of(body: bytes) -> str:
    return b64(hashlib.sha256(body).digest())


def _state(draft: Draft, text: str) -> None:
    draft.fields += symbols.digests(_digest_of(draft.body), text)


def header_del(attempt: Attempt, operation: Operation) -> None:
    attempt.late.append(lambda draft: draft.set(operation["name"], None))


def header_add(attempt: Attempt, operation: Operation) -> None:
    """The second line comes after the good one, and before it."""
    line = (operation["name"], operation["value"])
    attempt.seals = [
        lambda draft: sign(draft, attempt.sender).fields.append(line),
        lambda draft: sign(draft, attempt.sender).fields.insert(1, line),
    ]


def token(attempt: Attempt, operation: Operation) -> None:
    qwac = attempt.sender.qwac
    assert qwac is not None
    if operation.get("of") == "A1":
        text = attempt.notes["token"]
    else:
        text = tokens.token_of(attempt.attack, operation, qwac.der)
    attempt.set_field("Authorization", f"Bearer {text}")


# The body


def json_set(attempt: Attempt, operation: Operation) -> None:
    name, pointer = attempt.attack.name, operation["ptr"]
    if name in symbols.DOCUMENTS:
        symbols.DOCUMENTS[name](attempt)
    elif "raw" in operation:
        number = bodies.NUMBERS.get(attempt.attack.text, attempt.attack.text)
        attempt.document[pointer[1:]] = "$raw"
        attempt.body = bodies.as_json(attempt.document).replace(b'"$raw"', number.encode())
    else:
        *places, last = pointer[1:].split("/")
        parent: Any = attempt.document
        for place in places:
            parent = parent[place]
        parent[int(last) if isinstance(parent, list) else last] = operation["value"]


def json_add(attempt: Attempt, operation: Operation) -> None:
    attempt.document.update(operation["value"])


def json_rename(attempt: Attempt, operation: Operation) -> None:
    value = attempt.document.pop(operation["from"])
    attempt.document[attempt.fill(operation["to"])] = value


def body_raw(attempt: Attempt, operation: Operation) -> None:
    text = attempt.attack.text
    match attempt.attack.name:
        case "AC-145":
            attempt.body, attempt.late = bodies.emptied(text)
        case "AC-146":
            good = attempt.compose()
            wires = framings.endless_bodies(good, text)
            attempt.act = lambda: [attempt.send(wire) for wire in wires]
        case name:
            attempt.body = symbols.BODIES[name](attempt)


def body_flip(attempt: Attempt, operation: Operation) -> None:
    def flip(draft: Draft) -> None:
        draft.body = draft.body.replace(b"Acme", b"Bcme", 1)
        if operation["resign"] == "digest_only":
            draft.set("Digest", f"SHA-256={_digest_of(draft.body)}")

    attempt.late.append(flip)


# The signature


def sign_otherwise(attempt: Attempt, operation: Operation) -> None:
    if "keyid" in operation:
        _name_key(attempt, operation["keyid"])
    elif attempt.attack.name in symbols.SIGNATURES:
        attempt.seals = list(symbols.SIGNATURES[attempt.attack.name](attempt))
    else:
        name = attempt.fill(operation["key"])
        attempt.use_qsealc(symbols.SEALS[name](attempt.bank.mint))


def _name_key(attempt: Attempt, keyid: str) -> None:
    """Name the key by a URL; without jwks in the body the certificate has to be fetched."""
    der = attempt.sender.qsealc.der
    if attempt.attack.name == "AC-138":
        keyid = keyid.replace("<hash>", hashlib.sha256(der).hexdigest())
    else:
        attempt.document.pop("jwks", None)
    if attempt.attack.name == "AC-133":
        keyid = f"https://cdn.tpp.test/c_{hashlib.sha256(attempt.bank.b.qsealc.der).hexdigest()}"
        _serve(attempt, keyid, keyfiles.answer(attempt.sender.qsealc.certificate_file.read_bytes()))
    attempt.seals = [lambda draft: sign(draft, attempt.sender, keyid=keyid)]


def sink(attempt: Attempt, operation: Operation) -> None:
    """The keyId leads to a host that does not serve what it should."""
    name, text = attempt.attack.name, attempt.attack.text
    host = {"AC-131": "cdn.tpp.test"}.get(name, f"{name.lower()}.test")
    place = "/" + hashlib.sha256(text.encode()).hexdigest()[:16]
    pem = attempt.sender.qsealc.certificate_file.read_bytes()
    make = {
        "AC-128": lambda: keyfiles.redirect(text, place, port=attempt.bank.sink.port),
        "AC-130": lambda: keyfiles.huge(text, pem),
        "AC-131": lambda: keyfiles.other_content(text, attempt.bank),
    }[name]
    _serve(attempt, f"https://{host}{place}", make())
    _name_key(attempt, f"https://{host}{place}")
    attempt.secrets += attempt.sender.qsealc.key_file.read_text().splitlines()[1:-1]


def _serve(attempt: Attempt, url: str, what: keyfiles.Answer) -> None:
    attempt.bank.sink.answers["/" + url.split("/", 3)[3]] = what


def jwks_x5c(attempt: Attempt, operation: Operation) -> None:
    pair = symbols.SEALS[operation["value"]](attempt.bank.mint)
    key = attempt.document["jwks"]["keys"][0]
    key["x5c"] = [base64.b64encode(pair.der).decode()]


# The state of the bank, and more than one request


def state(attempt: Attempt, operation: Operation) -> None:
    match operation["do"]:
        case "revoke A.qwac" | "registration_open=false":
            pass  # by the scene, and by the settings of the bank
        case "delete client A1":
            attempt.notes["token"] = scenes.deleted_client(attempt)
        case other:
            raise AssertionError(other)


def fault(attempt: Attempt, operation: Operation) -> None:
    place = attempt.bank.desk.folder / "fault"

    def act() -> list[Outcome]:
        place.write_text("clients.find_entry")
        try:
            return [attempt.send(attempt.compose().to_bytes())]
        finally:
            place.unlink()

    attempt.act = act


def repeat(attempt: Attempt, operation: Operation) -> None:
    scene: dict[str, Callable[[], list[Outcome]]] = {
        "AC-115": lambda: scenes.repeated(attempt),
        "AC-135": lambda: scenes.amplified(attempt, operation["n"]),
        "AC-233": lambda: scenes.flooded(attempt, operation["n"]),
        "AC-235": lambda: scenes.crowding(attempt, 60),  # of 10 000; the cap is set to 25
    }
    attempt.act = scene[attempt.attack.name]


def sequence(attempt: Attempt, operation: Operation) -> None:
    attempt.judged = -1
    scene = {"AC-116": scenes.rolled_back, "AC-118": scenes.id_used_again}
    attempt.act = lambda: scene[attempt.attack.name](attempt)


OPERATORS: dict[str, Callable[[Attempt, Operation], None]] = {
    "tls": tls,
    "raw": raw,
    "raw_plain": raw_plain,
    "pipeline": pipeline,
    "path": path,
    "method": method,
    "header": header,
    "header_add": header_add,
    "header_del": header_del,
    "token": token,
    "json_set": json_set,
    "json_add": json_add,
    "json_rename": json_rename,
    "body_raw": body_raw,
    "body_flip": body_flip,
    "sign": sign_otherwise,
    "sink": sink,
    "jwks_x5c": jwks_x5c,
    "state": state,
    "fault": fault,
    "repeat": repeat,
    "sequence": sequence,
}
