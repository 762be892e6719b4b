"""What a register counts of what it wrote."""

import asyncio
from contextlib import suppress

from adapters.values import access_token, creation, refusal, removal, replacement, token_event
from enrol.adapters.sqlite import open_sqlite
from enrol.errors import EntitlementError
from enrol.registration.meters import CommitMeter


async def test_each_change_counts_once_and_only_where_it_was_written(path):
    meter = CommitMeter()
    store = open_sqlite(path, meter=meter)
    first = creation(1, quota=1)
    await store.clients.commit(first)
    await store.clients.commit(first)  # again, and found
    with suppress(EntitlementError):
        await store.clients.commit(creation(2, quota=1))
    update = replacement(first.write.record, request_number=3)
    await store.clients.commit(update)
    await store.clients.commit(removal(update.write.record, request_number=4))
    token = access_token(1)
    await store.tokens.add(token, token_event(token))
    store.audit.note(refusal(1))
    await store.aclose()
    assert meter.written == {"registered": 1, "updated": 1, "deleted": 1, "token_issued": 1}


async def test_equal_requests_of_one_batch_count_once(path):
    meter = CommitMeter()
    store = open_sqlite(path, meter=meter)
    await asyncio.gather(
        *(store.clients.commit(creation(n, request_number=1)) for n in range(1, 6))
    )
    await store.aclose()
    assert meter.written == {"registered": 1}
    assert (meter.batches.total, sum(meter.batches.counts)) == (5, 1)
    assert sum(meter.seconds.counts) == 1
