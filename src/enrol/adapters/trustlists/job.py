"""A refresh as an order: everything the process that refreshes must know."""

import asyncio
import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from enrol.adapters.trustlists.snapshots import find_snapshot, write_snapshot
from enrol.eidas.trustlist import TrustSnapshot
from enrol.errors import ConfigurationError

if TYPE_CHECKING:
    from enrol.adapters.trustlists.sources import ListSource

Progress = Callable[[str, int, int], None]
"""Called with a territory that is done, how many are done and how many there are."""


EU_LOTL: Final = "https://ec.europa.eu/tools/lotl/eu-lotl.xml"
"""Where the European Commission publishes the list of the lists."""


class RefreshJob(msgspec.Struct, frozen=True, kw_only=True):
    """Where lists come from and where the snapshot goes; paths are text, to travel as JSON.

    Without `directory` they are fetched from `lotl_url` on; `lotl_anchors` is a PEM file that
    stands in for the Official Journal. `grace` is in days. `plain_http` is for sandboxes.
    """

    snapshot: str
    lotl_url: str = EU_LOTL
    directory: str | None = None
    lotl_anchors: str | None = None
    grace: int = 0
    plain_http: bool = False


class Order(msgspec.Struct, frozen=True):
    """A job, and the moment it is done at (aware UTC), None for now."""

    job: RefreshJob
    at: datetime | None = None


class RefreshReport(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a refresh; `troubles` maps a territory to why its list is an old one or none."""

    code: str | None = None
    detail: str | None = None
    sequence_number: int | None = None
    lists: int = 0
    troubles: dict[str, str] = {}

    @classmethod
    def of(cls, snapshot: TrustSnapshot) -> "RefreshReport":
        """Describe a refresh that went well, or nearly."""
        old = {one.head.territory: one.trouble for one in snapshot.lists if one.trouble}
        none = {one.territory: one.trouble for one in snapshot.missing}
        return cls(
            sequence_number=snapshot.lotl.sequence_number,
            lists=len(snapshot.lists),
            troubles=old | none,
        )


def run_job(
    job: RefreshJob, *, at: datetime, progress: Progress = lambda *_: None
) -> TrustSnapshot | None:
    """Refresh once and write the snapshot; None where another process is at it already.

    Slow to import and to run: not for a process that serves. Raises ListRefusedError,
    ConfigurationError.
    """
    from enrol.adapters.trustlists.refreshing import RefreshRules, refresh  # noqa: PLC0415 - slow

    path = Path(job.snapshot)
    with _locked(path) as is_ours:
        if not is_ours:
            return None
        rules = RefreshRules(_anchors(job, at), at, timedelta(days=job.grace))
        previous = find_snapshot(path)
        snapshot = asyncio.run(refresh(_source(job, at), rules, previous, progress=progress))
        write_snapshot(path, snapshot)
        return snapshot


def _anchors(job: RefreshJob, at: datetime) -> tuple[bytes, ...]:
    from enrol.adapters.trustlists.signatures import (  # noqa: PLC0415 - slow
        official_journal_signers,
        read_signers,
    )

    if job.lotl_anchors is None:
        return official_journal_signers(at)
    try:
        pem = Path(job.lotl_anchors).read_bytes()
    except OSError as exc:
        raise ConfigurationError(
            "lotl_anchors_unreadable", f"{job.lotl_anchors} cannot be read."
        ) from exc
    return read_signers(pem)


def _source(job: RefreshJob, at: datetime) -> "ListSource":
    from enrol.adapters.trustlists.fetching import (  # noqa: PLC0415 - slow
        HttpsListSource,
        ListFetchPolicy,
    )
    from enrol.adapters.trustlists.sources import DirectorySource  # noqa: PLC0415

    if job.directory is not None:
        return DirectorySource(Path(job.directory), at=at)
    return HttpsListSource(ListFetchPolicy(lotl=job.lotl_url, plain_http=job.plain_http))


@contextmanager
def _locked(path: Path) -> Iterator[bool]:
    """Hold the lock of a snapshot, and say whether it was free."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path.with_name(f"{path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(descriptor)
