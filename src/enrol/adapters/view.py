"""The register as commands read it, beside its servers or without one."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from typing import Final

from enrol.adapters.connection import Connection
from enrol.adapters.database import connect_to_read, translated
from enrol.adapters.location import Location, PostgresUrl
from enrol.adapters.rows import Row

Translated = Callable[[], AbstractContextManager[None]]


class RegisterView:
    """A connection that reads; every method raises `ConfigurationError` where it cannot."""

    def __init__(self, connection: Connection, translated: Translated, *, begin: str) -> None:
        self._connection: Final = connection
        self._translated = translated
        self._begin = begin

    def rows(self, statement: str, *parameters: object) -> list[Row]:
        """Return every row a statement finds."""
        with self._translated():
            return self._connection.execute(statement, parameters).fetchall()

    def first(self, statement: str, *parameters: object) -> Row | None:
        """Return the first row a statement finds."""
        with self._translated():
            row: Row | None = self._connection.execute(statement, parameters).fetchone()
        return row

    @contextmanager
    def moment(self) -> Iterator[None]:
        """Read the register as it is at one moment; nothing may take long meanwhile."""
        with self._translated():
            self._connection.execute(self._begin)
            yield
            self._connection.execute("COMMIT")


@contextmanager
def open_view(location: Location, *, any_text: bool = False) -> Iterator[RegisterView]:
    """Open a register for reading; raises `ConfigurationError`.

    With `any_text`, text that was tampered with is to be seen and does not fail.
    """
    if isinstance(location, PostgresUrl):
        from enrol.adapters.postgres.view import open_postgres_view  # noqa: PLC0415 - see open_register

        with open_postgres_view(location) as view:
            yield view
        return
    with closing(connect_to_read(location)) as connection:
        if any_text:
            connection.text_factory = _text
        yield RegisterView(connection, lambda: translated(location), begin="BEGIN")


def _text(octets: bytes) -> str:
    return octets.decode("utf-8", "replace")
