"""As many requests as a bank answers at once."""

import sqlite3
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager

from live.desk import Desk
from live.party import Draft, Party, Reply

_HEALTH = Draft("GET", "/health", [("Host", "localhost")]).to_bytes()


@contextmanager
def crowded(bank: Desk, party: Party, places: int) -> Iterator[list[Future[Reply]]]:
    """Fill every place of a bank meanwhile with registrations that wait for its register.

    Nothing else may ask for a place before they have theirs. Their answers come afterwards.
    """
    drafts = [party.post().to_bytes() for _ in range(places)]
    with (
        ThreadPoolExecutor(places) as pool,
        closing(sqlite3.connect(bank.database, isolation_level=None)) as register,
    ):
        register.execute("BEGIN IMMEDIATE")
        try:
            waiting = [pool.submit(party.exchange, draft) for draft in drafts]
            while party.exchange(_HEALTH).status != 503:
                assert not any(reply.done() for reply in waiting)
            yield waiting
        finally:
            register.execute("ROLLBACK")
