"""Opens the register, and brings it up to date, wherever it is.

What PostgreSQL needs is imported where a register is in it: it takes a server of the other kind
time and memory for nothing.
"""

from enrol.adapters.database import SchemaState, schema_state, was_opened
from enrol.adapters.location import Location, PostgresUrl
from enrol.adapters.sqlite import open_sqlite
from enrol.adapters.store import RegisterStore, StoreSettings
from enrol.registration.meters import CommitMeter


def open_register(
    location: Location, settings: StoreSettings, *, meter: CommitMeter | None = None
) -> RegisterStore:
    """Open a register that is up to date; raises `ConfigurationError`.

    Not on the thread of an event loop.
    """
    if isinstance(location, PostgresUrl):
        from enrol.adapters.postgres.store import open_postgres  # noqa: PLC0415

        return open_postgres(location, settings, meter=meter)
    return open_sqlite(location, settings, meter=meter)


def prepare_register(location: Location) -> None:
    """Bring a SQLite register up to date before a server opens it; make one at the first start.

    One that was there and is missing now is not replaced by an empty one. A register in PostgreSQL
    is changed by `enrol migrate` alone, as the role of the server may not. Raises
    `ConfigurationError`.
    """
    if not isinstance(location, PostgresUrl):
        migrate_register(location, create=not was_opened(location))


def migrate_register(
    location: Location, *, create: bool = True, server_role: str | None = None
) -> None:
    """Bring a register up to date, and make one where there is none if `create` is true.

    In PostgreSQL the `server_role` is let to use it. Raises `ConfigurationError`.
    """
    if isinstance(location, PostgresUrl):
        from enrol.adapters.postgres.migration import migrate_postgres  # noqa: PLC0415

        migrate_postgres(location, server_role=server_role)
    elif schema_state(location) is not SchemaState.CURRENT:
        # the tool for migrations takes as much memory and time as the server: only where needed
        from enrol.adapters.migration import migrate  # noqa: PLC0415

        migrate(location, create=create)
