"""What ``enrol audit`` says, to people and as JSON; text of a request is shown escaped."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec
from rich.console import Console
from rich.text import Text

from enrol.client.printable import printable
from enrol.httpsig.explain import visible
from enrol.registration.chain import GENESIS, ChainedEvent, Head, chain_hash
from enrol.registration.review import MEANINGS, Fault, Finding, Review

_WIDTH: Final = 14
_SHOWN: Final = 20
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FINDINGS: Final = {
    Finding.VERIFIED: "the signature verifies, and so do the certificates kept",
    Finding.WITHHELD: "signed over a secret that is not kept, so it cannot be verified again",
    Finding.UNSIGNED: "no signed request is kept",
    Finding.REFUTED: "does not hold",
}
_COUNTS: Final = {
    Finding.VERIFIED: "signed requests verified again",
    Finding.WITHHELD: "signed over a secret that is not kept, not verified",
    Finding.UNSIGNED: "without a signed request: tokens, refusals before verification",
    Finding.REFUTED: "whose evidence does not hold",
}


def print_head(head: Head, *, as_json: bool) -> None:
    """Print where a chain ends, to be kept where the database cannot be changed from."""
    console = _console()
    if as_json:
        console.print(json.dumps(_head(head)))
        return
    console.print(_line("events", str(head.id)))
    console.print(_line("head", head.hash.hex()))


def print_review(review: Review, *, as_json: bool) -> None:
    """Print what came of a review."""
    console = _console()
    if as_json:
        console.print(json.dumps(_review(review), indent=2))
        return
    if review.wrong:
        console.print(Text(f"The trail does not hold: {review.wrong} wrong.", style="bold red"))
    else:
        console.print(Text("The trail holds.", style="bold green"))
    console.print(_line("events", str(review.events)))
    console.print(_line("head", review.head.hash.hex()))
    if review.expected_at is not None:
        console.print(_line("expected head", f"that of event {review.expected_at}"))
    for event in review.restored:
        console.print(_line("restored", f"from a backup, as event {event} says"))
    for finding, count in review.found.items():
        console.print(_line("", f"{count} {_COUNTS[finding]}"))
    for fault in review.faults[:_SHOWN]:
        console.print(_fault(fault))
    if review.wrong > _SHOWN:
        console.print(_line("", f"and {review.wrong - _SHOWN} more"))


def print_event(
    event: ChainedEvent,
    finding: Finding,
    faults: Sequence[Fault],
    *,
    before: ChainedEvent | None,
    others: Sequence[int],
    verdicts: Mapping[str, Any],
    as_json: bool,
) -> None:
    """Print one event, whether it follows from the one before it, and what its evidence is.

    `verdicts` are what was found of its certificates, by their member of the evidence.
    """
    console = _console()
    previous = before.hash if before is not None else GENESIS
    follows = chain_hash(previous, event.columns) == event.hash
    if as_json:
        document = _event(event) | {
            "follows": follows,
            "finding": finding.value,
            "faults": [_document(fault) for fault in faults],
            "others": list(others),
            "verdicts": verdicts,
        }
        console.print(json.dumps(document, indent=2))
        return
    if others:
        shown = ", ".join(map(str, others[-_SHOWN:]))
        console.print(Text(f"Also of that name: {len(others)}, the last {shown}", style="dim"))
    console.print(Text(f"Event {event.id}  {printable(event.type)}", style="bold"))
    for name, value in _facts(event, follows=follows, finding=finding):
        console.print(_line(name, value))
    for title, verdict in verdicts.items():
        console.print(Text(f"\n{title}", style="bold"))
        for name, value in verdict.items():
            console.print(_line(name, value if isinstance(value, str) else json.dumps(value)))
    for fault in faults:
        console.print(_fault(fault))
    if event.request is not None:
        console.print(Text("\nRequest kept", style="bold"))
        for line in event.request.split(b"\n"):
            console.print(Text("  " + visible(line.removesuffix(b"\r")), style="cyan"))


def _facts(event: ChainedEvent, *, follows: bool, finding: Finding) -> Iterator[tuple[str, str]]:
    yield "at", _time(event.at)
    for name in ("code", "organization_identifier", "client_id", "request_id"):
        value = getattr(event, name)
        if value is not None:
            yield name.removesuffix("_identifier"), str(value)
    yield "hash", event.hash.hex()
    yield "chain", "follows from the event before" if follows else "does not follow: changed"
    yield "evidence", _FINDINGS[finding]
    for name, value in _evidence(event).items():
        yield f"  {name}", value if isinstance(value, str) else json.dumps(value)


def _evidence(event: ChainedEvent) -> dict[str, Any]:
    try:
        return msgspec.json.decode(event.evidence, type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError):
        return {"unreadable": event.evidence}


def _review(review: Review) -> dict[str, object]:
    return {
        "holds": not review.wrong,
        **_head(review.head),
        "blobs": review.blobs,
        "expected_at": review.expected_at,
        "restored": review.restored,
        "found": {finding.value: count for finding, count in review.found.items()},
        "wrong": review.wrong,
        "faults": [_document(fault) for fault in review.faults],
    }


def _head(head: Head) -> dict[str, object]:
    return {"events": head.id, "head": head.hash.hex()}


def _document(fault: Fault) -> dict[str, object]:
    return {
        "event": fault.event,
        "kind": fault.kind.value,
        "meaning": MEANINGS[fault.kind],
        "detail": fault.detail,
    }


def _event(event: ChainedEvent) -> dict[str, object]:
    return {
        "id": event.id,
        "at": _time(event.at),
        "type": event.type,
        "code": event.code,
        "organization_identifier": event.organization_identifier,
        "client_id": event.client_id,
        "request_id": event.request_id,
        "evidence": _evidence(event),
        "request": event.request and event.request.decode("latin-1"),
        "hash": event.hash.hex(),
    }


def _fault(fault: Fault) -> Text:
    where = f"event {fault.event}" if fault.event is not None else "trail"
    detail = f" [{fault.detail}]" if fault.detail else ""
    return Text.assemble((f"  {where:<{_WIDTH}} ", "red"), MEANINGS[fault.kind], detail)


def _time(at: int) -> str:
    try:
        return (_EPOCH + timedelta(milliseconds=at)).isoformat(timespec="milliseconds")
    except OverflowError:
        return str(at)


def _console() -> Console:
    return Console(soft_wrap=True, highlight=False, markup=False, emoji=False)


def _line(name: str, text: str) -> Text:
    return Text.assemble((f"  {name:<{_WIDTH}} ", "dim"), printable(text))
