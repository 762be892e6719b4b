"""What is written down where a register goes on from a backup of it."""

from datetime import datetime
from typing import Final

import msgspec
from msgspec import UNSET, UnsetType

from enrol.registration.audit import AuditEvent, EventType

SKIPPED: Final = 1_000_000
"""How many numbers of events a restored register leaves out.

What it had come to is known by what was seen of it last, and it may have gone on from there.
"""


class Restored(msgspec.Struct, frozen=True):
    """The evidence of ``register.restored``.

    `actor` is the account that did it, `reached` the highest number that any event is known to
    have had, `backup` the SHA-256 of the file, absent where the database was restored otherwise.
    """

    actor: str
    reached: int
    backup: str | UnsetType = UNSET


def event_of_restoring(restored: Restored, *, at: datetime) -> AuditEvent:
    """Return the event of a register that was restored."""
    evidence = msgspec.json.encode(restored).decode()
    return AuditEvent(at=at, type=EventType.REGISTER_RESTORED, evidence=evidence)
