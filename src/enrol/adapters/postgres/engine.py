"""PostgreSQL as an engine of the register: what its errors mean."""

from typing import Final

import asyncpg

from enrol.adapters.connection import Engine
from enrol.adapters.postgres.connection import LOST

POSTGRES: Final = Engine(
    errors=(*LOST, asyncpg.PostgresError),
    of_the_row=(asyncpg.IntegrityConstraintViolationError, asyncpg.DataError, ValueError),
    is_fatal=lambda exc: isinstance(exc, asyncpg.DataCorruptedError | asyncpg.IndexCorruptedError),
    name_of=lambda exc: getattr(exc, "sqlstate", None) or type(exc).__name__,
    is_shared=True,
)
