"""The end of the audit trail, to which the writer links what it writes next."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from enrol.adapters import rows, statements
from enrol.adapters.connection import Connection
from enrol.adapters.rows import Row
from enrol.registration.audit import AuditEvent
from enrol.registration.chain import Head, chain_hash

KNOWN_BLOBS: Final = 20_000
"""Of how many blobs it is remembered that they are stored."""

ANCHOR_EVERY: Final = 3600.0
"""Seconds after which the head of the chain is logged with the next events."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Links:
    """Events linked to a chain: rows to insert, blobs among them, the head they lead to."""

    events: Sequence[Row]
    blobs: Sequence[Row]
    head: Head


class Chain:
    """Where the audit trail behind a connection ends, and which blobs it has.

    Of one thread at a time. `link` changes nothing: what it gives is to be inserted in a
    transaction, and then either `advance` is called with it or, where that failed, `forget`.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._head: Head | None = None
        self._next_id = 1
        self._anchor_at = time.monotonic() + ANCHOR_EVERY
        self._blobs: dict[bytes, None] = {}

    def link(self, events: Sequence[AuditEvent]) -> Links:
        """Give events their numbers and hashes, in their order."""
        head = self._read_head()
        previous, event_id = head.hash, self._next_id
        linked: list[Row] = []
        blobs: dict[bytes, bytes] = {}
        for event in events:
            columns = (event_id, *rows.event_row(event))
            previous = chain_hash(previous, columns)
            linked.append((*columns, previous))
            event_id += 1
            for blob in event.blobs:
                if blob.sha256 not in self._blobs:
                    blobs[blob.sha256] = blob.content
        return Links(linked, [*blobs.items()], Head(event_id - 1, previous) if linked else head)

    def advance(self, links: Links) -> None:
        """Take what was linked as durable."""
        if not links.events:
            return
        self._head = links.head
        self._next_id = links.head.id + 1
        for sha256, _ in links.blobs:
            self._blobs[sha256] = None
        while len(self._blobs) > KNOWN_BLOBS:
            del self._blobs[next(iter(self._blobs))]
        if time.monotonic() >= self._anchor_at:
            self.log_head()

    def forget(self) -> None:
        """Read the end of the trail anew next time, as a transaction failed."""
        self._head = None

    def log_head(self) -> None:
        """Log where the chain ends: whoever keeps the log can tell when its tail is cut off."""
        head = self._read_head()
        self._anchor_at = time.monotonic() + ANCHOR_EVERY
        _log.info("audit_head", events=head.id, hash=head.hash.hex())

    def _read_head(self) -> Head:
        """Return the head; a number once given is not given again, even if its event is gone."""
        if self._head is None:
            found = self._connection.execute(statements.FIND_HEAD).fetchone()
            given = self._connection.execute(statements.FIND_LAST_ID).fetchone()
            self._head = Head(*found) if found else Head()
            self._next_id = max(self._head.id, given[0] if given else 0) + 1
            if self._next_id != self._head.id + 1:
                _log.error("audit_tail_missing", events=self._head.id, were=self._next_id - 1)
        return self._head
