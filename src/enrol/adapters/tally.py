"""Counts what batches made durable."""

from collections.abc import Sequence

from enrol.adapters.transaction import Outcome, TokenIssue, Write
from enrol.registration.meters import CommitMeter, Written
from enrol.registration.ports import Change, Creation, Removal, Replacement, StateChange

_CHANGES: dict[type, Written] = {
    Creation: "registered",
    Replacement: "updated",
    Removal: "deleted",
}


def tally(meter: CommitMeter, batch: Sequence[Write], outcomes: Sequence[Outcome]) -> None:
    """Count the changes and tokens of a batch that were written.

    A repeated request is answered with the entry of the first one, which is another object.
    """
    for write, outcome in zip(batch, outcomes, strict=True):
        match write:
            case Change():
                if outcome is write.entry:
                    meter.written[_CHANGES[type(write.write)]] += 1
            case StateChange():
                meter.written["deleted"] += write.removes and outcome is None
            case TokenIssue():
                meter.written["token_issued"] += outcome is None
            case _:
                pass
