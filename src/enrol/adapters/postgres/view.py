"""A register in PostgreSQL as commands read it."""

from collections.abc import Iterator
from contextlib import contextmanager

from enrol.adapters.location import PostgresUrl
from enrol.adapters.postgres.database import open_to_read, translated
from enrol.adapters.view import RegisterView

_BEGIN = "BEGIN ISOLATION LEVEL REPEATABLE READ"


@contextmanager
def open_postgres_view(location: PostgresUrl) -> Iterator[RegisterView]:
    """Open the register for reading; raises `ConfigurationError`."""
    with open_to_read(location) as connection:
        yield RegisterView(connection, lambda: translated(location), begin=_BEGIN)
