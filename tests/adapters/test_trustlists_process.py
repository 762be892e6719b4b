"""Refreshes happen in a process of their own, and the server takes up what they wrote."""

import asyncio
import fcntl
import subprocess
import sys
from datetime import timedelta

import msgspec
import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from structlog.testing import capture_logs

from adapters.lists import AT, lists, operator, rules, shelf
from enrol.adapters.trustlists import source as source_module
from enrol.adapters.trustlists import supervisor
from enrol.adapters.trustlists.job import RefreshJob, RefreshReport, run_job
from enrol.adapters.trustlists.refreshing import refresh
from enrol.adapters.trustlists.snapshots import read_snapshot, write_snapshot
from enrol.adapters.trustlists.source import NoTrustSource, SnapshotTrustSource
from enrol.adapters.trustlists.supervisor import Rhythm, keep_fresh, refresh_apart
from enrol.errors import ConfigurationError, UnavailableError

HOUR = timedelta(hours=1)


@pytest.fixture
def job(tmp_path):
    folder = tmp_path / "lists"
    folder.mkdir()
    (folder / "lotl.xml").write_bytes(lists().lotl)
    (folder / "FR.xml").write_bytes(lists().national)
    (tmp_path / "scheme.pem").write_bytes(operator().certificate.public_bytes(Encoding.PEM))
    return RefreshJob(
        snapshot=str(tmp_path / "trust.snapshot"),
        directory=str(folder),
        lotl_anchors=str(tmp_path / "scheme.pem"),
    )


def snapshot(number: int = 1):
    return asyncio.run(refresh(shelf(lists(number)), rules(), None))


async def test_a_process_refreshes_and_reports(job, tmp_path):
    report = await refresh_apart(job, at=AT)
    assert report == RefreshReport(sequence_number=1, lists=1)
    assert read_snapshot(tmp_path / "trust.snapshot").lotl.sequence_number == 1


async def test_a_refresh_that_fails_says_why_and_leaves_the_snapshot(job, tmp_path):
    await refresh_apart(job, at=AT)
    before = (tmp_path / "trust.snapshot").read_bytes()
    (tmp_path / "lists" / "lotl.xml").write_bytes(lists(2, by=4).lotl)
    report = await refresh_apart(job, at=AT)
    assert report.code == "list_signature_invalid"
    assert (tmp_path / "trust.snapshot").read_bytes() == before


@pytest.mark.parametrize("content", [None, b"no PEM"])
def test_anchors_that_cannot_be_read_are_said(job, tmp_path, content):
    path = tmp_path / "scheme.pem"
    path.unlink() if content is None else path.write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"signers|scheme\.pem"):
        run_job(job, at=AT)


def test_two_refreshes_do_not_meet(job, tmp_path):
    with (tmp_path / "trust.snapshot.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert run_job(job, at=AT) is None


def test_a_server_never_imports_what_reads_xml():
    code = "import sys, enrol.bootstrap; print({'lxml', 'pyhanko', 'signxml'} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


# The supervisor


class Pauses:
    """Stands in for sleep: counts, and ends the test at the last pause."""

    def __init__(self, last: int) -> None:
        self.seconds: list[float] = []
        self._last = last

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)
        if len(self.seconds) == self._last:
            raise asyncio.CancelledError


async def supervised(monkeypatch, job, reports, *, last=lambda: None) -> list[float]:
    """Run the supervisor over these reports, and return the pauses it made, in seconds."""
    given = iter(reports)
    pauses = Pauses(len(reports) + 1)

    async def run(_: RefreshJob, *, at) -> RefreshReport:
        return next(given)

    monkeypatch.setattr(supervisor, "refresh_apart", run)
    monkeypatch.setattr(supervisor.asyncio, "sleep", pauses)
    monkeypatch.setattr(supervisor.random, "uniform", lambda *_: 0.0)
    with pytest.raises(asyncio.CancelledError):
        await keep_fresh(job, Rhythm(6 * HOUR, lambda: AT, last))
    return pauses.seconds


GOOD = RefreshReport(sequence_number=1, lists=1)


async def test_without_a_snapshot_is_refreshed_at_once(monkeypatch, job):
    assert (await supervised(monkeypatch, job, [GOOD]))[0] == 0


async def test_a_fresh_snapshot_is_left_until_its_hour(monkeypatch, job):
    pauses = await supervised(monkeypatch, job, [GOOD], last=lambda: AT - HOUR)
    assert pauses[0] == 5 * 3600


