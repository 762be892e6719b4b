"""The stores that keep the contract of the ports; PostgreSQL joins the list of parameters."""

import sqlite3
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from enrol.adapters.migration import migrate
from enrol.adapters.store import SqliteStore

Query = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture(scope="session")
def blank_register(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The bytes of a register in which nothing stands yet."""
    path = tmp_path_factory.mktemp("blank") / "enrol.db"
    migrate(path)
    return path.read_bytes()


@pytest.fixture
def path(tmp_path: Path, blank_register: bytes) -> Path:
    path = tmp_path / "enrol.db"
    path.write_bytes(blank_register)
    return path


@pytest.fixture(params=["sqlite"])
async def store(request: pytest.FixtureRequest, path: Path) -> AsyncIterator[SqliteStore]:
    """An open register."""
    opened = SqliteStore.open(path)
    yield opened
    await opened.aclose()


@pytest.fixture
def query(path: Path) -> Query:
    """Look into the register from outside."""

    def run(statement: str, *parameters: object) -> list[tuple[Any, ...]]:
        connection = sqlite3.connect(path)
        try:
            with connection:
                return connection.execute(statement, parameters).fetchall()
        finally:
            connection.close()

    return run
