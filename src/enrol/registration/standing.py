"""Whether stored clients are still what they were when they registered (RTS art. 34).

Whose trust is lost is suspended and not deleted; whose trust has come back is resumed. What is
pending or rejected, or suspended by the bank, is nobody's to judge here.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from enrol.eidas.qcstatements import PspRole
from enrol.errors import EntitlementError, RefusalError, UnavailableError
from enrol.oauth.types import ClientId
from enrol.registration.audit import EventType
from enrol.registration.certificates import CertificateJudge
from enrol.registration.dialect import Dialect
from enrol.registration.entitlement import Entitlement
from enrol.registration.evidence import event_of_state
from enrol.registration.ports import ClientPages, ClientStates, StateChange
from enrol.registration.record import ClientRecord, RegisteredKey
from enrol.registration.states import Cause, Standing, State, may_move, state_at

AT_ONCE: Final = 200
"""Clients in memory at a time."""

EXPIRING_WITHIN: Final = timedelta(days=30)
"""How soon the certificates of a client end for it to be counted."""

_MOST_VERDICTS: Final = 200_000
_FIRST: Final = ClientId("")
_EVERY_ROLE: Final = frozenset(PspRole)


@dataclass(frozen=True, slots=True)
class Good:
    """The roles of a certificate that is believed, and when it ends (aware UTC)."""

    roles: frozenset[PspRole]
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Lost:
    """The code of a rule that is not fulfilled any more."""

    code: str


@dataclass(frozen=True, slots=True)
class Undecided:
    """The code of what cannot be known now: nothing follows from it."""

    code: str


@dataclass(slots=True)
class RecheckReport:
    """How many clients and different certificates were judged, and what came of the clients.

    `expiring` counts clients whose last good certificate ends within 30 days.
    """

    clients: int = 0
    certificates: int = 0
    suspended: int = 0
    resumed: int = 0
    undecided: int = 0
    expiring: int = 0


async def _no_pause() -> None:
    """Go on at once."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How many certificates are judged at once, and what is awaited before the next."""

    at_once: int = 16
    pause: Callable[[], Awaitable[None]] = _no_pause


