"""The verdict on an attack: its outcome, its own invariants, and those of every case."""

import json

from attacks.attempt import Attempt
from attacks.bank import eventually
from attacks.invariants import INVARIANTS
from attacks.wire import CLOSE, TLS
from enrol import __version__
from live.party import Reply
from proxies.front import is_of_proxy

_HEADERS = {
    "cache-control": "no-store",
    "pragma": "no-cache",
    "x-content-type-options": "nosniff",
}
_TALKATIVE = (
    *("Traceback", 'File "', "SELECT ", "INSERT ", "sqlite", "uvicorn", "/src/"),
    f"enrol/{__version__}",
)
_SERVERS = (None, "nginx", "envoy")
"""A proxy may give its name, without version; nginx has no way to hold it back."""

_LAST = ("alive",)
"""Registers a client of its own, so it comes after what counts them."""


def check(attempt: Attempt) -> None:
    """Check the outcome of an attempt, its invariants, and those of all cases."""
    _check_outcome(attempt)
    for invariant in sorted(attempt.attack.invariants, key=lambda name: name in _LAST):
        name, _, argument = invariant.partition(":")
        (INVARIANTS.get(invariant) or INVARIANTS[name])(attempt, argument)
    for reply in attempt.replies:
        if not is_of_proxy(reply):
            _check_reply(reply)
    _check_log(attempt)
    _check_audit(attempt)


def _check_outcome(attempt: Attempt) -> None:
    attack = attempt.attack
    for outcome in attempt.subjects:
        assert outcome.kind in attack.allowed, (outcome, attack.allowed)
        if outcome.kind in (TLS, CLOSE) or not attack.errors:
            continue
        reply = outcome.replies[0]
        if reply.status >= 400 and reply.body and not is_of_proxy(reply):
            assert reply.json["error"] in attack.errors, reply


def _check_reply(reply: Reply) -> None:
    assert reply.fields["x-request-id"]
    for name, value in _HEADERS.items():
        assert reply.fields[name] == value
    for unwanted in ("set-cookie", "access-control-allow-origin"):
        assert unwanted not in reply.fields
    assert reply.fields.get("server") in _SERVERS
    if reply.status != 204:
        assert reply.fields["content-type"] == "application/json; charset=utf-8"
    text = reply.body.decode("utf-8")
    if reply.status >= 400:
        assert not [word for word in _TALKATIVE if word in text], text


def _check_log(attempt: Attempt) -> None:
    """Find one line of the log about every answer, but for those of a proxy, with its status."""
    replies = [reply for reply in attempt.replies if not is_of_proxy(reply)]
    wanted = sorted((r.fields["x-request-id"], r.status) for r in replies)
    ids = {request_id for request_id, _ in wanted}
    found: list[tuple[str, int]] = []

    def look() -> bool:
        lines = [line for bank in attempt.banks for line in bank.desk.log_lines]
        requests = [json.loads(line) for line in lines if '"event":"request"' in line]
        found[:] = [(r["request_id"], r["status"]) for r in requests if r["request_id"] in ids]
        return sorted(found) == wanted

    assert eventually(look, within=5), (wanted, found)


def _check_audit(attempt: Attempt) -> None:
    """Find an event for every refusal of somebody who showed a certificate."""
    for reply in attempt.replies:
        if reply.status in (401, 403) and attempt.identity is not None:
            request_id = reply.fields["x-request-id"]
            assert any(bank.has_event(request_id, reply.code) for bank in attempt.banks), reply
