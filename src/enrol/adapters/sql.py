"""One statement for two databases, compiled from SQLAlchemy Core when it is first needed."""

from functools import cache, cached_property
from typing import Any, Final, Self

from sqlalchemy.dialects import sqlite
from sqlalchemy.engine import Dialect
from sqlalchemy.sql import ClauseElement

from enrol.adapters.rows import Row

_SQLITE: Final = sqlite.dialect(paramstyle="qmark")


class Statement(str):  # noqa: SLOT000 - what is compiled later needs a place
    """The SQL of SQLite as text, to be executed as it is; `postgres` is the same for PostgreSQL.

    Parameters are positional and given in SQLite's order, one a question mark.
    """

    _other: str | ClauseElement
    _parameters: tuple[str, ...]

    def __new__(cls, text: str, other: str | ClauseElement, *parameters: str) -> Self:
        """Return the text; `other` is the SQL of PostgreSQL, or what it is made from."""
        made = super().__new__(cls, text)
        made._other = other
        made._parameters = parameters
        return made

    @cached_property
    def postgres(self) -> str:
        """The SQL of PostgreSQL, in which a parameter of the same name stands once."""
        text, _ = self._compiled
        return text

    def arranged(self, values: Row) -> Row:
        """Return the values of SQLite's parameters in the order of PostgreSQL's."""
        _, order = self._compiled
        return values if order is None else tuple([values[place] for place in order])

    @cached_property
    def _compiled(self) -> tuple[str, tuple[int, ...] | None]:
        if isinstance(self._other, str):
            return self._other, None
        result = self._other.compile(dialect=_postgres())
        names: tuple[str, ...] = tuple(getattr(result, "positiontup", None) or ())
        same = names == self._parameters
        return str(result), None if same else tuple(map(self._parameters.index, names))


@cache
def _postgres() -> Dialect:
    from sqlalchemy.dialects.postgresql import asyncpg  # noqa: PLC0415 - not with SQLite

    made: Any = asyncpg.dialect
    dialect: Dialect = made()
    return dialect


def compiled(expression: ClauseElement, *parameters: str) -> Statement:
    """Return a statement whose parameters stand in the order given."""
    result = expression.compile(dialect=_SQLITE)
    order = tuple(getattr(result, "positiontup", ()))
    if order != parameters:
        raise AssertionError(f"{result} takes {order}, not {parameters}")
    return Statement(str(result), expression, *parameters)
