"""The operations of the attack file: each bends an attempt a little."""

import hashlib
import json
from collections.abc import Callable
from typing import Any

from attacks import (
    bodies,
    chance,
    clients,
    floods,
    forwarded,
    framings,
    keys,
    lines,
    members,
    races,
    revocations,
    scenes,
    statements,
    symbols,
    tokens,
)
from attacks.attempt import Attempt
from attacks.bank import Bank
from attacks.framings import octets
from attacks.signatures import b64, sign
from attacks.wire import Outcome
from live.party import Draft

BankOf = Callable[[str], Bank]
Operation = dict[str, Any]


def apply(attempt: Attempt, bank_of: BankOf) -> None:
    """Apply the operations of a case in their order."""
    prepare = _BY_GROUP.get(attempt.attack.case["group"])
    if prepare is not None:
        prepare(attempt)
        return
    if attempt.attack.name in statements.CASES:
        statements.CASES[attempt.attack.name](attempt)
        return
    if attempt.attack.case["group"] == "revocation":
        revocations.ask(attempt)
        return
    for operation in attempt.attack.case["mutate"]:
        match operation["op"]:
            case "matrix":
                attempt.act = lambda: scenes.every_status(attempt, bank_of)
            case "collect":
                several = [bank_of("clocked")] if operation.get("across") else []
                banks = [attempt.bank, *several]
                attempt.act = lambda banks=banks: chance.collected(attempt, banks)
            case name:
                OPERATORS[name](attempt, operation)


_BY_GROUP: dict[str, Callable[[Attempt], None]] = {
    "fwdcert": forwarded.forward,
    "dos": floods.prepare,
    "idor": clients.prepare,
    "race": races.prepare,
}
"""The groups whose cases are scenes of their own."""


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
    name, pointer = attempt.attack.name, attempt.fill(operation["ptr"])
    if name in symbols.DOCUMENTS:
        attempt.use_qsealc(symbols.new_qsealc(attempt.bank))  # else the registered one is found
        symbols.DOCUMENTS[name](attempt)
    elif pointer == "/software_statement iss/jku":
        statement = bodies.software_statement(operation["value"])
        attempt.document["software_statement"] = statement
    elif "raw" in operation:
        number = bodies.NUMBERS.get(attempt.attack.text, attempt.attack.text)
        attempt.document[pointer[1:]] = "$raw"
        attempt.body = bodies.as_json(attempt.document).replace(b'"$raw"', number.encode())
    else:
        *places, last = pointer[1:].split("/")
        parent: Any = attempt.document
        for place in places:
            parent = parent[place]
        value = members.TEXTS.get(attempt.attack.text) or attempt.fill(operation["value"])
        if name == "AC-281":
            value = json.loads(attempt.attack.text)
        parent[int(last) if isinstance(parent, list) else last] = value


def json_add(attempt: Attempt, operation: Operation) -> None:
    attempt.document.update(members.added(attempt, operation["value"]))


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
        place.write_text("tokens.find")
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
    scene = {
        "AC-116": scenes.rolled_back,
        "AC-118": scenes.id_used_again,
        "AC-178": scenes.restarted_with_urls,
    }
    attempt.act = lambda: scene[attempt.attack.name](attempt)


def clock(attempt: Attempt, _: Operation) -> None:
    attempt.act = lambda: chance.clock_jumps(attempt)


OPERATORS: dict[str, Callable[[Attempt, Operation], None]] = {
    "tls": lines.tls,
    "raw": lines.raw,
    "raw_plain": lines.raw_plain,
    "pipeline": lines.pipeline,
    "path": lines.path,
    "method": lines.method,
    "header": header,
    "header_add": header_add,
    "header_del": header_del,
    "token": token,
    "json_set": json_set,
    "json_add": json_add,
    "json_rename": json_rename,
    "json_del": members.json_del,
    "redirect_uri": members.redirect_uri,
    "jwk": members.jwk,
    "jwk_add": members.jwk_add,
    "body_raw": body_raw,
    "body_flip": body_flip,
    "sign": keys.sign_otherwise,
    "sink": keys.sink,
    "jwks_x5c": keys.jwks_x5c,
    "state": state,
    "fault": fault,
    "repeat": repeat,
    "sequence": sequence,
    "clock": clock,
}
