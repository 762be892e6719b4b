"""The group idor: other TPPs' clients, and what a TPP may not do to its own."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from attacks.attempt import Attempt
from attacks.framings import octets
from attacks.signatures import sign
from attacks.wire import Outcome
from live.party import REGISTER, Draft, Party

UNKNOWN = "0" * 32
_METHODS = ("GET", "PUT", "DELETE")


def prepare(attempt: Attempt) -> None:
    """Prepare a case of the group."""
    _CASES[attempt.attack.name](attempt)


def new_client(attempt: Attempt, party: Party) -> str:
    """Register a client, which no attack may change unless it says so."""
    reply = party.register()
    assert reply.status == 201, reply
    client_id = str(reply.json["client_id"])
    attempt.watched.append(client_id)
    return client_id


def request_of(party: Party, method: str, client_id: str, **changes: Any) -> Draft:
    """Return a request about a client before it is signed."""
    body = party.metadata(client_id=client_id, **changes) if method == "PUT" else None
    return party.draft(method, client_id, body)


def send(attempt: Attempt, draft: Draft) -> Outcome:
    """Sign as the sender does, and send."""
    return attempt.send(sign(draft, attempt.sender).to_bytes())


def _foreign(attempt: Attempt, *methods: str) -> None:
    """AC-208, AC-210 and AC-211: A asks for a client of B, and for one that is not there."""
    theirs = new_client(attempt, attempt.bank.b)
    a = attempt.sender
    new_client(attempt, a)

    def act() -> list[Outcome]:
        pairs = [
            [send(attempt, request_of(a, method, each)) for each in (theirs, UNKNOWN)]
            for method in methods
        ]
        attempt.notes["alike"] = [(one.replies[0], other.replies[0]) for one, other in pairs]
        return [outcome for pair in pairs for outcome in pair]

    attempt.act = act


def _token_of_another_client(attempt: Attempt) -> None:
    """AC-213: the management token of A1 on A2 and by B, and tokens nearly those of A2."""
    a, b = attempt.sender, attempt.bank.b
    one, two = (new_client(attempt, a) for _ in range(2))
    b.register()
    tokens = [a.get(client_id).json["registration_access_token"] for client_id in (one, two)]
    attempt.secrets += tokens
    own = tokens[1]
    bent = (own[:-1], own + "A", own.swapcase(), own[1:] + own[0], two, "A" * len(own))

    def act() -> list[Outcome]:
        drafts = [
            request_of(a, method, two).set("Authorization", f"Bearer {token}")
            for token in (tokens[0], *bent)
            for method in _METHODS
        ]
        outcomes = [send(attempt, draft) for draft in drafts]
        elsewhere = b.draft("GET", one).set("Authorization", f"Bearer {tokens[0]}")
        return [*outcomes, Outcome((b.send(sign(elsewhere, b)),))]

    attempt.act = act


def _chosen_secret(attempt: Attempt) -> None:
    """AC-215: an update with a secret that was not issued."""
    a = attempt.sender
    members = {"token_endpoint_auth_method": "client_secret_basic", "scope": "aisp pisp"}
    client = a.register(a.metadata(**members)).json
    client_id, issued = str(client["client_id"]), str(client["client_secret"])
    attempt.watched.append(client_id)
    attempt.secrets.append(issued)
    attempt.notes["secret"] = issued
    forms = {"null": None, "prefix of the real one": issued[:-1], "masked value ******": "******"}
    secret = forms.get(attempt.attack.text, attempt.attack.text)
    put = request_of(a, "PUT", client_id, client_secret=secret, **members)
    attempt.act = lambda: [send(attempt, put)]


def _mass_assignment(attempt: Attempt) -> None:
    """AC-216: members that would be columns somewhere."""
    name, _, text = attempt.attack.text.partition("=")
    value: Any = json.loads(text) if text in ("true", "null") else text or 99
    member = {name: attempt.bank.b.organization if name in ("org_id", "owner") else value}
    a = attempt.sender
    client_id = new_client(attempt, a)
    attempt.notes["client_id"] = client_id
    attempt.act = lambda: [send(attempt, request_of(a, "PUT", client_id, **member))]


def _weakened(attempt: Attempt) -> None:
    """AC-218: an update that would take a protection away; the scope by C, who has one role."""
    if attempt.attack.text == "scope + pisp":
        attempt.sender = attempt.bank.parties["C"]
        attempt.identity = attempt.sender.qwac
    a = attempt.sender
    reply = a.register(a.metadata(scope="aisp"))
    assert reply.status == 201, reply
    client_id = str(reply.json["client_id"])
    attempt.watched.append(client_id)
    changes: dict[str, dict[str, Any]] = {
        "token_endpoint_auth_method=none": {"token_endpoint_auth_method": "none"},
        "scope + pisp": {"scope": "aisp pisp"},
        "grant_types + password": {"grant_types": ["authorization_code", "password"]},
        "jwks removed": {"jwks": None},
    }
    change = {"scope": "aisp"} | changes[attempt.attack.text]
    attempt.act = lambda: [send(attempt, request_of(a, "PUT", client_id, **change))]


def _deleted(attempt: Attempt) -> None:
    """AC-220: DELETE, GET, PUT and DELETE of one client, whose tokens were of use before."""
    a = attempt.sender
    new_client(attempt, a)  # of the same key, so that the signature still holds
    client_id = str(a.register().json["client_id"])
    attempt.notes["client_id"] = client_id
    own = a.send(a.token_draft(client_id=client_id)).json["access_token"]
    rat = a.get(client_id).json["registration_access_token"]
    attempt.notes["tokens"] = [own, rat]
    attempt.judged = -3
    methods = ("DELETE", "GET", "PUT", "DELETE")
    attempt.act = lambda: [send(attempt, request_of(a, each, client_id)) for each in methods]


def _injected(attempt: Attempt) -> None:
    """AC-221: paths that are no client_id, as they stand and percent-encoded."""
    text = attempt.attack.text
    if text == "(4 kB)":
        text = "A" * 4096
    elif text.endswith("(lower)"):
        text = attempt.bank.b.organization.lower()
    new_client(attempt, attempt.sender)
    raw = octets(text)
    places = {raw.decode("latin-1"), quote(raw, safe="%")}

    def act() -> list[Outcome]:
        outcomes = []
        for place in sorted(places):
            draft = attempt.sender.draft("GET")
            draft.target = f"{REGISTER}/{place}"
            outcomes.append(send(attempt, draft))
        return outcomes

    attempt.act = act


def _secrets_kept(attempt: Attempt) -> None:
    """AC-223: what a TPP is given is not in the register."""
    a = attempt.sender

    def act() -> list[Outcome]:
        attempt.judged = -2
        created = attempt.send(attempt.compose().to_bytes())
        client = created.replies[0].json
        attempt.notes["tokens"] = [client["registration_access_token"], a.token]
        attempt.secrets += attempt.notes["tokens"]
        later = [send(attempt, request_of(a, m, client["client_id"])) for m in ("GET", "PUT")]
        return [created, *later]

    attempt.act = act


_CASES: dict[str, Callable[[Attempt], None]] = {
    "AC-208": lambda attempt: _foreign(attempt, "GET"),
    "AC-210": lambda attempt: _foreign(attempt, "DELETE"),
    "AC-211": lambda attempt: _foreign(attempt, *_METHODS),
    "AC-213": _token_of_another_client,
    "AC-215": _chosen_secret,
    "AC-216": _mass_assignment,
    "AC-218": _weakened,
    "AC-220": _deleted,
    "AC-221": _injected,
    "AC-223": _secrets_kept,
}
