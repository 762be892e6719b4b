"""Stored clients judged anew: who is suspended, who is resumed, and who is left alone."""

import asyncio
import json
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from dialects import STET
from eidas.minting import mint_authority, mint_crl, mint_seal, qc_statements
from enrol.eidas.crl import parse_revocation_lists
from enrol.eidas.organization import OrganizationIdentifier
from enrol.eidas.qcstatements import PspRole
from enrol.eidas.revocation import RevocationEvidence
from enrol.eidas.validate import CertificateRules
from enrol.errors import EntitlementError, UnavailableError
from enrol.oauth.metadata import ClientMetadata
from enrol.oauth.types import ClientId, X5tS256
from enrol.registration.audit import EventType
from enrol.registration.certificates import CertificateJudge
from enrol.registration.entitlement import Licence
from enrol.registration.record import ClientRecord, RegisteredKey
from enrol.registration.standing import AT_ONCE, Pace, Recheck
from enrol.registration.states import (
    AWAITING_APPROVAL,
    AWAITING_EFFECT,
    REJECTED_BY_BANK,
    SUSPENDED_BY_BANK,
    Standing,
    State,
)

AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
ACME = OrganizationIdentifier("PSDFR-ACPR-12345")
BOTH = [(role.oid, role.value) for role in (PspRole.PSP_AI, PspRole.PSP_PI)]
QTSP = mint_authority("Standing QTSP")
REVOKED_SERIAL = 4711


def seal(*, roles=BOTH, **changes) -> bytes:
    return mint_seal(QTSP, qc=qc_statements(types=("eseal",), roles=roles), **changes)


GOOD = seal()
EXPIRED = seal(not_after=AT - timedelta(days=1))
REVOKED = seal(serial_number=REVOKED_SERIAL)
FOREIGN = mint_seal(mint_authority("Unlisted"))
AI_ONLY = seal(roles=BOTH[:1])
OTHERS = seal(organizations=("PSDFR-ACPR-99999",))


class Trust:
    def anchors(self):
        return QTSP.anchors


class Revocations:
    def __init__(self):
        crl = mint_crl(QTSP, REVOKED_SERIAL)
        self.lists = parse_revocation_lists((crl,))
        self.is_silent = False

    def basis(self):
        return self

    async def evidence_for(self, assessed, *, at):
        return RevocationEvidence() if self.is_silent else RevocationEvidence(lists=self.lists)


class Licences:
    def __init__(self, refusal=None, roles=frozenset(PspRole)):
        self.refusal, self.roles = refusal, roles

    def judge(self, identifier, roles, *, at):
        if self.refusal is not None:
            raise self.refusal
        return Licence(roles & self.roles)


class Clients:
    def __init__(self, *records):
        self.records = sorted(records, key=lambda record: record.client_id)
        self.longest = 0

    async def page(self, after, limit):
        page = tuple([one for one in self.records if one.client_id > after][:limit])
        self.longest = max(self.longest, len(page))
        return page


def client(*ders, name="client-1", scope="aisp pisp", suspended=None) -> ClientRecord:
    client_id = ClientId(name)
    keys = tuple(RegisteredKey(client_id, ACME, X5tS256("x"), der) for der in ders)
    state = Standing(State.SUSPENDED, suspended, AT) if suspended else None
    return ClientRecord(client_id, ACME, ClientMetadata(scope=scope), keys, AT, AT, 3, state)


def run(*records, licences=None, revocations=None, clients=None, pace=None):
    async def all_changes():
        recheck = Recheck(
            judge=CertificateJudge(Trust(), revocations or Revocations(), CertificateRules()),
            entitlement=licences or Licences(),
            dialect=STET,
            at=AT,
            pace=pace,
        )
        changes = [one async for one in recheck.changes(clients or Clients(*records))]
        return changes, recheck.report

    return asyncio.run(all_changes())


def test_a_client_in_good_standing_is_left_alone():
    changes, report = run(client(GOOD))
    assert changes == [None]
    assert (report.clients, report.certificates, report.suspended) == (1, 1, 0)


LOST = [
    pytest.param("cert_expired", client(EXPIRED), {}, id="expired"),
    pytest.param("cert_revoked", client(REVOKED), {}, id="revoked"),
    pytest.param("cert_issuer_not_listed", client(FOREIGN), {}, id="issuer not listed"),
    pytest.param("certificates_disagree", client(OTHERS), {}, id="of another organisation"),
    pytest.param("cert_malformed", client(b"no certificate"), {}, id="unreadable"),
    pytest.param("cert_revoked", client(EXPIRED, REVOKED), {}, id="the newest of two"),
    pytest.param("role_insufficient", client(AI_ONLY), {}, id="role lost"),
    pytest.param(
        "psp_not_authorised",
        client(GOOD),
        {"licences": Licences(EntitlementError("psp_not_authorised"))},
        id="licence withdrawn",
    ),
    pytest.param(
        "role_insufficient",
        client(GOOD),
        {"licences": Licences(roles=frozenset({PspRole.PSP_AI}))},
        id="service withdrawn",
    ),
]