class Recheck:
    """One pass over all stored clients; each different certificate is judged once."""

    def __init__(
        self,
        *,
        judge: CertificateJudge,
        entitlement: Entitlement,
        dialect: Dialect,
        at: datetime,
        pace: Pace | None = None,
    ) -> None:
        self._judge = judge
        self._entitlement = entitlement
        self._dialect = dialect
        self._at = at
        self._pace = pace or Pace()
        self._verdicts: dict[bytes, Good | Lost | Undecided] = {}
        self.report = RecheckReport()

    async def changes(self, clients: ClientPages) -> AsyncIterator[StateChange | None]:
        """Judge every client, and tell for each how its state has to change, None for not.

        Raises `UnavailableError` where the clients cannot be read.
        """
        after = _FIRST
        while page := await clients.page(after, AT_ONCE):
            await self._judge_certificates(page)
            for record in page:
                self.report.clients += 1
                self.report.expiring += self._is_expiring(record)
                yield self._change_of(record)
            after = page[-1].client_id

    async def _judge_certificates(self, page: Sequence[ClientRecord]) -> None:
        """Judge the certificates of some clients, a few at once, unless they were judged before."""
        if len(self._verdicts) > _MOST_VERDICTS:
            self._verdicts.clear()
        keys = {_name(key): key for record in page for key in record.keys}
        new = [(name, key) for name, key in keys.items() if name not in self._verdicts]
        self.report.certificates += len(new)
        for first in range(0, len(new), self._pace.at_once):
            some = new[first : first + self._pace.at_once]
            verdicts = await asyncio.gather(*(self._judge_certificate(key) for _, key in some))
            self._verdicts.update(zip([name for name, _ in some], verdicts, strict=True))
            await self._pace.pause()

    def _change_of(self, record: ClientRecord) -> StateChange | None:
        """Judge a client that may be suspended or resumed here, and tell how it has to change."""
        is_active = state_at(record.standing, self._at) is State.ACTIVE
        other = State.SUSPENDED if is_active else State.ACTIVE
        if not may_move(record.standing, other, by=Cause.RECHECK, at=self._at):
            return None
        match self._standing_of(record):
            case Undecided():
                self.report.undecided += 1
                return None
            case Lost(code) if is_active:
                self.report.suspended += 1
                after: Standing | None = Standing(
                    State.SUSPENDED, code, self._at.replace(microsecond=0)
                )
                event = EventType.CLIENT_SUSPENDED
            case None if not is_active:
                self.report.resumed += 1
                after, event = None, EventType.CLIENT_RESUMED
            case _:
                return None
        told = event_of_state(record, after, event, at=self._at)
        return StateChange(record.client_id, record.version, record.standing, after, told)

    def _standing_of(self, record: ClientRecord) -> Lost | Undecided | None:
        """Judge a client: its certificates, then its licence, then its scope by the roles left."""
        roles = self._roles_of(record)
        if isinstance(roles, Lost | Undecided):
            return roles
        try:
            licence = self._entitlement.judge(record.organization_identifier, roles, at=self._at)
        except EntitlementError as exc:
            return Lost(exc.code)
        except UnavailableError as exc:
            return Undecided(exc.code)
        scopes = self._dialect.metadata.scopes
        granted = (record.metadata.scope or "").split()
        needed = {scopes[scope] for scope in granted if scope in scopes}
        return None if needed <= licence.roles else Lost("role_insufficient")

    def _roles_of(self, record: ClientRecord) -> frozenset[PspRole] | Lost | Undecided:
        """Return the roles of the certificates that are good, or why the newest is not.

        One good certificate is enough: the others are refused when they are used. A client without
        any, where the dialect asks for no signature, shows its QWAC at every use.
        """
        if not record.keys:
            return _EVERY_ROLE
        verdicts = [self._verdicts[_name(key)] for key in record.keys]
        good = [verdict.roles for verdict in verdicts if isinstance(verdict, Good)]
        if good:
            return frozenset[PspRole]().union(*good)
        bad = [verdict for verdict in verdicts if not isinstance(verdict, Good)]
        undecided = [verdict for verdict in bad if isinstance(verdict, Undecided)]
        return undecided[0] if undecided else bad[-1]

    def _is_expiring(self, record: ClientRecord) -> bool:
        """Say whether a client is about to have no good certificate."""
        verdicts = [self._verdicts[_name(key)] for key in record.keys]
        ends = [verdict.ends_at for verdict in verdicts if isinstance(verdict, Good)]
        return bool(ends) and max(ends) - self._at < EXPIRING_WITHIN

    async def _judge_certificate(self, key: RegisteredKey) -> Good | Lost | Undecided:
        try:
            qsealc = await self._judge.qsealc(key.certificate, at=self._at)
        except UnavailableError as exc:
            return Undecided(exc.code)
        except RefusalError as exc:
            return Lost(exc.code)
        if qsealc.organization_identifier != key.organization_identifier:
            return Lost("certificates_disagree")
        return Good(qsealc.psp_roles, qsealc.certificate.not_after)


async def carry_out(states: ClientStates, changes: Iterable[StateChange]) -> None:
    """Make changes of state durable; what changed since they were found stays as it is.

    Raises `UnavailableError` ``storage_unavailable``, ``overloaded`` where it has to be repeated.
    """
    results = await asyncio.gather(*map(states.set_state, changes), return_exceptions=True)
    for result in results:
        if isinstance(result, UnavailableError) and result.code == "concurrent_change":
            continue
        if isinstance(result, BaseException):
            raise result


def _name(key: RegisteredKey) -> bytes:
    """Return what is the same where the same certificate is one of the same organisation."""
    organization = key.organization_identifier.encode()
    return hashlib.sha256(organization + b"\0" + key.certificate).digest()
