"""The banks under attack, and the TPPs of the attack file: A, B and C."""

import hashlib
import json
import shutil
import sqlite3
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import attacks.clocked_desk
import live.faulty_desk
from attacks.directory import equip
from attacks.issuer import IssuerSite
from attacks.mint import Mint
from attacks.places import HOP, PLACES
from attacks.proxying import ForwardedParty
from attacks.sink import Sink
from enrol.adapters.migration import migrate
from enrol.cli.trust import ensure_snapshot
from enrol.sandbox.folder import create_sandbox
from enrol.sandbox.seed import RandomKeys
from enrol.settings import load_settings
from live.desk import Desk
from live.party import Party
from proxies.front import Front, command_of

Claims = dict[str, str]
"""What the register holds of a token: ``scope`` and ``x5t_s256`` where they are not the usual."""

ROLES = {"A": ("PSP_PI", "PSP_AI", "PSP_IC"), "B": ("PSP_PI", "PSP_AI"), "C": ("PSP_AI",)}
ORGANIZATIONS = {"A": "PSDFR-ACPR-11111", "B": "PSDFR-ACPR-22222", "C": "PSDFR-ACPR-33333"}
KEY_HOSTS = ("cdn.tpp.test", "ac-128.test", "ac-130.test", "victim.test", "sink.test")
"""Where a keyId may lead; each has a budget of its own at the bank."""

_BEHIND_A_PROXY = {
    "limits.rates": "on",
    "limits.registrations_per_minute": 1000,
    "limits.requests_per_minute": 1000,
    "deadlines.idle": 6,
}
SETTINGS: dict[str, dict[str, Any]] = {
    "open": {},
    "discreet": {
        "server.openapi": "false",
        "key_urls.fetch": "false",
        "deadlines.body": 1,
    },
    "crowded": {
        "limits.rates": "on",
        "limits.registrations_per_minute": 1000,
        "limits.requests_per_minute": 1000,
        "limits.clients_per_organization": 5,
    },
    "besieged": {
        "limits.connections": 600,
        "deadlines.headers": 4,
        "deadlines.idle": 3,
        "deadlines.write": 2,
    },
    "cramped": {"deadlines.handshake": 3},
    "closed": {"registration.operations": "read"},
    "plain": {"registration.dialect": "rfc7591"},
    "stating": {"registration.dialect": "./stating.toml"},
    "faulty": {},
    "asking": {},
    "clocked": {},
    "rationed": {
        "limits.rates": "on",
        "limits.registrations_per_minute": 1000,
        "limits.requests_per_minute": 1000,
        "limits.clients_per_organization": 25,
    },
    "uncounted": {
        "limits.rates": "on",
        "limits.registrations_per_minute": 5,
        "limits.redis": "redis://127.0.0.1:1",
    },
    **dict.fromkeys(PLACES, _BEHIND_A_PROXY),
}
"""The banks by name, and what each has set otherwise than a sandbox as it is made.

The closed one has a revocation list that is out of date, the faulty one ports that fail, the asking
one no list at hand and an issuer that fails, the clocked one a clock that is set by hand, the
cramped one may open few files, and the Redis of the uncounted one is not there.
"""


_PROGRAMS = {
    "faulty": live.faulty_desk.__file__,
    "clocked": attacks.clocked_desk.__file__,
    "cramped": str(Path(__file__).with_name("cramped_desk.py")),
}


