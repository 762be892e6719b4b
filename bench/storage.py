"""How many changes a second become durable, and what a lookup costs.

    python bench/storage.py [FOLDER]

The folder should lie on the disk the server would use; without one a temporary folder is used.
"""

import asyncio
import hashlib
import os
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import uvloop
from sqlalchemy import create_engine, select
from sqlalchemy.pool import StaticPool

from enrol.adapters.migration import migrate
from enrol.adapters.sqlite import open_sqlite
from enrol.adapters.store import RegisterStore
from enrol.adapters.tables import clients
from enrol.eidas.organization import OrganizationIdentifier
from enrol.oauth.jwk import JsonWebKey, JsonWebKeySet
from enrol.oauth.metadata import ClientMetadata
from enrol.oauth.mtls import x5t_s256
from enrol.oauth.types import ClientId, RequestId
from enrol.registration.audit import AuditEvent, EventType
from enrol.registration.kept import blob
from enrol.registration.ports import Change, Creation, LedgerEntry
from enrol.registration.record import ClientRecord, RegisteredKey

AT = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)
CERTIFICATE = bytes(range(256)) * 6
METADATA = ClientMetadata(
    redirect_uris=("https://tpp.example/callback", "https://tpp.example/other"),
    token_endpoint_auth_method="tls_client_auth",
    grant_types=("authorization_code", "refresh_token"),
    client_name="TPP",
    scope="aisp pisp",
    jwks=JsonWebKeySet((JsonWebKey(kty="RSA", kid="seal", x5c=("A" * 2048,)),)),
    provider_legal_id="PSDFR-ACPR-12345",
    description="x" * 1500,
)
EVIDENCE = '{"ledger_key":"' + "0" * 64 + '","qsealc":"' + "0" * 64 + '","version":1}' + " " * 500
REQUEST = b"x" * 4700
"""The request kept as evidence: 4 KB of body, the fields that are signed, the signature."""

BLOBS = tuple(blob(bytes([number]) * 1500) for number in range(7))
"""Certificates, verdicts and policy it rests on, the same for every registration."""


def creation(number: int) -> Change:
    """Return the registration of a new client, 4 KB of metadata with one certificate."""
    client_id = ClientId(f"{int(time.time() * 1000):012x}{os.urandom(10).hex()}")
    organization = OrganizationIdentifier(f"PSDFR-ACPR-{number % 500:05}")
    digest = hashlib.sha256(client_id.encode()).digest()
    thumbprint = x5t_s256(hashlib.sha256(organization.encode()).digest())
    key = RegisteredKey(client_id, organization, thumbprint, CERTIFICATE, kid="seal")
    record = ClientRecord(client_id, organization, METADATA, (key,), AT, AT, 1)
    request_id = RequestId(f"6f1c1f9e-0000-4000-8000-{number:012}")
    return Change(
        Creation(record, 1_000_000),
        LedgerEntry(digest, digest, organization, request_id, client_id, 1, AT),
        AuditEvent(
            AT,
            EventType.CLIENT_REGISTERED,
            organization,
            client_id,
            request_id,
            evidence=EVIDENCE,
            request=REQUEST + digest,
            blobs=BLOBS,
        ),
    )


async def commits(store: RegisterStore, tasks: int, duration: float) -> None:
    """Print the rate of durable changes with `tasks` concurrent clients."""
    latencies: list[float] = []
    prepared = iter([creation(number) for number in range(int(duration * 16_000))])
    cpu, begin = time.process_time(), time.perf_counter()
    end = begin + duration

    async def client() -> None:
        while (sent := time.perf_counter()) < end:
            await store.clients.commit(next(prepared))
            latencies.append(time.perf_counter() - sent)

    await asyncio.gather(*(client() for _ in range(tasks)))
    elapsed, cpu = time.perf_counter() - begin, time.process_time() - cpu
    latencies.sort()
    count = len(latencies)
    print(
        f"{tasks:4} concurrent: {count / elapsed:7.0f} changes/s   "
        f"p50 {latencies[count // 2] * 1e3:5.2f} ms   "
        f"p99 {latencies[count * 99 // 100] * 1e3:6.2f} ms   {cpu / count * 1e6:4.0f} us CPU each"
    )


async def lookups(
    name: str, call: Callable[[], Coroutine[Any, Any, object]], count: int = 20_000
) -> None:
    """Print what one lookup costs."""
    begin = time.perf_counter()
    for _ in range(count):
        await call()
    print(f"{name:34} {(time.perf_counter() - begin) / count * 1e6:6.1f} us")


def compare_with_core(store: RegisterStore, client_id: ClientId) -> None:
    """Print what a lookup costs through SQLAlchemy Core's own execute."""
    raw = store._database.reader
    engine = create_engine("sqlite://", creator=lambda: raw, poolclass=StaticPool)
    statement = select(clients).where(clients.c.client_id == client_id)
    with engine.connect() as connection:
        begin = time.perf_counter()
        for _ in range(3_000):
            connection.execute(statement).fetchone()
        each = (time.perf_counter() - begin) / 3_000 * 1e6
        print(f"{'Core execute, client row only':34} {each:6.1f} us")
        connection.detach()


async def main(folder: Path) -> None:
    path = folder / "bench.db"
    migrate(path)
    store = open_sqlite(path)
    seed = [creation(number) for number in range(200)]
    await asyncio.gather(*(store.clients.commit(change) for change in seed))
    for tasks in (1, 32, 128):
        await commits(store, tasks, 4.0)
    entry = seed[0].entry
    await lookups("find", lambda: store.clients.find(entry.client_id))
    await lookups("find_entry", lambda: store.clients.find_entry(entry.key))
    await lookups("find_entry, absent", lambda: store.clients.find_entry(bytes(32)))
    await lookups(
        "find_keys", lambda: store.clients.find_keys(entry.organization_identifier, "seal")
    )
    await lookups("token, absent", lambda: store.tokens.find(bytes(32)))
    compare_with_core(store, entry.client_id)
    print(f"file {path.stat().st_size / 1e6:.0f} MB")
    await store.aclose()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(dir=sys.argv[1] if sys.argv[1:] else None) as temporary:
        uvloop.run(main(Path(temporary)))