@pytest.mark.parametrize(("code", "record", "others"), LOST)
def test_a_client_whose_trust_is_lost_is_suspended_and_told_why(code, record, others):
    (change,), report = run(record, **others)
    assert change is not None
    assert (change.before, change.after) == (None, Standing(State.SUSPENDED, code, AT))
    assert (change.client_id, change.version) == ("client-1", 3)
    assert report.suspended == 1
    assert (change.event.type, change.event.code) == (EventType.CLIENT_SUSPENDED, code)
    assert json.loads(change.event.evidence)["restored_by"]


@pytest.mark.parametrize(("code", "record", "others"), LOST)
def test_a_client_that_is_suspended_stays_so(code, record, others):
    suspended = client(*(key.certificate for key in record.keys), suspended="cert_expired")
    assert run(suspended, **others)[0] == [None]


def test_a_client_whose_trust_is_back_is_resumed():
    (change,), report = run(client(GOOD, suspended="cert_not_qualified_at_now"))
    assert change is not None
    assert (change.before, change.after) == (Standing(State.SUSPENDED, change.event.code, AT), None)
    assert report.resumed == 1
    expected = (EventType.CLIENT_RESUMED, "cert_not_qualified_at_now")
    assert (change.event.type, change.event.code) == expected


@pytest.mark.parametrize("der", [GOOD, REVOKED])
@pytest.mark.parametrize(
    "standing",
    [
        Standing(State.SUSPENDED, SUSPENDED_BY_BANK, AT, "Fraud", "ann"),
        Standing(State.PENDING, AWAITING_APPROVAL, AT),
        Standing(State.PENDING, AWAITING_EFFECT, AT, effective_at=AT + timedelta(seconds=1)),
        Standing(State.REJECTED, REJECTED_BY_BANK, AT, "Fraud", "ann"),
    ],
    ids=["suspended by the bank", "not approved", "not yet in effect", "rejected"],
)
def test_what_the_bank_decides_the_recheck_leaves_alone(standing, der):
    assert run(replace(client(der), standing=standing))[0] == [None]


def test_a_client_whose_time_has_come_is_rechecked_as_an_active_one():
    due = Standing(State.PENDING, AWAITING_EFFECT, AT, effective_at=AT)
    (change,), _ = run(replace(client(REVOKED), standing=due))
    assert (change.before, change.after.state) == (due, State.SUSPENDED)


def test_one_good_certificate_is_enough():
    assert run(client(EXPIRED, GOOD))[0] == run(client(GOOD, EXPIRED))[0] == [None]


@pytest.mark.parametrize("suspended", [None, "cert_revoked"])
@pytest.mark.parametrize("cause", ["revocation", "register"])
def test_what_cannot_be_known_changes_nothing(suspended, cause):
    revocations, licences = Revocations(), Licences(UnavailableError("register_unavailable"))
    revocations.is_silent = cause == "revocation"
    others = {"licences": licences} if cause == "register" else {"revocations": revocations}
    changes, report = run(client(GOOD, suspended=suspended), **others)
    assert changes == [None]
    assert report.undecided == 1


def test_a_client_without_certificates_has_its_licence_only():
    assert run(client())[0] == [None]
    (change,), _ = run(client(), licences=Licences(EntitlementError("psp_not_in_register")))
    assert change is not None


def test_scopes_without_a_role_need_none():
    assert run(client(AI_ONLY, scope="aisp"))[0] == [None]
    assert run(client(AI_ONLY, scope=""))[0] == [None]


def test_certificates_are_judged_once_and_clients_come_in_pages():
    records = [client(GOOD, AI_ONLY, name=f"client-{number:04}") for number in range(450)]
    clients = Clients(*records)
    changes, report = run(clients=clients)
    assert changes == [None] * 450
    assert (report.clients, report.certificates) == (450, 2)
    assert clients.longest == AT_ONCE


def test_the_pace_is_kept():
    pauses = []

    async def pause():
        pauses.append(1)

    ders = [seal(serial_number=number) for number in range(1, 6)]
    run(client(*ders), pace=Pace(at_once=2, pause=pause))
    assert len(pauses) == 3


SOON = seal(not_after=AT + timedelta(days=29))


@pytest.mark.parametrize(
    ("ders", "expiring"),
    [((GOOD,), 0), ((SOON,), 1), ((SOON, GOOD), 0), ((SOON, EXPIRED), 1), ((EXPIRED,), 0), ((), 0)],
    ids=["far", "soon", "one of two", "the other has ended", "ended", "none"],
)
def test_a_client_expires_when_its_last_good_certificate_does(ders, expiring):
    assert run(client(*ders))[1].expiring == expiring
