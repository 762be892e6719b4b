"""How long a re-check of a register full of clients takes, and how much memory.

    python bench/recheck.py [CLIENTS [CERTIFICATES]]

Revocations come from the list at hand; where responders are asked, their answers are waited for.
"""

import asyncio
import hashlib
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding

from enrol.adapters.migration import migrate
from enrol.adapters.sqlite import open_sqlite
from enrol.cli.trust import refresh_now
from enrol.eidas.organization import OrganizationIdentifier
from enrol.oauth.metadata import ClientMetadata
from enrol.oauth.mtls import x5t_s256
from enrol.oauth.types import ClientId, RequestId
from enrol.registration.audit import AuditEvent, EventType
from enrol.registration.ports import Change, Creation, LedgerEntry
from enrol.registration.record import ClientRecord, RegisteredKey
from enrol.sandbox.folder import create_sandbox, open_sandbox
from enrol.sandbox.pki import issue
from enrol.sandbox.seed import RandomKeys
from enrol.settings import load_settings

_AT = datetime.now(UTC).replace(microsecond=0)
_AT_ONCE = 1000
_OFFLINE = {"ENROL_REVOCATION_ONLINE": "false"}


def main() -> None:
    """Fill a register, re-check it in a process of its own, and print what it took."""
    clients = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    certificates = int(sys.argv[2]) if len(sys.argv) > 2 else min(clients, 10_000)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "sandbox")
        create_sandbox(folder, keys=RandomKeys(), at=_AT)
        settings = load_settings(folder / "enrol.toml", _OFFLINE)
        refresh_now(settings.refresh_job)
        migrate(settings.storage.path)
        asyncio.run(_fill(settings.storage.path, _certificates(folder, certificates), clients))
        subprocess.run([sys.executable, __file__, "--recheck", str(folder)], check=True)


def _recheck(folder: Path) -> None:
    from enrol.adapters.recheck import recheck_register  # noqa: PLC0415 - measured
    from enrol.bootstrap import recheck_of  # noqa: PLC0415

    settings = load_settings(folder / "enrol.toml", _OFFLINE)
    recheck = recheck_of(settings, at=datetime.now(UTC))
    before = resource.getrusage(resource.RUSAGE_SELF)
    began = time.perf_counter()
    report = asyncio.run(recheck_register(settings.storage.path, recheck))
    took = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_SELF)
    print(report)
    print(
        f"{took:.1f} s, CPU {after.ru_utime - before.ru_utime:.1f} s, "
        f"memory {before.ru_maxrss / 1024:.0f} MB before, {after.ru_maxrss / 1024:.0f} MB at most; "
        f"register {settings.storage.path.stat().st_size / 1e6:.0f} MB"
    )


def _certificates(folder: Path, count: int) -> list[tuple[OrganizationIdentifier, bytes]]:
    """Issue QSealCs, one for each organisation, all with one key."""
    authority = open_sandbox(folder).authority
    key = authority.keys.rsa_key("bench", 2048)
    made = []
    for number in range(count):
        name = f"PSDFR-ACPR-{number:06}"
        issued = issue(authority, at=_AT, kind="qsealc", organization_identifier=name, key=key)
        made.append((OrganizationIdentifier(name), issued.certificate.public_bytes(Encoding.DER)))
    return made


async def _fill(
    path: Path, certificates: list[tuple[OrganizationIdentifier, bytes]], clients: int
) -> None:
    store = open_sqlite(path)
    for first in range(0, clients, _AT_ONCE):
        numbers = range(first, min(first + _AT_ONCE, clients))
        changes = [
            _creation(number, *certificates[number % len(certificates)]) for number in numbers
        ]
        await asyncio.gather(*map(store.clients.commit, changes))
    await store.aclose()


def _creation(number: int, organization: OrganizationIdentifier, der: bytes) -> Change:
    client_id = ClientId(f"client-{number:08}")
    digest = hashlib.sha256(client_id.encode()).digest()
    key = RegisteredKey(client_id, organization, x5t_s256(hashlib.sha256(der).digest()), der)
    metadata = ClientMetadata(client_name=f"Client {number}", scope="aisp pisp")
    record = ClientRecord(client_id, organization, metadata, (key,), _AT, _AT, 1)
    request_id = RequestId(str(number))
    entry = LedgerEntry(digest, digest, organization, request_id, client_id, 1, _AT)
    event = AuditEvent(_AT, EventType.CLIENT_REGISTERED, organization, client_id)
    return Change(Creation(record, None), entry, event)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--recheck"]:
        _recheck(Path(sys.argv[2]))
    else:
        main()
