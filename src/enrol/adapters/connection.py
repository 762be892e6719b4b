"""What the register asks of a connection to its database, whichever that is."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from enrol.adapters.rows import Row


class Cursor(Protocol):
    """What a statement found."""

    def fetchall(self) -> list[Row]:
        """Return every row."""

    def fetchone(self) -> Any:  # noqa: ANN401 - a row or None, as the driver has it
        """Return the first row, None where there is none."""

    def __iter__(self) -> Iterator[Row]: ...


class Connection(Protocol):
    """A connection of one thread at a time, which waits for its answers."""

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is begun and not ended."""

    def execute(self, statement: str, parameters: Sequence[Any] = ..., /) -> Cursor:
        """Execute one statement and return what it finds."""

    def executemany(self, statement: str, rows: Sequence[Row], /) -> object:
        """Execute a statement for each row."""


@dataclass(frozen=True, slots=True)
class Engine:
    """How one database begins to write, and what its errors mean.

    `errors` are all that it raises, `of_the_row` those that are wrong with what was to be written.
    After a fatal one only a new start helps. Of a shared database others write, too, between two
    transactions.
    """

    errors: tuple[type[Exception], ...]
    of_the_row: tuple[type[Exception], ...]
    is_fatal: Callable[[Exception], bool]
    name_of: Callable[[Exception], str]
    is_shared: bool = False
