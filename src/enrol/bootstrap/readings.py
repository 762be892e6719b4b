"""What is read of the parts of a server when somebody asks for its metrics."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from cryptography import x509

from enrol.adapters.store import RegisterStore
from enrol.adapters.telemetry import LineSink
from enrol.adapters.trustlists.source import SnapshotTrustSource
from enrol.eidas.trust import Listing
from enrol.errors import UnavailableError
from enrol.registration.meters import Reading
from enrol.registration.ports import TrustSource
from enrol.registration.ratelimit import RateLimiter
from enrol.server.listener import Listener
from enrol.server.operations import Check
from enrol.settings import Settings


def readings_of_store(store: RegisterStore) -> list[Reading]:
    """Return the queue before the writer, and what it lost."""
    return [
        Reading(
            "enrol_commit_queue_depth", "Writes that wait for the writer", lambda: store.waiting
        ),
        Reading(
            "enrol_commit_busy_seconds",
            "Seconds the writer has been at its batch; 0 when idle",
            lambda: store.busy_for,
        ),
        Reading(
            "enrol_audit_events_dropped",
            "Audit events of refusals that were not written",
            lambda: store.audit.dropped,
            kind="counter",
        ),
        Reading(
            "enrol_storage_failed",
            "1 where nothing can be written until the server is started anew",
            lambda: store.failed,
        ),
    ]


def readings_of_listener(listener: Listener) -> list[Reading]:
    """Return the connections of the listener for TPPs."""
    return [
        Reading("enrol_connections", "Open connections", lambda: listener.open_connections),
        Reading(
            "enrol_connections_refused",
            "Connections closed because there were too many",
            lambda: listener.turned_away,
            kind="counter",
        ),
        Reading(
            "enrol_tls_handshakes_failed",
            "Connections that ended before TLS was spoken",
            lambda: listener.failed_handshakes,
            kind="counter",
        ),
    ]


def readings_of_checks(checks: Mapping[str, Check]) -> list[Reading]:
    """Return what readiness depends on."""
    return [
        Reading(
            "enrol_check_ok",
            "1 where a check of the readiness holds",
            lambda check=check: check().ok,  # type: ignore[misc]  # bound to this one
            labels=(("check", name),),
        )
        for name, check in checks.items()
    ]


def readings_of_limits(limiters: Mapping[str, RateLimiter]) -> list[Reading]:
    """Return how often each rate was exceeded."""
    return [
        Reading(
            "enrol_rate_limited",
            "Requests beyond a rate, by which one",
            lambda limiter=limiter: limiter.refused,  # type: ignore[misc]  # bound to this one
            labels=(("limit", name),),
            kind="counter",
        )
        for name, limiter in limiters.items()
    ]


def reading_of_log(sink: LineSink) -> Reading:
    """Return how many lines nobody could read."""
    return Reading(
        "enrol_log_lines_dropped", "Lines of the log lost", lambda: sink.dropped, kind="counter"
    )


def readings_of_trust(trust: TrustSource) -> list[Reading]:
    """Return how old the trusted lists are, and when they end."""

    def made() -> float | None:
        made_at = trust.made_at if isinstance(trust, SnapshotTrustSource) else None
        return _timestamp(made_at)

    def ends() -> float | None:
        listing = _listing(trust)
        return None if listing is None else _timestamp(listing.believed_until)

    def missing() -> float | None:
        listing = _listing(trust)
        return None if listing is None else len(listing.missing)

    return [
        Reading(
            "enrol_trust_refreshed_timestamp_seconds", "When the trusted lists were refreshed", made
        ),
        Reading(
            "enrol_trust_next_update_timestamp_seconds",
            "Until when the list of the trusted lists is believed",
            ends,
        ),
        Reading("enrol_trust_lists_missing", "Countries whose list could not be had", missing),
    ]


def readings_of_certificates(ends: Mapping[str, datetime]) -> list[Reading]:
    """Return when each of the server's own certificates ends, as `ends` says then."""
    return [
        Reading(
            "enrol_certificate_not_after_timestamp_seconds",
            "When a certificate of the server's own ends",
            lambda name=name: _timestamp(ends.get(name)),  # type: ignore[misc]  # bound to this one
            labels=(("certificate", name),),
        )
        for name in ("server", "seal", "proxy")
    ]


def ends_of_certificates(settings: Settings) -> dict[str, datetime]:
    """Return when the certificates in the files of the settings end, the first of each role."""
    files: dict[str, tuple[Path | None, ...]] = {
        "server": (settings.server.certificate,),
        "seal": (settings.signatures.response_certificate,),
        "proxy": settings.proxy.certificates,
    }
    ends = {
        role: [_end(path) for path in paths if path is not None] for role, paths in files.items()
    }
    return {role: min(each) for role, each in ends.items() if each}


def _end(path: Path) -> datetime:
    return x509.load_pem_x509_certificates(path.read_bytes())[0].not_valid_after_utc


def _listing(trust: TrustSource) -> Listing | None:
    try:
        return trust.anchors().listing
    except UnavailableError:
        return None


def _timestamp(at: datetime | None) -> float | None:
    return None if at is None else at.timestamp()
