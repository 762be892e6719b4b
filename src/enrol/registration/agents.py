"""Agents: clients that a TPP registers for those who act in its name (PSD2 art. 19; STET 1.0.5).

An agent has a client_id of its own and no certificates: its TPP speaks for it. It is known by
``client_legal_id``, ``AGT`` country ``-`` authority ``-`` number, and it may be the agent of
several TPPs, each with a client of its own.
"""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

from enrol.eidas.organization import OrganizationIdentifier, names_authority, nca_id_of
from enrol.registration.record import ClientRecord
from enrol.registration.states import State, state_at


class AgentScope(StrEnum):
    """How much an agent may have: what its TPP's own clients have, or what their roles give."""

    CLIENTS = "clients"
    ROLES = "roles"


def is_agent(record: ClientRecord) -> bool:
    """Tell whether a client is of an agent."""
    return record.metadata.client_legal_id is not None


def is_of_authority(client_legal_id: str, organization: OrganizationIdentifier) -> bool:
    """Tell whether an agent is numbered by the authority of its TPP.

    A payment institution's agents are in the register of its home state (PSD2 art. 14(1), 19(3)).
    An identifier that names no authority has agents of any.
    """
    if not names_authority(organization):
        return True
    return client_legal_id.startswith(f"AGT{nca_id_of(organization)}-")


def find_fault(
    changed: ClientRecord | None, others: Iterable[ClientRecord], *, at: datetime
) -> str | None:
    """Return the code of what is wrong with the scopes of an organisation's clients, or None.

    `changed` is the client as it is going to be, None where it is going to be gone; `others` are
    the living rest. Of an agent its own scope is judged; of the TPP's own client whether the
    agents are left with what they have.
    """
    family = [*others, *([changed] if changed is not None else ())]
    own = [record for record in family if not is_agent(record)]
    active = [record for record in own if state_at(record.standing, at) is State.ACTIVE]
    held = frozenset[str]().union(*map(_scopes, active))
    if changed is not None and is_agent(changed):
        if not active:
            return "agent_without_client"
        return None if _scopes(changed) <= held else "agent_scope"
    agents = (record for record in family if is_agent(record))
    return None if all(_scopes(agent) <= held for agent in agents) else "agents_depend"


def _scopes(record: ClientRecord) -> frozenset[str]:
    return frozenset((record.metadata.scope or "").split())
