"""Stores that keep the contract of the ports, and issuers that are asked online."""

import sqlite3
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from adapters.inquiries import Local
from adapters.issuer_host import IssuerHost, issuer_host
from adapters.registers import open_here
from cluster import Cluster, Database
from eidas.minting import Authority, mint_authority
from enrol.adapters.inquiry import InquiryPolicy
from enrol.adapters.location import Location, PostgresUrl
from enrol.adapters.migration import migrate
from enrol.adapters.outbound import Reach
from enrol.adapters.revocation import OnlineRevocationSource
from enrol.adapters.store import RegisterStore

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


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what is about a register on both databases, but for what wants one of them.

    That is a file of SQLite, `path`, or a `database` of PostgreSQL.
    """
    names = metafunc.fixturenames
    if "register" in names and "database" not in names:
        kinds = ["sqlite"] if "path" in names else ["sqlite", "postgres"]
        metafunc.parametrize("register", kinds, indirect=True)


@pytest.fixture(scope="session")
def migrated(cluster: Cluster) -> Database:
    """A register in PostgreSQL, used by one test after the other."""
    return cluster.create_register()


@pytest.fixture
def database(migrated: Database) -> Database:
    """A register in PostgreSQL in which nothing stands yet."""
    migrated.empty()
    return migrated


@pytest.fixture
def register(request: pytest.FixtureRequest) -> Location:
    """A register in which nothing stands yet."""
    if getattr(request, "param", "postgres") == "sqlite":
        path: Path = request.getfixturevalue("path")
        return path
    database: Database = request.getfixturevalue("database")
    return PostgresUrl(database.server_url)


@pytest.fixture
async def store(register: Location) -> AsyncIterator[RegisterStore]:
    """An open register."""
    opened = await open_here(register)
    yield opened
    await opened.aclose()


@pytest.fixture
def query(request: pytest.FixtureRequest, register: Location) -> Query:
    """Look into the register from outside."""
    if isinstance(register, PostgresUrl):
        database: Database = request.getfixturevalue("database")
        return database.rows
    return partial(_ask_sqlite, register)


def _ask_sqlite(path: Path, statement: str, *parameters: object) -> list[tuple[Any, ...]]:
    connection = sqlite3.connect(path)
    try:
        with connection:
            return connection.execute(statement, parameters).fetchall()
    finally:
        connection.close()


@pytest.fixture
async def host() -> AsyncIterator[IssuerHost]:
    """A host that says what an issuer says."""
    async with issuer_host() as running:
        yield running


@pytest.fixture
def qtsp() -> Authority:
    """A QTSP that issues what a test wants."""
    return mint_authority()


@pytest.fixture
def source_of(host: IssuerHost) -> Callable[..., OnlineRevocationSource]:
    """Make a source that reaches the issuer's host."""

    def make(*local: bytes, **policy: Any) -> OnlineRevocationSource:
        reach = Reach(allowed_hosts={"qtsp.test": host.address})
        return OnlineRevocationSource(
            Local(*local), InquiryPolicy(reach=reach, **policy), random=bytes
        )

    return make
