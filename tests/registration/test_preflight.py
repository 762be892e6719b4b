"""The examination before a registration: what it goes by, and what it asks nobody for."""

from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest

from eidas.minting import AT, Authority, mint, mint_authority, mint_crl, mint_seal
from enrol.eidas.examination import ExaminationReport, Status
from enrol.eidas.register import EntityType, RegisterEntry
from enrol.eidas.revocation import RevocationEvidence
from enrol.eidas.rules import CertificateRules
from enrol.errors import CertificateError, UnavailableError
from enrol.registration.entitlement import Entitlement, EntitlementRules, RegisterMode
from enrol.registration.ports import RegisterAnswer
from enrol.registration.preflight import PreflightDesk


class Revocations:
    """What a QTSP revoked, and of whom it was asked."""

    def __init__(self, qtsp: Authority) -> None:
        self._evidence = RevocationEvidence.of_lists([mint_crl(qtsp)])
        self.asked: list[bytes] = []

    def basis(self) -> object:
        return self._evidence

    async def evidence_for(self, assessed: Any, *, at: object) -> RevocationEvidence:
        self.asked.append(assessed.certificate.der)
        return self._evidence


@pytest.fixture(scope="module")
def qtsp() -> Authority:
    return mint_authority("Preflight QTSP")


@pytest.fixture
def revocations(qtsp: Authority) -> Revocations:
    return Revocations(qtsp)


def desk(qtsp: Authority, revocations: Revocations, **changes: Any) -> PreflightDesk:
    values = {
        "trust": SimpleNamespace(anchors=lambda: qtsp.anchors),
        "revocations": revocations,
        "rules": CertificateRules(),
        "entitlement": Entitlement(None),
    }
    return PreflightDesk(**(values | changes))


def without_trust() -> Any:
    def anchors() -> Any:
        raise UnavailableError("trust_list_unavailable")

    return SimpleNamespace(anchors=anchors)


def register(*status_changes: date) -> Any:
    entry = RegisterEntry(
        authority="FR_ACPR",
        code="FR_ACPR!12345",
        entity_type=EntityType.ACCOUNT_INFORMATION,
        name="Acme",
        reference=None,
        status_changes=status_changes,
        services=(("FR", frozenset({"PS_080"})),),
    )
    answer = RegisterAnswer((entry,), AT)
    return SimpleNamespace(numbered=lambda _: answer, coded=lambda _: answer)


def check(report: ExaminationReport, number: int, certificate: int = 0) -> Any:
    checks = report.certificates[certificate].checks
    return next(each for each in checks if each.number == number)


async def test_a_good_pair_passes(qtsp: Authority, revocations: Revocations) -> None:
    report = await desk(qtsp, revocations).examine_connection(mint(qtsp), (mint_seal(qtsp),), at=AT)
    assert report.status is Status.PASSED
    assert len(revocations.asked) == 2
    assert check(report, 27).status is Status.PASSED
    assert check(report, 27, certificate=1).status is Status.UNDECIDED


@pytest.mark.parametrize("kind", ["stranger", "forger", "not qualified", "unreadable"])
async def test_nobody_is_asked_about_a_stranger(
    qtsp: Authority, revocations: Revocations, kind: str
) -> None:
    der = {
        "stranger": lambda: mint(mint_authority("Nobody")),
        "forger": lambda: mint(mint_authority("Preflight QTSP", private_key=qtsp_key())),
        "not qualified": lambda: mint(qtsp, with_qc=False),
        "unreadable": lambda: b"\x30\x00",
    }[kind]()
    report = await desk(qtsp, revocations).examine_connection(der, (der,), at=AT)
    assert report.status is Status.FAILED
    assert revocations.asked == []


def qtsp_key() -> Any:
    return mint_authority("Another").key


async def test_a_connection_without_certificate_is_refused(
    qtsp: Authority, revocations: Revocations
) -> None:
    with pytest.raises(CertificateError, match="client_certificate_missing"):
        await desk(qtsp, revocations).examine_connection(None, (), at=AT)
    with pytest.raises(UnavailableError, match="trust_list_unavailable"):
        await desk(qtsp, revocations, trust=without_trust()).examine_connection(None, (), at=AT)


async def test_without_trust_the_path_is_undecided(
    qtsp: Authority, revocations: Revocations
) -> None:
    without = desk(qtsp, revocations, trust=without_trust())
    report = await without.examine_connection(mint(qtsp), (), at=AT)
    assert report.status is Status.UNDECIDED
    assert check(report, 6).code == "trust_list_unavailable"
    assert check(report, 13).status is Status.PASSED


@pytest.mark.parametrize(
    ("mode", "days", "status", "whole"),
    [
        (RegisterMode.OFF, (), Status.UNDECIDED, Status.PASSED),
        (RegisterMode.WARN, (2019, 2021), Status.UNDECIDED, Status.PASSED),
        (RegisterMode.ENFORCE, (2019, 2021), Status.FAILED, Status.FAILED),
        (RegisterMode.ENFORCE, (2019,), Status.PASSED, Status.PASSED),
    ],
)
async def test_the_register_is_asked_as_strictly_as_a_registration_does(
    qtsp: Authority,
    revocations: Revocations,
    mode: RegisterMode,
    days: tuple[int, ...],
    status: Status,
    whole: Status,
) -> None:
    licences = register(*(date(year, 1, 1) for year in days))
    entitlement = Entitlement(licences, EntitlementRules(mode=mode))
    asked = desk(qtsp, revocations, entitlement=entitlement)
    report = await asked.examine_connection(mint(qtsp), (), at=AT)
    assert (check(report, 25).status, report.status) == (status, whole)
