"""What a TPP is shown of the state of its client, where there is something to say."""

from datetime import datetime
from typing import Any

from enrol.explanations import explain
from enrol.registration.states import Standing, State, state_at


def shown_state(standing: Standing | None, *, at: datetime) -> dict[str, Any]:
    """Return the members of an answer that tell a state and its reason; none of an active client.

    ``client_active_from`` is in seconds since 1970. Who of the bank decided is not told.
    """
    state = state_at(standing, at)
    if standing is None or state is State.ACTIVE:
        return {}
    shown: dict[str, Any] = {"client_state": state.value, "client_state_reason": _reason(standing)}
    if standing.effective_at is not None:
        shown["client_active_from"] = int(standing.effective_at.timestamp())
    return shown


def _reason(standing: Standing) -> str:
    """Return the rule in plain words, and what the bank says."""
    meaning = explain(standing.code).meaning
    return meaning if standing.reason is None else f"{meaning} {standing.reason}"
