"""Clients whose time has come: they are active by then, and those who follow events are told."""

from datetime import datetime
from typing import Final

from enrol.registration.audit import EventType
from enrol.registration.evidence import event_of_state
from enrol.registration.ports import ClientStates, StateChange
from enrol.registration.record import ClientRecord
from enrol.registration.standing import carry_out

AT_ONCE: Final = 200
"""Clients in memory at a time."""


async def activate_due(states: ClientStates, *, at: datetime) -> int:
    """Write down that clients are active whose time has come, each once; return how many were due.

    Raises `UnavailableError` where the register fails.
    """
    total = 0
    while due := await states.find_due(at, AT_ONCE):
        await carry_out(states, [_activation(record, at) for record in due])
        total += len(due)
        if len(due) < AT_ONCE:
            break
    return total


def _activation(record: ClientRecord, at: datetime) -> StateChange:
    event = event_of_state(record, None, EventType.CLIENT_ACTIVATED, at=at)
    return StateChange(record.client_id, record.version, record.standing, None, event)
