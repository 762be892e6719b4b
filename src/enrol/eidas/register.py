"""What the register of payment institutions says of a PSP (PSD2 art. 15).

Regulations (EU) 2019/410 and 2019/411 say what is in it. Credit institutions are not.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from enrol.eidas.authorities import is_same_authority, letters
from enrol.eidas.qcstatements import PspRole
from enrol.errors import EntitlementError

SERVICE_OF: Final[dict[PspRole, str]] = {
    PspRole.PSP_PI: "PS_070",
    PspRole.PSP_AI: "PS_080",
    PspRole.PSP_IC: "PS_05A",
}
"""The service of PSD2 annex I that a role stands for, as the register spells it."""


class EntityType(StrEnum):
    """The kinds of entities that are authorised themselves; agents and exclusions are none."""

    PAYMENT_INSTITUTION = "PSD_PI"
    E_MONEY_INSTITUTION = "PSD_EMI"
    ACCOUNT_INFORMATION = "PSD_AISP"


@dataclass(frozen=True, slots=True)
class RegisterEntry:
    """One entity.

    `authority` is the register's code of it, such as ``ES_BE``; `code` names the entry, such as
    ``ES_BE!6950``; `reference` is its number in the national register, if any.
    `status_changes` are the days it was authorised and withdrawn by turns, in that order.
    `services` are pairs of a host country and the codes of the services there.
    """

    authority: str
    code: str
    entity_type: EntityType
    name: str
    reference: str | None
    status_changes: tuple[date, ...]
    services: tuple[tuple[str, frozenset[str]], ...]

    @property
    def numbers(self) -> frozenset[str]:
        """The numbers a certificate may name it by, normalised."""
        found = {letters(self.code.rpartition("!")[2]), letters(self.reference or "")}
        return frozenset(found - {""})

    def is_authorised(self, on: date) -> bool:
        """Tell whether it is authorised on a day: an odd number of changes came to pass."""
        return sum(change <= on for change in self.status_changes) % 2 == 1

    def services_in(self, country: str | None) -> frozenset[str]:
        """Return its services in a host country, None meaning anywhere."""
        codes = [codes for host, codes in self.services if country in (None, host)]
        return frozenset[str]().union(*codes)


def entries_named(
    entries: Iterable[RegisterEntry], *, nca_id: str, number: str
) -> tuple[RegisterEntry, ...]:
    """Return the entries of an authority that a number names; letters and digits are compared.

    The authorisation number of a certificate is the end of `code` at some authorities and
    `reference` at others, with or without separators.
    """
    wanted = letters(number)
    return tuple(
        entry
        for entry in entries
        if wanted in entry.numbers and is_same_authority(entry.authority, nca_id)
    )


def licensed_roles(
    entries: Sequence[RegisterEntry],
    roles: frozenset[PspRole],
    *,
    at: datetime,
    country: str | None = None,
) -> frozenset[PspRole]:
    """Return those of the roles that the entries of one PSP are authorised for, in `country`.

    Raises EntitlementError ``psp_not_in_register`` without an entry, ``psp_not_authorised`` where
    none is authorised now (PSD2 art. 14, 15; EBA-Op-2018-7).
    """
    if not entries:
        raise EntitlementError("psp_not_in_register")
    authorised = [entry for entry in entries if entry.is_authorised(at.date())]
    if not authorised:
        raise EntitlementError("psp_not_authorised")
    services = frozenset[str]().union(*(entry.services_in(country) for entry in authorised))
    return frozenset(role for role in roles if SERVICE_OF.get(role) in services)
