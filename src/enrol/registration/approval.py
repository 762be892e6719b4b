"""Whether registrations have to be approved, and from when on they count."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from msgspec import structs

from enrol.errors import EntitlementError
from enrol.oauth.metadata import ClientMetadata
from enrol.registration.audit import EventType
from enrol.registration.effective import WorkingDays
from enrol.registration.record import ClientRecord
from enrol.registration.states import (
    AWAITING_APPROVAL,
    AWAITING_EFFECT,
    Standing,
    State,
    state_at,
)


class ApprovalMode(StrEnum):
    """Who approves a registration: nobody but the rules, or a person of the bank."""

    AUTOMATIC = "automatic"
    MANUAL = "manual"


@dataclass(frozen=True, slots=True)
class Approval:
    """How a registration becomes a client that works; with `four_eyes` two people approve it.

    With `working_days` it works from their next time on, else at once.
    """

    mode: ApprovalMode = ApprovalMode.AUTOMATIC
    four_eyes: bool = False
    working_days: WorkingDays | None = None

    @property
    def is_plain(self) -> bool:
        """Whether every client is active as soon as it is registered."""
        return self.mode is ApprovalMode.AUTOMATIC and self.working_days is None

    def of_registration(self, at: datetime) -> Standing | None:
        """Return how a client stands that is registered."""
        return awaiting_approval(at) if self.mode is ApprovalMode.MANUAL else self.approved(at)

    def approved(self, at: datetime) -> Standing | None:
        """Return how a client stands that everyone approved who has to."""
        if self.working_days is None:
            return None
        return Standing(
            State.PENDING,
            AWAITING_EFFECT,
            at.replace(microsecond=0),
            effective_at=self.working_days.effective_at(at),
        )

    def of_update(
        self, current: ClientRecord, metadata: ClientMetadata, at: datetime
    ) -> Standing | None:
        """Return how a client stands that its TPP gave other metadata, judged as good.

        A suspension by the re-check ends. Where registrations are approved by people, so is every
        change but that of keys and contacts: the certificates are judged by the rules each time.
        Whom the bank suspended is approved when it is resumed. Raises `EntitlementError`
        ``client_rejected``.
        """
        check_changeable(current, at)
        standing = current.standing
        approves = self.mode is ApprovalMode.MANUAL and _differs(metadata, current.metadata)
        match state_at(standing, at):
            case State.SUSPENDED if standing is not None and standing.is_of_bank:
                return structs.replace(standing, unapproved=standing.unapproved or approves)
            case State.SUSPENDED:
                standing = None
            case State.PENDING if standing is not None and standing.code != AWAITING_EFFECT:
                return awaiting_approval(at) if _differs(metadata, current.metadata) else standing
        return awaiting_approval(at) if approves else standing


AT_ONCE: Final = Approval()
"""The plain way: the rules approve, and it counts at once."""


def check_changeable(record: ClientRecord, at: datetime) -> None:
    """Refuse changes of a client that the bank rejected: it may be read and deleted.

    Raises `EntitlementError` ``client_rejected``.
    """
    if state_at(record.standing, at) is State.REJECTED:
        raise EntitlementError("client_rejected")


def transition_of(before: Standing | None, after: Standing | None) -> EventType | None:
    """Return what has happened to a client that an update leads to another state, else None."""
    if after is not None and after.code == AWAITING_APPROVAL:
        return EventType.CLIENT_PENDING if before is None or before.code != after.code else None
    if after is None and before is not None:
        return EventType.CLIENT_RESUMED
    return None


def awaiting_approval(at: datetime) -> Standing:
    """Return how a client stands that nobody has approved."""
    return Standing(State.PENDING, AWAITING_APPROVAL, at.replace(microsecond=0))


def _differs(metadata: ClientMetadata, approved: ClientMetadata) -> bool:
    """Tell whether metadata have to be approved, as they are not those that were."""
    return _looked_at(metadata) != _looked_at(approved)


def _looked_at(metadata: ClientMetadata) -> ClientMetadata:
    """Return what people look at: keys only where no qualified certificate vouches for them."""
    is_vouched_for = metadata.token_endpoint_auth_method in (None, "tls_client_auth")
    return structs.replace(
        metadata, jwks=None if is_vouched_for else metadata.jwks, contact=None, contacts=None
    )
