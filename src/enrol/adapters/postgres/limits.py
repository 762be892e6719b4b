"""Servers on one PostgreSQL tell each other what they let through, in one table."""

import asyncio
import secrets
from collections import OrderedDict
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

import asyncpg
import msgspec
import structlog

from enrol.adapters.location import PostgresUrl
from enrol.adapters.postgres.connection import LOST, connect
from enrol.errors import UnavailableError
from enrol.registration.shared_limits import Spent, Turn

_log = structlog.get_logger(__name__)

_PATIENCE: Final = 2.0
_SWEPT_EVERY: Final = 30
_MOST_SERVERS: Final = 1_000
_MILLISECOND: Final = timedelta(milliseconds=1)

_TELL: Final = """
INSERT INTO limit_spendings (node, turn, at, spent)
SELECT $1, told.turn, (extract(epoch FROM clock_timestamp()) * 1000)::bigint - told.age, told.spent
FROM unnest($2::bigint[], $3::bigint[], $4::bytea[]) AS told (turn, age, spent)
ON CONFLICT DO NOTHING
"""
_LEARN: Final = """
SELECT theirs.node, theirs.turn,
       (extract(epoch FROM clock_timestamp()) * 1000)::bigint - theirs.at, theirs.spent
FROM limit_spendings AS theirs
LEFT JOIN unnest($2::text[], $3::bigint[]) AS known (node, turn) ON known.node = theirs.node
WHERE theirs.node <> $1 AND theirs.turn > coalesce(known.turn, 0)
  AND theirs.at >= (extract(epoch FROM clock_timestamp()) * 1000)::bigint - 60000
ORDER BY theirs.node, theirs.turn
"""
_SWEEP: Final = """
DELETE FROM limit_spendings WHERE (node, turn) IN (
    SELECT node, turn FROM limit_spendings
    WHERE at < (extract(epoch FROM clock_timestamp()) * 1000)::bigint - 60000
    FOR UPDATE SKIP LOCKED
)
"""
"""What is older than a minute is over.

Times are by the clock of PostgreSQL, so that those of servers may differ; in milliseconds.
"""

_DECODER: Final = msgspec.msgpack.Decoder(tuple[Spent, ...])


class PostgresExchange:
    """This process among those that tell each other; its name is a new one at every start."""

    def __init__(self, location: PostgresUrl) -> None:
        self._url = location.url
        self._node = secrets.token_hex(16)
        self._connection: asyncpg.Connection[asyncpg.Record] | None = None
        self._known: OrderedDict[str, int] = OrderedDict()
        self._exchanges = 0
        self._failed = False

    async def exchange(self, own: Sequence[Turn]) -> Sequence[Turn]:
        """Tell the others of own turns, and return theirs that were not returned before.

        Raises `UnavailableError`.
        """
        try:
            async with asyncio.timeout(_PATIENCE):
                rows = await self._ask(own)
        except (*LOST, asyncpg.PostgresError) as exc:
            self._give_up()
            if not self._failed:
                _log.error("limits_not_shared", cause=type(exc).__name__)
            self._failed = True
            raise UnavailableError("storage_unavailable", retry_after=1) from exc
        if self._failed:
            _log.warning("limits_shared_again")
        self._failed = False
        return [turn for row in rows if (turn := self._turn(*row)) is not None]

    async def aclose(self) -> None:
        """Give the connection up."""
        self._give_up()

    async def _ask(self, own: Sequence[Turn]) -> Sequence[asyncpg.Record]:
        connection = self._connection
        if connection is None or connection.is_closed():
            connection = self._connection = await connect(self._url, application="enrol limits")
        if own:
            await connection.execute(
                _TELL,
                self._node,
                [turn.number for turn in own],
                [turn.age // _MILLISECOND for turn in own],
                [msgspec.msgpack.encode(turn.spent) for turn in own],
            )
        if self._exchanges % _SWEPT_EVERY == 0:
            await connection.execute(_SWEEP)
        self._exchanges += 1
        known = [*self._known], [*self._known.values()]
        rows: Sequence[asyncpg.Record] = await connection.fetch(_LEARN, self._node, *known)
        return rows

    def _turn(self, node: str, number: int, age: int, spent: bytes) -> Turn | None:
        """Return what another server told; None for what no server says."""
        self._known[node] = number
        self._known.move_to_end(node)
        if len(self._known) > _MOST_SERVERS:
            self._known.popitem(last=False)
        try:
            return Turn(number, age * _MILLISECOND, _DECODER.decode(spent))
        except msgspec.MsgspecError:
            _log.error("limits_unreadable", server=node)
            return None

    def _give_up(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None
