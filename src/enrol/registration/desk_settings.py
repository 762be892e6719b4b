"""What a registration desk is set to do."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from enrol.errors import MethodError, NotOfferedError
from enrol.registration.approval import AT_ONCE, Approval
from enrol.registration.dialect import Dialect, Operation
from enrol.registration.software import OnDuplicate

_METHODS: Final[Mapping[Operation, str]] = {
    Operation.READ: "GET",
    Operation.UPDATE: "PUT",
    Operation.DELETE: "DELETE",
}
"""What a registration can be asked for; whatever is offered at all, it can be made."""


@dataclass(frozen=True, slots=True)
class DeskSettings:
    """Which operations are offered, in which dialect, to how many clients an organisation.

    `on_duplicate` is for software that is registered already. `approval` says when clients work.
    """

    dialect: Dialect
    offered: frozenset[Operation] = frozenset(Operation)
    quota: int | None = 100
    on_duplicate: OnDuplicate = OnDuplicate.NEW
    approval: Approval = AT_ONCE

    def check_offered(self, operation: Operation) -> None:
        """Raise `NotOfferedError` or `MethodError`, as the dialect has it, unless it is offered."""
        if operation in self.offered:
            return
        if self.dialect.not_offered == 501:
            raise NotOfferedError("operation_off")
        allowed = [method for each, method in _METHODS.items() if each in self.offered]
        raise MethodError("method_not_allowed", allowed=tuple(allowed))
