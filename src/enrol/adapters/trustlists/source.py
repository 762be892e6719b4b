"""The trust a server has: the snapshot that a refresh wrote, swapped when there is a new one."""

import asyncio
import ssl
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import structlog
from cryptography.hazmat.primitives.serialization import Encoding

from enrol.adapters.files import Stamp
from enrol.adapters.trustlists.snapshots import read_snapshot
from enrol.eidas.trust import TrustAnchors
from enrol.errors import ConfigurationError, UnavailableError

_log = structlog.get_logger(__name__)

_CHECK_EVERY: Final = 1.0
"""Seconds between two looks at the file."""


class NoTrustSource:
    """A `TrustSource` of a desk that trusts nobody yet."""

    def anchors(self) -> TrustAnchors:
        """Raise `UnavailableError` ``trust_list_unavailable``."""
        raise UnavailableError("trust_list_unavailable", retry_after=3600)


class SnapshotTrustSource:
    """A `TrustSource` over a snapshot; without one, nobody can be judged.

    A snapshot that cannot be read changes nothing: the one before stays, and the log says so.
    """

    def __init__(self, path: Path, *, grace: timedelta = timedelta(0)) -> None:
        self._path = path
        self._grace = grace
        self._stamp = Stamp.of(path)
        self._anchors: TrustAnchors | None = None
        self._facts: object = None
        self._authorities: tuple[bytes, ...] = ()
        self._followers: list[Callable[[tuple[bytes, ...]], object]] = []
        self.made_at: datetime | None = None
        """When the lists were refreshed last."""
        if self._stamp.exists:
            self._load()

    def anchors(self) -> TrustAnchors:
        """Return the listed CAs; raises `UnavailableError` ``trust_list_unavailable``."""
        if self._anchors is None:
            raise UnavailableError("trust_list_unavailable", retry_after=60)
        return self._anchors

    def follow(self, follower: Callable[[tuple[bytes, ...]], object]) -> None:
        """Call `follower`, in a thread, with the CAs that are trusted from then on, in PEM."""
        self._followers.append(follower)

    def authorities(self) -> tuple[bytes, ...]:
        """Return the listed CAs in PEM, for the TLS of the listener; those OpenSSL can read."""
        return self._authorities

    async def watch(self) -> None:
        """Look for a new snapshot for ever, and read it in a thread; to be cancelled."""
        while True:
            await asyncio.sleep(_CHECK_EVERY)
            stamp = Stamp.of(self._path)
            if stamp != self._stamp and stamp.exists:
                self._stamp = stamp
                await asyncio.to_thread(self._load)

    def _load(self) -> None:
        try:
            snapshot = read_snapshot(self._path)
        except ConfigurationError as exc:
            _log.error("trust_snapshot_unreadable", cause=str(exc))
            return
        self.made_at = snapshot.made_at
        facts = (snapshot.lotl, snapshot.lists, snapshot.missing)
        if facts == self._facts:
            return  # verdicts stay
        anchors = TrustAnchors.from_snapshot(snapshot, grace=self._grace)
        self._tell(_authorities(anchors))
        self._anchors, self._facts = anchors, facts
        _log.info("trust_snapshot_read", lotl=snapshot.lotl.sequence_number)

    def _tell(self, authorities: tuple[bytes, ...]) -> None:
        """Tell the followers of other CAs, first of all: who comes in by TLS must be judged."""
        if authorities != self._authorities:
            self._authorities = authorities
            for follower in self._followers:
                follower(authorities)


def _authorities(anchors: TrustAnchors) -> tuple[bytes, ...]:
    """Return the anchors as PEM, without those that OpenSSL refuses: one costs all the others."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ders = (certificate.public_bytes(Encoding.DER) for certificate in anchors.certificates)
    return tuple(
        ssl.DER_cert_to_PEM_cert(der).encode() for der in ders if _is_readable(context, der)
    )


def _is_readable(context: ssl.SSLContext, der: bytes) -> bool:
    try:
        context.load_verify_locations(cadata=der)
    except (ssl.SSLError, ValueError):
        return False
    return True
