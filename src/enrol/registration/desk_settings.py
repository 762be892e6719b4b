"""What a registration desk is set to do."""

from dataclasses import dataclass

from enrol.registration.dialect import Dialect, Operation
from enrol.registration.software import OnDuplicate


@dataclass(frozen=True, slots=True)
class DeskSettings:
    """Which operations are offered, in which dialect, to how many clients an organisation.

    `on_duplicate` is for software that is registered already.
    """

    dialect: Dialect
    offered: frozenset[Operation] = frozenset(Operation)
    quota: int | None = 100
    on_duplicate: OnDuplicate = OnDuplicate.NEW