async def test_failures_are_tried_again_ever_later(monkeypatch, job):
    bad = RefreshReport(code="list_unreachable", detail="gone")
    pauses = await supervised(monkeypatch, job, [bad] * 12)
    assert pauses[1:4] == [60, 120, 240]
    assert pauses[-1] == 6 * 3600


async def test_a_forgery_is_an_alarm_and_an_outage_is_not(monkeypatch, job):
    forged = RefreshReport(code="list_signature_invalid", detail="x")
    outage = RefreshReport(sequence_number=2, lists=1, troubles={"DE": "list_unreachable: x"})
    rolled = RefreshReport(sequence_number=3, lists=1, troubles={"PT": "list_rolled_back: x"})
    with capture_logs() as logs:
        await supervised(monkeypatch, job, [forged, outage, rolled])
    told = [(one["event"], one["log_level"]) for one in logs]
    assert told == [
        ("trust_refresh_failed", "error"),
        ("trusted_list_not_renewed", "warning"),
        ("trust_refreshed", "info"),
        ("trusted_list_not_renewed", "error"),
        ("trust_refreshed", "info"),
    ]


async def test_a_cancelled_refresh_ends_its_process(job, monkeypatch):
    made = asyncio.get_running_loop().create_future()
    real = asyncio.create_subprocess_exec

    async def spy(*arguments, **options):
        process = await real(*arguments, **options)
        made.set_result(process)
        return process

    monkeypatch.setattr(asyncio, "create_subprocess_exec", spy)
    task = asyncio.create_task(refresh_apart(job, at=AT))
    process = await made
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert process.returncode is not None


# What the server has of it


def test_a_desk_without_a_source_judges_nobody():
    with pytest.raises(UnavailableError, match="trust_list_unavailable"):
        NoTrustSource().anchors()


def test_without_a_snapshot_nobody_is_judged(tmp_path):
    source = SnapshotTrustSource(tmp_path / "trust.snapshot")
    with pytest.raises(UnavailableError, match="trust_list_unavailable"):
        source.anchors()
    assert source.authorities() == ()


async def changed(source: SnapshotTrustSource, monkeypatch) -> None:
    """Let the source look at its file once."""
    pauses = Pauses(2)
    monkeypatch.setattr(source_module.asyncio, "sleep", pauses)
    with pytest.raises(asyncio.CancelledError):
        await source.watch()
    monkeypatch.undo()


async def test_a_new_snapshot_is_taken_up_and_followers_are_told(tmp_path, monkeypatch):
    path = tmp_path / "trust.snapshot"
    source = SnapshotTrustSource(path)
    told = []
    source.follow(lambda authorities: told.append(len(authorities)))
    made = await asyncio.to_thread(snapshot)
    write_snapshot(path, made)
    await changed(source, monkeypatch)
    assert source.made_at == AT
    assert told == [5] == [len(source.authorities())]
    assert len(source.anchors().certificates) == 5


async def test_a_snapshot_that_did_not_change_is_not_read_again(tmp_path, monkeypatch):
    path = tmp_path / "trust.snapshot"
    write_snapshot(path, await asyncio.to_thread(snapshot))
    source = SnapshotTrustSource(path)
    before = source.anchors()
    await changed(source, monkeypatch)
    assert source.anchors() is before


@pytest.mark.parametrize("bend", [lambda path: path.write_bytes(b"?"), lambda path: path.unlink()])
async def test_a_bad_snapshot_leaves_the_one_before(tmp_path, monkeypatch, bend):
    path = tmp_path / "trust.snapshot"
    write_snapshot(path, await asyncio.to_thread(snapshot))
    source = SnapshotTrustSource(path)
    before = source.anchors()
    bend(path)
    with capture_logs():
        await changed(source, monkeypatch)
    assert source.anchors() is before


async def test_a_refresh_that_brings_nothing_new_leaves_the_verdicts(tmp_path, monkeypatch):
    path = tmp_path / "trust.snapshot"
    made = await asyncio.to_thread(snapshot)
    write_snapshot(path, made)
    source = SnapshotTrustSource(path)
    before = source.anchors()
    write_snapshot(path, msgspec.structs.replace(made, made_at=AT + HOUR))
    await changed(source, monkeypatch)
    assert source.anchors() is before
    assert source.made_at == AT + HOUR
