"""What ``enrol admin`` says of one client, and of what was ordered about it."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec
import typer
from rich.console import Console
from rich.text import Text

from enrol.adapters.rows import from_milliseconds
from enrol.client.printable import printable_line
from enrol.eidas.certificate import parse_certificate
from enrol.errors import CertificateError
from enrol.explanations import EXPLANATIONS, explain
from enrol.registration.chain import ChainedEvent
from enrol.registration.operators import Order
from enrol.registration.record import ClientRecord, RegisteredKey
from enrol.registration.states import Standing, State, state_at

_WIDTH: Final = 26
_LONG: Final = ("jwks", "logo", "software_statement")
_NEXT: Final = {
    "concurrent_change": "Look at it with enrol admin show, and order again.",
    "storage_unavailable": "See the log of the server; look with enrol admin show what stands.",
    "overloaded": "Try again in a moment.",
    "draining": "Try again in a moment.",
}
"""What to do where the remedy of a code is meant for TPPs."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an order: the client as it is then, or the code it was refused with."""

    order: Order
    client: ClientRecord | None = None
    code: str | None = None


def print_outcome(outcome: Outcome, *, at: datetime) -> None:
    """Print to people what came of an order."""
    name = printable_line(outcome.order.client_id) or ""
    if outcome.client is None:
        meaning, remedy = _refused(outcome.code or "")
        _console(stderr=True).print(
            Text.assemble((f"{name}  not done: ", "bold red"), f"{meaning} {remedy}")
        )
        return
    standing = outcome.client.standing
    words = state_at(standing, at).value
    if standing is not None and words != State.ACTIVE.value:
        words = f"{words}: {' '.join(_reasons(standing))}"
    _console().print(Text.assemble((f"{name}  ", "bold"), printable_line(words) or ""))


def print_outcomes(outcomes: Sequence[Outcome], *, at: datetime) -> None:
    """Print what came of orders as a JSON array."""
    typer.echo(json.dumps([_outcome(outcome, at) for outcome in outcomes], indent=2))


def print_client(
    record: ClientRecord,
    events: Sequence[ChainedEvent],
    *,
    at: datetime,
    is_gone: bool,
    as_json: bool,
) -> None:
    """Print a client, and its last events, which are the newest first."""
    state = State.DELETED if is_gone else state_at(record.standing, at)
    keys = [_key(key) for key in record.keys]
    if as_json:
        typer.echo(json.dumps(_document(record, state, keys, events), indent=2))
        return
    console = _console()
    console.print(Text(f"Client {printable_line(record.client_id)}", style="bold"))
    for name, value in _facts(record, state):
        console.print(_line(name, value))
    for key in keys:
        console.print(Text("\nKey", style="bold"))
        for name, value in key.items():
            console.print(_line(name, value))
    console.print(Text("\nLast events", style="bold"))
    for event in events:
        console.print(_line(from_milliseconds(event.at).isoformat(" ", "seconds"), _event(event)))


def _facts(record: ClientRecord, state: State) -> Iterator[tuple[str, str]]:
    yield "organisation", record.organization_identifier
    yield "state", state.value
    if record.standing is not None and state is not State.ACTIVE:
        for reason in _reasons(record.standing):
            yield "", reason
    yield "version", str(record.version)
    yield "registered", record.issued_at.isoformat(" ")
    yield "last changed", record.updated_at.isoformat(" ")
    for name, value in msgspec.to_builtins(record.metadata).items():
        if name in _LONG:
            continue
        yield name, value if isinstance(value, str) else json.dumps(value)


def _reasons(standing: Standing) -> Iterator[str]:
    """Return in sentences what keeps a client from being active."""
    words = EXPLANATIONS.get(standing.code)
    yield words.meaning if words is not None else standing.code
    if standing.reason is not None:
        yield f'{standing.actor}: "{standing.reason}"'
    if standing.approved_by is not None:
        yield f"Approved by {standing.approved_by}."
    if standing.effective_at is not None:
        yield f"Active from {standing.effective_at.isoformat(' ', 'minutes')} on."
    if standing.unapproved:
        yield "Changed since it was suspended: when it is resumed it has to be approved."


def _refused(code: str) -> tuple[str, str]:
    words = explain(code)
    return words.meaning, _NEXT.get(code, words.remedy)


def _outcome(outcome: Outcome, at: datetime) -> dict[str, object]:
    named = {"client_id": outcome.order.client_id, "action": outcome.order.action.value}
    if outcome.client is None:
        meaning, remedy = _refused(outcome.code or "")
        return {**named, "error": outcome.code, "detail": f"{meaning} {remedy}"}
    standing = outcome.client.standing
    return {
        **named,
        "state": state_at(standing, at).value,
        "standing": msgspec.to_builtins(standing),
    }


def _document(
    record: ClientRecord, state: State, keys: list[dict[str, str]], events: Sequence[ChainedEvent]
) -> dict[str, Any]:
    return {
        "client_id": record.client_id,
        "organization_identifier": record.organization_identifier,
        "state": state.value,
        "standing": msgspec.to_builtins(record.standing) if state is not State.ACTIVE else None,
        "version": record.version,
        "issued_at": record.issued_at.isoformat(),
        "updated_at": record.updated_at.isoformat(),
        "metadata": msgspec.to_builtins(record.metadata),
        "keys": keys,
        "events": [_event_document(event) for event in events],
    }


def _key(key: RegisteredKey) -> dict[str, str]:
    """Return what is shown of a key; its certificate was read when it was registered."""
    named = {"kid": key.kid, "x5t#S256": key.x5t_s256, "url": key.url}
    shown = {name: value for name, value in named.items() if value is not None}
    try:
        certificate = parse_certificate(key.certificate)
    except CertificateError as exc:
        return shown | {"certificate": exc.code}
    return shown | {
        "subject": certificate.subject,
        "not_before": certificate.not_before.isoformat(),
        "not_after": certificate.not_after.isoformat(),
    }


def _event(event: ChainedEvent) -> str:
    facts = _event_document(event)
    names = ("code", "actor", "reason", "request_id")
    told = [f"{name} {facts[name]}" for name in names if facts[name] is not None]
    return "  ".join([f"{event.id}  {event.type}", *told])


def _event_document(event: ChainedEvent) -> dict[str, object]:
    try:
        evidence = msgspec.json.decode(event.evidence, type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError):
        evidence = {}  # `enrol audit verify` says so
    return {
        "id": event.id,
        "at": from_milliseconds(event.at).isoformat(),
        "type": event.type,
        "code": event.code,
        "actor": evidence.get("actor"),
        "reason": evidence.get("reason"),
        "request_id": event.request_id,
    }


def _console(*, stderr: bool = False) -> Console:
    return Console(stderr=stderr, soft_wrap=True, highlight=False, markup=False, emoji=False)


def _line(name: str, text: str) -> Text:
    return Text.assemble((f"  {name:<{_WIDTH}} ", "dim"), printable_line(text) or "")
