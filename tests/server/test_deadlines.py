"""One timer ends every block whose time is up, and no other."""

import asyncio

import pytest

from enrol.server.deadlines import Deadline, Deadlines

SHORT, LONG = 0.01, 60.0


async def cut_off(deadlines):
    with Deadline(deadlines):
        await asyncio.Event().wait()


async def test_a_block_that_takes_too_long_is_a_timeout():
    with pytest.raises(TimeoutError):
        await cut_off(Deadlines(SHORT))
    assert not asyncio.current_task().cancelling()


async def test_a_block_in_time_ends_as_it_would():
    deadlines = Deadlines(LONG)
    with Deadline(deadlines):
        value = await asyncio.sleep(0, "done")
    assert value == "done"
    with pytest.raises(KeyError), Deadline(deadlines):
        raise KeyError


async def test_blocks_of_many_tasks_end_each_in_its_time():
    deadlines = Deadlines(SHORT)
    first = asyncio.create_task(cut_off(deadlines))
    await asyncio.sleep(0)
    with Deadline(deadlines):
        pass
    second = asyncio.create_task(cut_off(deadlines))
    outcomes = await asyncio.gather(first, second, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [TimeoutError] * 2


async def test_a_timer_runs_again_for_who_begins_after_it_rested():
    deadlines = Deadlines(SHORT)
    with pytest.raises(TimeoutError):
        await cut_off(deadlines)
    with pytest.raises(TimeoutError):
        await cut_off(deadlines)


async def test_a_task_that_somebody_else_cancels_is_cancelled():
    task = asyncio.create_task(cut_off(Deadlines(LONG)))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_there_is_no_deadline_outside_of_a_task():
    with pytest.raises(RuntimeError), Deadline(Deadlines(LONG)):
        pass
