"""Operations on the connection, the request line and the framing."""

from typing import Any

from attacks import framings, scenes, symbols
from attacks.attempt import Attempt
from attacks.signatures import sign
from attacks.wire import Outcome
from live.party import REGISTER

Operation = dict[str, Any]

_WITH_BODY = ("POST", "PUT", "PATCH")


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
