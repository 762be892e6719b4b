"""Stores that keep the contract of the ports, and issuers that are asked online."""

import sqlite3
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from adapters.inquiries import Local
from adapters.issuer_host import IssuerHost, issuer_host
from eidas.minting import Authority, mint_authority
from enrol.adapters.inquiry import InquiryPolicy
from enrol.adapters.migration import migrate
from enrol.adapters.outbound import Reach
from enrol.adapters.revocation import OnlineRevocationSource
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


@pytest.fixture(params=["sqlite"])  # PostgreSQL joins the list
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