@dataclass
class Bank:
    """A running desk, the parties that have certificates for it, and the host they may name."""

    desk: Desk
    parties: dict[str, Party]
    mint: Mint
    sink: Sink
    descriptors: int = 0
    front: Front | None = None
    issuer: IssuerSite = field(kw_only=True)

    @property
    def a(self) -> Party:
        return self.parties["A"]

    @property
    def b(self) -> Party:
        return self.parties["B"]

    def count_clients_of(self, party: Party) -> int:
        """Return how many clients an organisation has."""
        sql = "SELECT count(*) FROM clients WHERE organization_identifier = ?"
        return int(self.desk.rows(sql, party.organization)[0][0])

    def count_descriptors(self) -> int:
        """Return how many files and sockets the server has open."""
        return len(list(Path(f"/proc/{self.desk.process.pid}/fd").iterdir()))

    def peak_memory(self) -> int:
        """Return the most that the server ever had resident, in KiB."""
        status = Path(f"/proc/{self.desk.process.pid}/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0])

    def count_events(self, kind: str) -> int:
        """Return how many audit events of a type there are."""
        return int(self.desk.rows("SELECT count(*) FROM audit_events WHERE type = ?", kind)[0][0])

    def has_event(self, request_id: str, code: str) -> bool:
        """Say whether the audit trail soon knows of a refusal."""
        sql = "SELECT count(*) FROM audit_events WHERE request_id = ? AND code = ?"
        return eventually(lambda: self.desk.rows(sql, request_id, code) != [(0,)])

    def stored(self, client_id: str) -> tuple[int, dict[str, Any]] | None:
        """Return version and metadata of a client, None where it is gone."""
        found = self.desk.rows(
            "SELECT version, metadata FROM clients WHERE client_id = ?", client_id
        )
        return (found[0][0], json.loads(found[0][1])) if found else None


class Banks:
    """Banks that share one PKI, each started when it is first asked for."""

    def __init__(
        self, folder: Path, sink: Sink, *, planted: Callable[[bytes], Iterable[Claims]]
    ) -> None:
        self._folder = folder
        self._sink = sink
        self._planted = planted
        self._started: dict[str, Bank] = {}
        self._stack = ExitStack()
        self._issuer = IssuerSite()
        self._stack.callback(self._issuer.close)
        self._template = folder / "template"
        create_sandbox(self._template, keys=RandomKeys(), at=datetime.now(UTC))
        ensure_snapshot(load_settings(self._template / "enrol.toml", {}).refresh_job)
        self._mint = Mint(self._template)
        for kind in ("qwac", "qsealc"):
            revoked = self._mint.issue(kind, ORGANIZATIONS["A"], ROLES["A"], "revoked")
            self._mint.revoke(revoked)
            for letter, organization in ORGANIZATIONS.items():
                self._mint.issue(kind, organization, ROLES[letter])

    def __iter__(self) -> Iterator[Bank]:
        return iter(self._started.values())

    def get(self, name: str) -> Bank:
        """Return the bank of that name, running."""
        if name not in self._started:
            self._started[name] = self._start(name)
        return self._started[name]

    def close(self) -> None:
        """Stop all banks."""
        self._stack.close()

    def _start(self, name: str) -> Bank:
        folder = self._folder / name
        shutil.copytree(self._template, folder)
        with (folder / "enrol.toml").open("a") as file:
            file.write(self._sink.settings(KEY_HOSTS))
        if name == "closed":
            (folder / "ca.crl").write_bytes(self._mint.stale_revocation_list())
        if name == "stating":
            equip(folder)
        migrate(folder / "enrol.db")
        self._plant(folder / "enrol.db")
        desk = Desk(folder, settings=dict(SETTINGS[name]))
        front = self._front(name, desk) if name in PLACES else None
        if name in _PROGRAMS:
            desk.program = (_PROGRAMS[name],)
        if name == "asking":
            desk.settings |= self._issuer.settings
        self._stack.enter_context(desk)
        if front is not None and name != HOP:
            self._stack.enter_context(front)
            desk.port = front.port
        parties = {letter: self._party(desk, letter) for letter in ORGANIZATIONS}
        if front is not None and name == HOP:
            parties = {letter: ForwardedParty(p, front) for letter, p in parties.items()}
        for party in parties.values():
            self._stack.callback(party.close)
        bank = Bank(desk, parties, Mint(folder), self._sink, front=front, issuer=self._issuer)
        bank.descriptors = bank.count_descriptors()
        return bank

    def _front(self, name: str, desk: Desk) -> Front:
        kind = "nginx" if name == HOP else name
        if name != HOP and command_of(kind) is None:
            pytest.skip(f"{kind} is not installed")
        front = Front(kind, self._folder / f"{name}.front", desk.folder)
        front.before(desk)
        return front

    def _party(self, desk: Desk, letter: str) -> Party:
        organization, roles = ORGANIZATIONS[letter], ROLES[letter]
        qwac, qsealc = (self._mint.issue(k, organization, roles) for k in ("qwac", "qsealc"))
        party = Party(desk.port, desk.folder / "server-ca.pem", organization, qwac, qsealc)
        if desk.folder.name == "closed":
            party.use_token(base64url(bytes(32)))
        return party

    def _plant(self, database: Path) -> None:
        """Let the register know tokens of A that no endpoint grants."""
        qwac = self._mint.issue("qwac", ORGANIZATIONS["A"], ROLES["A"])
        bound = base64url(hashlib.sha256(qwac.der).digest())
        connection = sqlite3.connect(database)
        try:
            with connection:
                connection.executemany(
                    "INSERT INTO access_tokens (token_hash, client_id, organization_identifier,"
                    " x5t_s256, scope, expires_at) VALUES (?, 'PSD2_TPPRegister', ?, ?, ?, ?)",
                    [
                        (
                            hashlib.sha256(planted_token(claims).encode()).digest(),
                            ORGANIZATIONS["A"],
                            claims.get("x5t_s256", bound),
                            claims.get("scope", "manageRegistration"),
                            int(time.time() + 3600) * 1000,
                        )
                        for claims in self._planted(qwac.der)
                    ],
                )
        finally:
            connection.close()


def planted_token(claims: Claims) -> str:
    """Return the text of the token that stands for these claims."""
    return base64url(hashlib.sha256(json.dumps(claims, sort_keys=True).encode()).digest())


def base64url(octets: bytes) -> str:
    """Return base64url without padding."""
    return urlsafe_b64encode(octets).rstrip(b"=").decode()


def eventually(condition: Callable[[], bool], *, within: float = 10.0) -> bool:
    """Say whether something comes true in time; looked at again and again."""
    end = time.monotonic() + within
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True
