"""A register goes on from a backup: with numbers of events that were not given before."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from msgspec import UNSET, UnsetType

from enrol.adapters import rows, statements
from enrol.adapters.connection import Connection
from enrol.adapters.inventory import Inventory
from enrol.adapters.seen_head import read_seen_head, write_seen_head
from enrol.registration.chain import Head, chain_hash
from enrol.registration.restored import Restored, event_of_restoring


@dataclass(frozen=True, slots=True)
class Occasion:
    """Who restores a register and when; `seen` is the file of the head this machine saw last."""

    actor: str
    at: datetime
    seen: Path

    def note(
        self, connection: Connection, *, reached: int = 0, backup: str | UnsetType = UNSET
    ) -> Head:
        """Write into a register that it was restored, in a transaction of the caller's.

        `reached` is how far another state of the register is known to have come, `backup` the
        SHA-256 of the file. Returns the head this leads to; raises `ConfigurationError`.
        """
        seen = read_seen_head(self.seen) or Head()
        reached = max(reached, seen.id, last_given(connection))
        restored = Restored(self.actor, reached, backup)
        last = connection.execute(statements.FIND_HEAD).fetchone()
        columns = (restored.next_id, *rows.event_row(event_of_restoring(restored, at=self.at)))
        head = Head(restored.next_id, chain_hash(last[1] if last else Head().hash, columns))
        connection.execute(statements.INSERT_EVENT, (*columns, head.hash))
        return head

    def settle(self, head: Head) -> None:
        """Take the register that ends with `head` for the right one from now on."""
        write_seen_head(self.seen, head)


@dataclass(frozen=True, slots=True)
class Restoration:
    """What came of it: what the backup held, where the trail ends now, what was set aside."""

    held: Inventory
    head: Head
    aside: Path | None = None


def last_given(connection: Connection) -> int:
    """Return the highest number that an event of a register ever had."""
    given = connection.execute(statements.FIND_LAST_ID).fetchone()
    return given[0] if given else 0
