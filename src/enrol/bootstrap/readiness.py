"""Whether a server may be given requests, each reason by itself."""

from typing import Final

from enrol.adapters.register.licences import SqliteLicenceRegister
from enrol.adapters.store import RegisterStore
from enrol.bootstrap.trusting import check_trust
from enrol.eidas.crl import RevocationLists
from enrol.errors import UnavailableError
from enrol.explanations import explain
from enrol.registration.entitlement import LONGEST_KEPT, RegisterMode
from enrol.registration.ports import Clock, RevocationSource, TrustSource
from enrol.server.drain import Drain
from enrol.server.operations import Check, Condition
from enrol.settings import Settings

_SERVING: Final = Condition(ok=True, why="The server takes requests.")
_WRITABLE: Final = Condition(ok=True, why="The register can be read and written.")
_UNWRITABLE: Final = Condition(ok=False, why="The register cannot be read or written now.")
_JUDGING: Final = Condition(ok=True, why="The trust at hand is current.")
_UNCHECKED: Final = Condition(
    ok=True, why="Not required: where revocation is unknown, certificates are let in unchecked."
)
_ONLINE: Final = Condition(ok=True, why="Issuers are asked online.")
_LISTED: Final = Condition(ok=True, why="A revocation list at hand is current.")
_UNLISTED: Final = Condition(
    ok=False, why="Nobody is asked online, and no revocation list at hand is current."
)
_REGISTERED: Final = Condition(ok=True, why="The register of payment institutions is current.")
_UNREGISTERED: Final = Condition(
    ok=False,
    why="There is no register of payment institutions of the last seven days; "
    "run enrol register refresh.",
)


def check_of_drain(drain: Drain) -> Check:
    """Return the check that fails from the moment the server is told to stop."""
    return lambda: _failed("draining") if drain.draining else _SERVING


def check_of_storage(store: RegisterStore) -> Check:
    """Return the check of the register."""
    return lambda: _WRITABLE if store.healthy() else _UNWRITABLE


def check_of_trust(trust: TrustSource, clock: Clock) -> Check:
    """Return the check that certificates can be judged."""

    def check() -> Condition:
        try:
            check_trust(trust, at=clock())
        except UnavailableError as exc:
            return _failed(exc.code)
        return _JUDGING

    return check


def check_of_revocation(settings: Settings, revocations: RevocationSource, clock: Clock) -> Check:
    """Return the check that something can be known of revocations.

    An issuer that does not answer costs its own customers only, so it takes no server away.
    """
    if settings.revocation.mode == "warn":
        return lambda: _UNCHECKED
    if settings.revocation.online:
        return lambda: _ONLINE

    def check() -> Condition:
        at_hand, now = revocations.basis(), clock()
        is_current = isinstance(at_hand, RevocationLists) and any(
            now < one.next_update for lists in at_hand.by_issuer.values() for one in lists
        )
        return _LISTED if is_current else _UNLISTED

    return check


def checks_of_register(settings: Settings, clock: Clock) -> dict[str, Check]:
    """Return the check of the register of payment institutions, where it is enforced."""
    if settings.register.mode is not RegisterMode.ENFORCE:
        return {}
    register = SqliteLicenceRegister(settings.register_path)

    def check() -> Condition:
        made_at = register.made_at
        is_current = made_at is not None and clock() - made_at <= LONGEST_KEPT
        return _REGISTERED if is_current else _UNREGISTERED

    return {"register_of_institutions": check}


def _failed(code: str) -> Condition:
    return Condition(ok=False, why=explain(code).meaning)
