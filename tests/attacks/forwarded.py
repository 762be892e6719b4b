"""The group fwdcert: certificates in header fields, on the hop itself and through proxies."""

import re
from collections.abc import Callable
from urllib.parse import quote

from attacks.attempt import Attempt
from attacks.places import HOP
from attacks.proxying import binary, handed_on, proxy_of
from attacks.signatures import sign
from attacks.wire import Outcome, exchange
from live.party import Draft, Pair
from proxies.front import Front

_TRIES = 100  # of the 400 in the file; the rate is 20 a minute
_FORWARDED = ("X-Forwarded-For", "X-Real-IP", "Forwarded")


def escaped(pair: Pair) -> str:
    """Return a certificate as nginx escapes it in other setups."""
    return quote(pair.certificate_file.read_text())


def forward(attempt: Attempt) -> None:
    """Prepare a case of the group."""
    if attempt.attack.bank == HOP:
        attempt.identity = proxy_of(_front(attempt))
    _CASES[attempt.attack.name](attempt)


def _front(attempt: Attempt) -> Front:
    assert attempt.bank.front is not None
    return attempt.bank.front


def _with_lines(attempt: Attempt, *lines: tuple[str, str]) -> None:
    """Send a request with each of the lines, at its end and at its beginning."""

    def add(draft: Draft, line: tuple[str, str], *, first: bool) -> None:
        sign(draft, attempt.sender)
        if attempt.attack.bank == HOP:
            draft.fields = handed_on(draft, attempt.sender.qwac, _front(attempt)).fields
        draft.fields.insert(1 if first else len(draft.fields), line)

    attempt.seals = [
        lambda draft, line=line, first=first: add(draft, line, first=first)
        for line in lines
        for first in (False, True)
    ]


def _claimed_by_another(attempt: Attempt) -> None:
    """AC-038: B says it is A."""
    a, b = attempt.bank.a, attempt.bank.b
    attempt.sender, attempt.identity = b, b.qwac
    attempt.document = b.metadata(provider_legal_id=a.organization)
    assert a.qwac is not None
    _with_lines(
        attempt, ("X-SSL-Client-Cert", escaped(a.qwac)), ("Client-Cert", binary(a.qwac.der))
    )


def _spelled_otherwise(attempt: Attempt) -> None:
    """AC-040: the name of the file, and that which is trusted here, in the same spelling."""
    b, text = attempt.bank.b, attempt.attack.text
    assert b.qwac is not None
    own = re.sub(r"(?i)\Ax[-_]ssl[-_]", "", text)
    _with_lines(attempt, (text, binary(b.qwac.der)), (own, binary(b.qwac.der)))


def _past_the_proxy(attempt: Attempt) -> None:
    """AC-041: at the bank's own port, not as the proxy, with and without its secret."""
    front, sender = _front(attempt), attempt.sender
    attempt.identity = None
    good = handed_on(attempt.compose(), sender.qwac, front)
    drafts = [
        Draft(good.method, good.target, list(good.fields), good.body).set(
            "Enrol-Hop-Secret", secret
        )
        for secret in (front.secret, "0" * 64, None)
    ]
    attempt.act = lambda: [
        exchange(attempt.bank.desk.port, None, draft.to_bytes()) for draft in drafts
    ]


def _twice(attempt: Attempt) -> None:
    """AC-043: the certificate of another beside that of the proxy."""
    b = attempt.bank.b
    assert b.qwac is not None
    _with_lines(attempt, ("Client-Cert", binary(b.qwac.der)))


def _malformed(attempt: Attempt) -> None:
    """AC-045: on the hop in the place of the certificate, from outside in whatever field."""
    for value in _values(attempt):
        if attempt.attack.bank == HOP:
            attempt.seals += [lambda draft, value=value: _replace(attempt, draft, value)]
        else:
            before = list(attempt.seals)
            _with_lines(attempt, ("X-SSL-Client-Cert", value), ("Client-Cert", value))
            attempt.seals = before + attempt.seals


def _replace(attempt: Attempt, draft: Draft, value: str) -> None:
    sign(draft, attempt.sender)
    draft.fields = handed_on(draft, None, _front(attempt)).fields
    draft.fields.append(("Client-Cert", value))


def _values(attempt: Attempt) -> list[str]:
    a, b = attempt.bank.a.qwac, attempt.bank.b.qwac
    assert a is not None
    assert b is not None
    return {
        "PEM of A + PEM of B": [escaped(a) + escaped(b), binary(a.der + b.der)],
        "DER of A + 1 kB garbage": [binary(a.der + bytes(1024))],
        "base64 with spaces": [binary(a.der).replace("A", "A ", 1)],
        "truncated PEM": [escaped(a)[:600], binary(a.der[:600])],
        "64 kB value": [f":{'A' * 65_536}:"],
        "PEM of a private key": [quote(attempt.bank.parties["C"].qsealc.key_file.read_text())],
        "%00": ["%00"],
        "(null)": ["(null)"],
    }[attempt.attack.text]


def _from_many_addresses(attempt: Attempt) -> None:
    """AC-046: failures that seem to come from everywhere; the last is one too many."""
    attempt.judged = -1

    def act() -> list[Outcome]:
        outcomes = []
        for number in range(_TRIES):
            draft = attempt.sender.draft("POST", body=attempt.octets_of_body())
            draft.set("Authorization", "Bearer " + "A" * 43)
            for name in _FORWARDED:
                draft.set(name, f"{'for=' if name == 'Forwarded' else ''}10.1.2.{number}")
            outcomes.append(Outcome((attempt.sender.send(sign(draft, attempt.sender)),)))
        return outcomes

    attempt.act = act


def _method_override(attempt: Attempt) -> None:
    """AC-048: a client that could be deleted is there."""
    attempt.watched.append(attempt.sender.register().json["client_id"])
    attempt.set_field(attempt.attack.text, "DELETE")


_CASES: dict[str, Callable[[Attempt], None]] = {
    "AC-038": _claimed_by_another,
    "AC-040": _spelled_otherwise,
    "AC-041": _past_the_proxy,
    "AC-043": _twice,
    "AC-045": _malformed,
    "AC-046": _from_many_addresses,
    "AC-048": _method_override,
}
