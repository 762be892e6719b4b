"""Whether a PSP may do what its certificate says, by the register of payment institutions."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

import structlog

from enrol.eidas.authorities import letters
from enrol.eidas.organization import (
    OrganizationIdentifier,
    names_authority,
    nca_id_of,
    number_of,
)
from enrol.eidas.qcstatements import PspRole
from enrol.eidas.register import RegisterEntry, entries_named, licensed_roles
from enrol.errors import EntitlementError, RefusalError, UnavailableError
from enrol.registration.ports import LicenceRegister, RegisterAnswer

_log = structlog.get_logger("enrol.registration")

LONGEST_KEPT: Final = timedelta(days=7)
"""How long a register is gone by after the day it was made."""


class RegisterMode(StrEnum):
    """What follows from the register: nothing, a mark in the audit trail, or a refusal."""

    OFF = "off"
    WARN = "warn"
    ENFORCE = "enforce"


@dataclass(frozen=True, slots=True)
class EntitlementRules:
    """How a bank goes by the register.

    `allow` are identifiers that need no entry: credit institutions have none. `mapped` names the
    entry of an identifier that does not lead to it. With `country` only services there count.
    """

    mode: RegisterMode = RegisterMode.OFF
    allow: frozenset[str] = frozenset()
    mapped: Mapping[str, str] = field(default_factory=dict)
    country: str | None = None


@dataclass(frozen=True, slots=True)
class Licence:
    """The roles a PSP may act in; `doubt` is the code of what the register says against it."""

    roles: frozenset[PspRole]
    doubt: str | None = None


class Entitlement:
    """Judges PSPs by the register, as strictly as the rules say."""

    def __init__(
        self, register: LicenceRegister | None, rules: EntitlementRules | None = None
    ) -> None:
        self._register = register
        self._rules = rules or EntitlementRules()

    @property
    def is_asked(self) -> bool:
        """State whether the register is gone by."""
        return self._register is not None and self._rules.mode is not RegisterMode.OFF

    def judge(
        self, identifier: OrganizationIdentifier, roles: frozenset[PspRole], *, at: datetime
    ) -> Licence:
        """Return the licence of a PSP whose certificates carry `roles`.

        Raises EntitlementError ``psp_not_mapped`` for an identifier that names no authority and
        that the rules do not know; where the register is enforced also ``psp_not_in_register``,
        ``psp_not_authorised``, ``role_insufficient``, and UnavailableError
        ``register_unavailable`` without a register of the last seven days.
        """
        rules = self._rules
        is_known = identifier in rules.allow or identifier in rules.mapped
        if not is_known and not names_authority(identifier):
            raise EntitlementError("psp_not_mapped")
        if self._register is None or rules.mode is RegisterMode.OFF or identifier in rules.allow:
            return Licence(roles)
        try:
            entries = self._entries(self._register, identifier, at=at)
            licensed = licensed_roles(entries, roles, at=at, country=rules.country)
            _check_any(licensed)
        except (EntitlementError, UnavailableError) as exc:
            return self._doubted(exc, identifier, roles)
        if rules.mode is RegisterMode.WARN:
            return Licence(
                roles, None if licensed == roles - {PspRole.PSP_AS} else "role_insufficient"
            )
        return Licence(licensed)

    def _entries(
        self, register: LicenceRegister, identifier: OrganizationIdentifier, *, at: datetime
    ) -> tuple[RegisterEntry, ...]:
        """Return the entries of a PSP: the mapped one, or those its number names."""
        code = self._rules.mapped.get(identifier)
        if code is not None:
            return _current(register.coded(code), at).entries
        number = number_of(identifier)
        answer = _current(register.numbered(letters(number)), at)
        return entries_named(answer.entries, nca_id=nca_id_of(identifier), number=number)

    def _doubted(
        self, doubt: RefusalError, identifier: OrganizationIdentifier, roles: frozenset[PspRole]
    ) -> Licence:
        if self._rules.mode is RegisterMode.ENFORCE:
            raise doubt
        _log.warning("register_doubt", code=doubt.code, organization_identifier=identifier)
        return Licence(roles, doubt.code)


def _check_any(licensed: frozenset[PspRole]) -> None:
    """Raise ``role_insufficient`` where none of the roles is licensed (EBA-Op-2018-7)."""
    if not licensed:
        raise EntitlementError("role_insufficient")


def _current(answer: RegisterAnswer, at: datetime) -> RegisterAnswer:
    if at - answer.made_at > LONGEST_KEPT:
        raise UnavailableError("register_unavailable", retry_after=3600)
    return answer
