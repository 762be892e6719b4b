"""Whom the settings trust: lists, revocations, registers, and what judges by them."""

from collections.abc import Coroutine
from datetime import datetime, timedelta
from pathlib import Path

import structlog

from enrol.adapters.register.licences import SqliteLicenceRegister
from enrol.adapters.revocation import OnlineRevocationSource
from enrol.adapters.trust import FileRevocationSource, FileTrustSource
from enrol.adapters.trustlists.source import NoTrustSource, SnapshotTrustSource
from enrol.adapters.trustlists.supervisor import Rhythm, keep_fresh
from enrol.eidas.validate import check_current
from enrol.errors import UnavailableError
from enrol.explanations import explain
from enrol.registration.certificates import CertificateJudge
from enrol.registration.entitlement import Entitlement
from enrol.registration.meters import CallMeter
from enrol.registration.ports import Clock, RevocationSource, TrustSource
from enrol.registration.preflight import PreflightDesk
from enrol.registration.standing import Pace, Recheck
from enrol.settings import Settings

_log = structlog.get_logger("enrol.bootstrap")


def preflight_desk(settings: Settings) -> PreflightDesk:
    """Return the desk that examines certificates by what the settings trust."""
    return PreflightDesk(
        trust_of(settings),
        revocations_of(settings),
        settings.certificate_rules,
        entitlement_of(settings),
    )


def recheck_of(settings: Settings, *, at: datetime) -> Recheck:
    """Return a re-check of clients by what the settings trust."""
    return recheck_with(settings, trust_of(settings), at=at)


def recheck_with(
    settings: Settings, trust: TrustSource, *, at: datetime, pace: Pace | None = None
) -> Recheck:
    """Return a re-check, which remembers verdicts itself and leaves those of the desk alone."""
    return Recheck(
        judge=CertificateJudge(
            trust, revocations_of(settings), settings.certificate_rules, remembered=0
        ),
        entitlement=entitlement_of(settings),
        dialect=settings.dialect,
        at=at,
        pace=pace,
    )


def trust_of(settings: Settings) -> TrustSource:
    """Return whom the settings trust, and say so where it is nobody, or nobody qualified."""
    given, job = settings.trust, settings.refresh_job
    if given.source == "sandbox":
        _log.warning("trust_is_a_sandbox", meaning="certificates believed here are not qualified")
    if given.source == "none":
        _log.warning("trust_source_none", remedy=explain("trust_source_none").remedy)
        return NoTrustSource()
    if job is None:
        return FileTrustSource(given.anchors)
    return SnapshotTrustSource(Path(job.snapshot), grace=timedelta(days=job.grace))


def check_trust(trust: TrustSource, *, at: datetime) -> None:
    """Raise `UnavailableError` where nobody can be judged; the code says why."""
    if isinstance(trust, NoTrustSource):
        raise UnavailableError("trust_source_none")
    check_current(trust.anchors(), at=at)


def follow_lists(trust: TrustSource) -> list[Coroutine[object, object, None]]:
    """Return what notices that a snapshot is new."""
    return [trust.watch()] if isinstance(trust, SnapshotTrustSource) else []


def refresh_lists(
    settings: Settings, trust: TrustSource, clock: Clock
) -> list[Coroutine[object, object, None]]:
    """Return what keeps a snapshot fresh."""
    job = settings.refresh_job
    if job is None or not isinstance(trust, SnapshotTrustSource):
        return []
    every = timedelta(hours=settings.trust.refresh_hours)
    rhythm = Rhythm(every, clock, lambda: trust.made_at)
    return [keep_fresh(job, rhythm)]


def entitlement_of(settings: Settings) -> Entitlement:
    """Return who judges licences by the register of the settings."""
    return Entitlement(SqliteLicenceRegister(settings.register_path), settings.entitlement)


def revocations_of(settings: Settings, meter: CallMeter | None = None) -> RevocationSource:
    """Return who is asked about revocations, and say so where nobody need answer."""
    at_hand = FileRevocationSource(settings.trust.revocation_lists)
    if settings.revocation.mode == "warn":
        _log.warning(
            "revocation_not_required",
            meaning="certificates whose revocation cannot be checked are let in UNCHECKED",
            remedy='set revocation.mode = "require"',
        )
    if not settings.revocation.online:
        return at_hand
    return OnlineRevocationSource(at_hand, settings.inquiry_policy, meter=meter)


def authorities_of(settings: Settings, trust: TrustSource) -> tuple[bytes, ...]:
    """Return the CAs of the TPPs that come over TLS, PEM."""
    if isinstance(trust, SnapshotTrustSource):
        return trust.authorities()
    return tuple(path.read_bytes() for path in settings.trust.anchors)
