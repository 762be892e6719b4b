"""One refresh: from the Official Journal to the services of every territory.

1. The list of the lists, verified from its anchor through its pivots, not older than the one held.
2. Every list it points to, verified by the signers it names, not older than the one held.
3. What could not be had: the list held before stays, until its own end.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

import msgspec

from enrol.adapters.trustlists.document import Document, Pointer, parse_list, to_text
from enrol.adapters.trustlists.errors import ListRefusedError
from enrol.adapters.trustlists.job import Progress
from enrol.adapters.trustlists.services import read_services
from enrol.adapters.trustlists.signatures import verified_list
from enrol.adapters.trustlists.sources import ListSource
from enrol.eidas.trustlist import ListHead, MissingList, TrustedList, TrustSnapshot

_OFFICIAL_JOURNAL: Final = "://eur-lex.europa.eu/"
_MOST_PIVOTS: Final = 50
_MOST_LISTS: Final = 200


@dataclass(frozen=True, slots=True)
class RefreshRules:
    """`anchors` are the certificates (DER) that may sign the LOTL, or its oldest pivot."""

    anchors: tuple[bytes, ...]
    at: datetime
    grace: timedelta = timedelta(0)

    @property
    def anchor(self) -> bytes:
        """The digest of the anchors: lists under other anchors are other lists."""
        return sha256(b"".join(sorted(sha256(der).digest() for der in self.anchors))).digest()


async def refresh(
    source: ListSource,
    rules: RefreshRules,
    previous: TrustSnapshot | None,
    *,
    progress: Progress = lambda *_: None,
) -> TrustSnapshot:
    """Return what the lists say now; raises ListRefusedError where there is no LOTL to go by."""
    if previous is not None and previous.anchor != rules.anchor:
        previous = None
    # (1) The list of the lists.
    lotl = await _lotl(source, rules, previous)
    # (2) The national lists, (3) or what there was of them.
    pointers = _pointers(lotl)
    done = 0

    async def one(pointer: Pointer) -> TrustedList | MissingList:
        nonlocal done
        result = await _national(source, pointer, rules, previous)
        done += 1
        progress(pointer.territory, done, len(pointers))
        return result

    results = await asyncio.gather(*(one(pointer) for pointer in pointers))
    return TrustSnapshot(
        made_at=rules.at,
        anchor=rules.anchor,
        lotl=lotl.head,
        lists=tuple(each for each in results if isinstance(each, TrustedList)),
        missing=tuple(each for each in results if isinstance(each, MissingList)),
    )


def _pointers(lotl: Document) -> tuple[Pointer, ...]:
    """Return the pointers to national lists; of a territory that has several, the first."""
    by_territory: dict[str, Pointer] = {}
    for pointer in lotl.pointers:
        if not pointer.is_lotl:
            by_territory.setdefault(pointer.territory, pointer)
    return tuple(by_territory.values())[:_MOST_LISTS]


async def _lotl(
    source: ListSource, rules: RefreshRules, previous: TrustSnapshot | None
) -> Document:
    async def verify(data: bytes) -> Document:
        claimed = parse_list(to_text(data))
        signers = await _lotl_signers(source, claimed, rules)
        document = verified_list(data, signers, at=rules.at)
        if not document.is_lotl:
            raise ListRefusedError("list_malformed", "it is not a list of the lists")
        _check_succession(document.head, previous.lotl if previous else None)
        _check_not_ended(document.head, rules)
        return document

    return await _first(await source.lotls(), verify)


async def _lotl_signers(
    source: ListSource, claimed: Document, rules: RefreshRules
) -> tuple[bytes, ...]:
    """Return who may sign the LOTL: those of the Official Journal, or of the last pivot.

    The pivots before the notice in the Official Journal count, the oldest first: each is signed
    by those its predecessor names (Implementing Decision (EU) 2015/1505 art. 4).
    """
    signers = rules.anchors
    pivots: list[str] = []
    for uri in claimed.information:
        if _OFFICIAL_JOURNAL in uri:
            break
        if uri.endswith(".xml"):
            pivots.append(uri)
    for location in reversed(pivots[:_MOST_PIVOTS]):

        async def verify(data: bytes, by: tuple[bytes, ...] = signers) -> Document:
            return verified_list(data, by, at=rules.at)

        pivot = await _first(await source.pivots(location), verify)
        itself = next((each for each in pivot.pointers if each.is_lotl), None)
        if not pivot.is_lotl or itself is None:
            raise ListRefusedError("list_malformed", "a pivot does not name the signers")
        signers = itself.signers
    return signers


async def _national(
    source: ListSource, pointer: Pointer, rules: RefreshRules, previous: TrustSnapshot | None
) -> TrustedList | MissingList:
    """Return the list of a territory, else the one held before, else that there is none."""
    held = previous.list_of(pointer.territory) if previous else None

    async def verify(data: bytes) -> Document:
        document = verified_list(data, pointer.signers, at=rules.at, location=pointer.location)
        if document.head.territory != pointer.territory or document.is_lotl:
            raise ListRefusedError("list_malformed", "it is the list of somebody else")
        _check_succession(document.head, held.head if held else None)
        return document

    try:
        document = await _first(await source.lists(pointer), verify)
    except ListRefusedError as exc:
        if held is not None:
            return msgspec.structs.replace(held, trouble=str(exc))
        return MissingList(territory=pointer.territory, location=pointer.location, trouble=str(exc))
    services, errors = read_services(document)
    return TrustedList(head=document.head, services=services, errors=errors)


async def _first(
    candidates: Sequence[bytes], verify: Callable[[bytes], Awaitable[Document]]
) -> Document:
    """Return the first candidate that is believed, or raise why the first was not."""
    refusals = []
    for data in candidates:
        try:
            return await verify(data)
        except ListRefusedError as exc:
            refusals.append(exc)
    raise refusals[0]


def _check_succession(head: ListHead, held: ListHead | None) -> None:
    """Refuse a list older than the one held: somebody keeps the new one back."""
    if held is None:
        return
    if (head.sequence_number, head.issued) < (held.sequence_number, held.issued):
        raise ListRefusedError(
            "list_rolled_back",
            f"it has number {head.sequence_number}, held is {held.sequence_number}",
        )


def _check_not_ended(head: ListHead, rules: RefreshRules) -> None:
    if head.next_update is None or rules.at > head.next_update + rules.grace:
        ended = head.next_update.isoformat() if head.next_update else "for good"
        raise ListRefusedError("list_ended", f"it ended {ended}")
