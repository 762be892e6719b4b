"""What is written down where a register goes on from a backup of it."""

from datetime import datetime
from typing import Final

import msgspec
from msgspec import UNSET, UnsetType

from enrol.registration.audit import AuditEvent, EventType

SKIPPED: Final = 1_000_000
"""How many numbers of events are left out beyond the last one that is known to have been given.

The register may have come further than anybody who is left has seen.
"""


class Restored(msgspec.Struct, frozen=True):
    """The evidence of ``register.restored``.

    `actor` is the account that did it, `reached` the highest number that an event is known to have
    had, `backup` the SHA-256 of the file, absent where the database was restored by other means.
    """

    actor: str
    reached: int
    backup: str | UnsetType = UNSET

    @property
    def next_id(self) -> int:
        """A number that no event had."""
        return self.reached + SKIPPED + 1


def event_of_restoring(restored: Restored, *, at: datetime) -> AuditEvent:
    """Return the event of a register that was restored."""
    evidence = msgspec.json.encode(restored).decode()
    return AuditEvent(at=at, type=EventType.REGISTER_RESTORED, evidence=evidence)
