"""Trust anchors and revocation lists in files, read again when they change."""

import time
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final, Generic, TypeVar

import structlog

from enrol.adapters.files import Stamp
from enrol.eidas.crl import RevocationLists, parse_revocation_list
from enrol.eidas.revocation import RevocationEvidence
from enrol.eidas.trust import TrustAnchors
from enrol.eidas.validate import AssessedCertificate
from enrol.errors import ConfigurationError, EnrolError, UnavailableError

_log = structlog.get_logger(__name__)

T = TypeVar("T")

CHECK_EVERY: Final = 1.0
"""Seconds between two looks at the files."""

PATIENCE: Final = 48 * 3600.0
"""Seconds that anchors are believed although their files cannot be read any more."""


class FileRevocationSource:
    """`RevocationSource` over files, each a CRL in PEM or DER.

    A file that becomes unreadable changes nothing: what was read last stays, and the log says so.
    """

    def __init__(
        self, revocation_lists: tuple[Path, ...], *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        """Read all files; raises `ConfigurationError` where one cannot be read or understood."""
        self._monotonic = monotonic
        self._checked = monotonic()
        self._revocation_lists = _Files(revocation_lists, _read_revocation_lists, at=self._checked)

    def basis(self) -> RevocationLists:
        """Return all revocation lists, however old: they say themselves how long they hold."""
        self._look()
        return self._revocation_lists.value

    async def evidence_for(
        self,
        assessed: AssessedCertificate,  # noqa: ARG002 - all lists at once
        *,
        at: datetime,  # noqa: ARG002 - same
    ) -> RevocationEvidence:
        """Return all revocation lists."""
        return RevocationEvidence(lists=self.basis())

    def _look(self) -> float:
        now = self._monotonic()
        if now - self._checked >= CHECK_EVERY:
            self._checked = now
            self._refresh(now)
        return now

    def _refresh(self, now: float) -> None:
        self._revocation_lists.refresh(now)


class FileTrustSource(FileRevocationSource):
    """`TrustSource` and `RevocationSource` over files: anchors in PEM, CRLs in PEM or DER."""

    def __init__(
        self,
        anchors: tuple[Path, ...],
        revocation_lists: tuple[Path, ...] = (),
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Read all files; raises `ConfigurationError` where one cannot be read or understood."""
        if not anchors:
            raise ConfigurationError("trust_anchors_missing", "No file of trust anchors is named.")
        super().__init__(revocation_lists, monotonic=monotonic)
        self._anchors = _Files(anchors, _read_anchors, at=self._checked)

    def anchors(self) -> TrustAnchors:
        """Return the trust anchors.

        Raises `UnavailableError` ``trust_list_unavailable`` once their files could not be read for
        two days.
        """
        now = self._look()
        if now - self._anchors.read_at > PATIENCE:
            raise UnavailableError("trust_list_unavailable", retry_after=60)
        return self._anchors.value

    def _refresh(self, now: float) -> None:
        super()._refresh(now)
        self._anchors.refresh(now)


class _Files(Generic[T]):
    """Some files and the value that was last made of them."""

    def __init__(
        self, paths: tuple[Path, ...], read: Callable[[Sequence[Path]], T], *, at: float
    ) -> None:
        self._paths = paths
        self._read = read
        self._stamps = [Stamp.of(path) for path in paths]
        self.read_at = at
        """When the files last were as the value says, on the monotonic clock."""
        self.value = read(paths)
        self._stale = False

    def refresh(self, now: float) -> None:
        """Read the files again if one of them changed, or could not be read last time."""
        stamps = [Stamp.of(path) for path in self._paths]
        changed, self._stamps = stamps != self._stamps, stamps
        if changed or self._stale:
            self._read_again(worth_saying=changed)
        if not self._stale:
            self.read_at = now

    def _read_again(self, *, worth_saying: bool) -> None:
        files = [*map(str, self._paths)]
        try:
            self.value = self._read(self._paths)
        except EnrolError as exc:
            self._stale = True
            if worth_saying:
                _log.error("trust_files_unreadable", files=files, cause=str(exc))
        else:
            self._stale = False
            _log.info("trust_files_read", files=files)


def _read_anchors(paths: Sequence[Path]) -> TrustAnchors:
    each = [_read(path, TrustAnchors.from_pem) for path in paths]
    return TrustAnchors(tuple(certificate for one in each for certificate in one.certificates))


def _read_revocation_lists(paths: Sequence[Path]) -> RevocationLists:
    return RevocationLists.of([_read(path, parse_revocation_list) for path in paths])


def _read(path: Path, parse: Callable[[bytes], T]) -> T:
    """Return what a file says; raises `ConfigurationError` naming the file."""
    try:
        return parse(path.read_bytes())
    except OSError as exc:
        raise ConfigurationError("trust_file_unreadable", f"{path} cannot be read.") from exc
    except EnrolError as exc:
        raise ConfigurationError("trust_file_malformed", f"{path}: {exc}") from exc
