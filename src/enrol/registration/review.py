"""The audit trail judged again: is it whole, and does what was believed then still verify."""

from collections.abc import Callable, Iterator
from enum import StrEnum
from hashlib import sha256
from typing import Protocol

import msgspec

from enrol.registration.audit import EventType
from enrol.registration.chain import GENESIS, ChainedEvent, Head, chain_hash


class Trail(Protocol):
    """A trail to be judged; nothing in it is believed."""

    @property
    def head(self) -> Head:
        """Where the trail says it ends."""

    def events(self) -> Iterator[ChainedEvent]:
        """Return every event in its order."""

    def blobs(self) -> Iterator[tuple[bytes, bytes]]:
        """Return every blob: the SHA-256 it is kept under, and its bytes."""

    def blob(self, sha256: bytes) -> bytes | None:
        """Return the bytes kept under a SHA-256."""


class FaultKind(StrEnum):
    """What can be wrong with a trail."""

    EVENT_CHANGED = "event_changed"
    EVENTS_MISSING = "events_missing"
    EVENT_OUT_OF_ORDER = "event_out_of_order"
    TAIL_MISSING = "tail_missing"
    HEAD_UNKNOWN = "head_unknown"
    BLOB_CHANGED = "blob_changed"
    BLOB_MISSING = "blob_missing"
    EVIDENCE_UNREADABLE = "evidence_unreadable"
    REQUEST_UNREADABLE = "request_unreadable"
    REQUEST_OF_ANOTHER = "request_of_another"
    SIGNATURE_REFUSED = "signature_refused"
    SIGNATURE_OTHERWISE = "signature_otherwise"
    CERTIFICATE_UNREADABLE = "certificate_unreadable"
    CERTIFICATE_NOT_VALID = "certificate_not_valid"
    CERTIFICATE_OF_ANOTHER = "certificate_of_another"
    ISSUER_REFUTED = "issuer_refuted"
    REVOCATION_REFUTED = "revocation_refuted"


MEANINGS = {
    FaultKind.EVENT_CHANGED: "It does not follow from what is before it: it, or that, was changed.",
    FaultKind.EVENTS_MISSING: "Events before it were removed.",
    FaultKind.EVENT_OUT_OF_ORDER: "It does not stand where its number belongs.",
    FaultKind.TAIL_MISSING: "The last events were removed: more were written than there are.",
    FaultKind.HEAD_UNKNOWN: "No event has the hash expected: the trail was cut off or rewritten.",
    FaultKind.BLOB_CHANGED: "Bytes kept as evidence are not those of the SHA-256 they stand under.",
    FaultKind.BLOB_MISSING: "Bytes that its evidence names are not there.",
    FaultKind.EVIDENCE_UNREADABLE: "Its evidence is not what Enrol writes.",
    FaultKind.REQUEST_UNREADABLE: "The request kept is not one that Enrol writes.",
    FaultKind.REQUEST_OF_ANOTHER: "The request kept has another X-Request-ID.",
    FaultKind.SIGNATURE_REFUSED: "The signature of the request does not verify.",
    FaultKind.SIGNATURE_OTHERWISE: "The signature verifies, but not as it is on record.",
    FaultKind.CERTIFICATE_UNREADABLE: "A certificate kept cannot be read.",
    FaultKind.CERTIFICATE_NOT_VALID: "A certificate was not valid at the time of the event.",
    FaultKind.CERTIFICATE_OF_ANOTHER: "A certificate does not name the organisation of the event.",
    FaultKind.ISSUER_REFUTED: "A certificate was not issued by the CA kept as its issuer.",
    FaultKind.REVOCATION_REFUTED: "The answers kept do not say that a certificate was good then.",
}


class Fault(msgspec.Struct, frozen=True):
    """Something wrong: the number of the event, or None; `detail` is a rule id, digest or range."""

    kind: FaultKind
    event: int | None = None
    detail: str | None = None


class Finding(StrEnum):
    """What was found of the evidence of an event."""

    VERIFIED = "verified"
    WITHHELD = "withheld"
    UNSIGNED = "unsigned"
    REFUTED = "refuted"


class Judge(Protocol):
    """Judges the evidence of an event again."""

    def __call__(self, event: ChainedEvent) -> tuple[Finding, tuple[Fault, ...]]:
        """Return what was found, and what is wrong."""


class Review(msgspec.Struct):
    """What came of judging a trail: `faults` are the first `MOST_FAULTS`, `wrong` counts all.

    `expected_at` is the number of the event whose hash was expected, `restored` are those of the
    events that say that the register was restored.
    """

    head: Head = Head()
    events: int = 0
    blobs: int = 0
    found: dict[Finding, int] = msgspec.field(default_factory=dict)
    faults: list[Fault] = msgspec.field(default_factory=list)
    wrong: int = 0
    expected_at: int | None = None
    restored: list[int] = msgspec.field(default_factory=list)

    def add(self, *faults: Fault) -> None:
        """Count faults, and keep the first."""
        self.wrong += len(faults)
        self.faults += faults[: MOST_FAULTS - len(self.faults)]


MOST_FAULTS = 100


def review_trail(
    trail: Trail,
    judge: Judge,
    *,
    expected_head: bytes | None = None,
    judged: Callable[[int], object] = lambda _: None,
) -> Review:
    """Judge a whole trail, in the memory of a few events; `judged` is told how many are done.

    1. every blob has the SHA-256 it stands under;
    2. every event follows the one before it, by number and by hash;
    3. the evidence of every event that follows holds;
    4. the last event is the one the trail says it ends with;
    5. the hash expected, if any, is that of one of the events.
    """
    review = Review()
    for digest, content in trail.blobs():  # (1)
        review.blobs += 1
        if sha256(content).digest() != digest:
            review.add(Fault(FaultKind.BLOB_CHANGED, detail=digest.hex()))
    head = Head()
    for event in trail.events():
        faults = _faults_of_link(head, event)  # (2)
        if not faults:
            finding, faults = judge(event)  # (3)
            review.found[finding] = review.found.get(finding, 0) + 1
        review.add(*faults)
        review.events += 1
        if event.type == EventType.REGISTER_RESTORED:
            review.restored.append(event.id)
        head = Head(event.id, event.hash if isinstance(event.hash, bytes) else GENESIS)
        if head.hash == expected_head:
            review.expected_at = event.id
        judged(review.events)
    if head != trail.head:  # (4)
        review.add(Fault(FaultKind.TAIL_MISSING, head.id, f"{head.id + 1}-{trail.head.id}"))
    if expected_head is not None and review.expected_at is None:  # (5)
        review.add(Fault(FaultKind.HEAD_UNKNOWN))
    review.head = head
    return review


def _faults_of_link(head: Head, event: ChainedEvent) -> tuple[Fault, ...]:
    """Say what is wrong with an event after the one before it.

    One that says that the register was restored has a higher number, so that none is given twice.
    """
    if event.id > head.id + 1 and event.type != EventType.REGISTER_RESTORED:
        return (Fault(FaultKind.EVENTS_MISSING, event.id, f"{head.id + 1}-{event.id - 1}"),)
    if event.id <= head.id:
        return (Fault(FaultKind.EVENT_OUT_OF_ORDER, event.id),)
    if chain_hash(head.hash, event.columns) != event.hash:
        return (Fault(FaultKind.EVENT_CHANGED, event.id),)
    return ()
