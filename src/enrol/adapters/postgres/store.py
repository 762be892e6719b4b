"""Opens the register in PostgreSQL, for one of several servers."""

from dataclasses import replace
from typing import Final

from enrol.adapters.location import PostgresUrl
from enrol.adapters.outbox import OutboxNews, OutboxWriter
from enrol.adapters.postgres.database import open_to_write
from enrol.adapters.postgres.duty import PostgresDuty
from enrol.adapters.postgres.engine import POSTGRES
from enrol.adapters.postgres.reader import PostgresReader
from enrol.adapters.store import RegisterStore, StoreSettings
from enrol.adapters.writer import Writer
from enrol.registration.meters import CommitMeter

TOKENS_KEPT: Final = 1.0
"""Seconds after which a server knows at the latest that another one ended a token."""


def open_postgres(
    location: PostgresUrl, settings: StoreSettings, *, meter: CommitMeter | None = None
) -> RegisterStore:
    """Open the register; raises `ConfigurationError` as `open_to_write` does."""
    connection = open_to_write(location)
    writer = Writer(connection, POSTGRES, connection.begin, outbox=OutboxWriter(settings.told))
    news = OutboxNews()
    return RegisterStore(
        *(PostgresReader(location), writer, connection.close),
        duty=PostgresDuty(location, news),
        news=news,
        settings=replace(settings, tokens_kept=TOKENS_KEPT),
        meter=meter,
    )
