"""Writes of one turn of the loop share a batch, and each waiter learns its own outcome."""

import asyncio
import threading

import pytest

from enrol.adapters.groupcommit import LARGEST_BATCH, GroupCommit
from enrol.errors import UnavailableError


class Recorder:
    """A writer that remembers its batches, and can be held."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.settled: list[int] = []
        self.open = threading.Event()
        self.open.set()

    def write(self, batch):
        assert self.open.wait(10)
        self.batches.append(list(batch))
        return [ValueError(number) if number < 0 else number * 2 for number in batch]

    def settle(self, batch, outcomes):
        assert len(batch) == len(outcomes)
        self.settled += batch


@pytest.fixture
def recorder():
    return Recorder()


@pytest.fixture
async def commits(recorder):
    group = GroupCommit(recorder.write, settled=recorder.settle, most_waiting=600, most_notes=5)
    yield group
    recorder.open.set()
    await group.aclose()


async def test_writes_of_one_turn_share_a_batch(commits, recorder):
    assert await asyncio.gather(*map(commits.submit, range(50))) == [n * 2 for n in range(50)]
    assert recorder.batches == [list(range(50))]


async def test_writes_during_a_commit_wait_for_the_next_batch(commits, recorder):
    recorder.open.clear()
    first = commits.submit(1)
    await asyncio.sleep(0)
    rest = [commits.submit(number) for number in (2, 3)]
    recorder.open.set()
    await asyncio.gather(first, *rest)
    assert recorder.batches == [[1], [2, 3]]


async def test_batch_has_a_largest_size(commits, recorder):
    await asyncio.gather(*map(commits.submit, range(LARGEST_BATCH + 10)))
    assert [len(batch) for batch in recorder.batches] == [LARGEST_BATCH, 10]


async def test_each_waiter_gets_its_own_outcome(commits):
    outcomes = await asyncio.gather(*map(commits.submit, (1, -2, 3)), return_exceptions=True)
    assert (outcomes[0], outcomes[2]) == (2, 6)
    assert isinstance(outcomes[1], ValueError)


async def test_broken_writer_leaves_nobody_hanging(commits, recorder):
    def broken(batch):
        raise ZeroDivisionError

    recorder_write, commits._write = commits._write, broken
    with pytest.raises(ZeroDivisionError):
        await commits.submit(1)
    commits._write = recorder_write
    assert await commits.submit(2) == 4


async def test_too_many_waiting_writes_are_refused(commits, recorder):
    recorder.open.clear()
    waiting = [commits.submit(number) for number in range(600)]
    with pytest.raises(UnavailableError, match="overloaded") as refused:
        commits.submit(601)
    assert refused.value.retry_after == 1
    recorder.open.set()
    await asyncio.gather(*waiting)
    assert await commits.submit(602) == 1204


async def test_write_nobody_waits_for_any_more_is_left_out(commits, recorder):
    recorder.open.clear()
    first = commits.submit(1)
    await asyncio.sleep(0)
    gone, stays = commits.submit(2), commits.submit(3)
    gone.cancel()
    recorder.open.set()
    await asyncio.gather(first, stays)
    assert recorder.batches == [[1], [3]]


async def test_write_whose_waiter_goes_during_the_commit_stands(commits, recorder):
    recorder.open.clear()
    gone = commits.submit(1)
    await asyncio.sleep(0)
    gone.cancel()
    recorder.open.set()
    await commits.submit(2)
    assert recorder.batches == [[1], [2]]
    assert recorder.settled == [1, 2]


async def test_outcomes_are_settled_before_waiters_go_on(commits, recorder):
    await commits.submit(7)
    assert recorder.settled == [7]


async def test_notes_ride_along_and_are_bounded(commits, recorder):
    for number in range(8):
        commits.note(number)
    await commits.submit(100)
    assert recorder.batches == [[100, 0, 1, 2, 3, 4]]
    assert commits.dropped_notes == 3


async def test_note_that_cannot_be_written_is_counted(commits):
    commits.note(-1)
    await commits.submit(1)
    assert commits.dropped_notes == 1


async def test_closing_finishes_what_waits_and_takes_no_more(commits, recorder):
    recorder.open.clear()
    waiting = [commits.submit(number) for number in range(300)]
    closing = asyncio.ensure_future(commits.aclose())
    await asyncio.sleep(0)
    with pytest.raises(UnavailableError, match="draining"):
        commits.submit(301)
    assert not closing.done()
    recorder.open.set()
    await closing
    assert [future.result() for future in waiting] == [n * 2 for n in range(300)]
    await commits.aclose()


async def test_idle_writer_is_not_busy(commits, recorder):
    assert commits.busy_for == 0
    recorder.open.clear()
    waiting = commits.submit(1)
    assert commits.busy_for >= 0
    assert commits._busy_since is not None
    recorder.open.set()
    await waiting
    assert commits.busy_for == 0
