"""Verdicts on certificates: whom issuers are asked about, and how long an answer serves."""

from datetime import timedelta

import pytest

from eidas.minting import AT, DAY, mint, mint_authority, mint_crl, mint_ocsp, mint_seal
from enrol.eidas.certificate import parse_certificate
from enrol.eidas.crl import parse_revocation_lists
from enrol.eidas.ocsp import parse_ocsp_response
from enrol.eidas.revocation import RevocationEvidence
from enrol.eidas.rules import CertificateRules
from enrol.errors import RefusalError
from enrol.registration.certificates import CertificateJudge

SECOND = timedelta(seconds=1)


class Trust:
    """Whom the bank trusts."""

    def __init__(self, authority) -> None:
        self._anchors = authority.anchors

    def anchors(self):
        return self._anchors


class Issuers:
    """A `RevocationSource` that remembers whom it was asked about."""

    def __init__(self, *responses: bytes, lists=(), ask_again_at=None) -> None:
        self.evidence = RevocationEvidence(
            tuple(map(parse_ocsp_response, responses)), parse_revocation_lists(lists), ask_again_at
        )
        self.ground = object()
        self.asked: list[bytes] = []

    def basis(self) -> object:
        return self.ground

    async def evidence_for(self, assessed, *, at) -> RevocationEvidence:
        self.asked.append(assessed.certificate.der)
        return self.evidence


@pytest.fixture
def qtsp():
    return mint_authority()


def judge_of(authority, issuers: Issuers, **rules) -> CertificateJudge:
    return CertificateJudge(Trust(authority), issuers, CertificateRules(**rules))


async def code_of(judge: CertificateJudge, der: bytes, *, at=AT, seal: bool = False) -> str | None:
    try:
        await (judge.qsealc(der, at=at) if seal else judge.qwac(der, at=at))
    except RefusalError as exc:
        return exc.code
    return None


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda _: mint(mint_authority("Stranger")), "cert_issuer_not_listed"),
        (lambda qtsp: mint(qtsp, not_after=AT - DAY), "cert_expired"),
        (lambda qtsp: mint(qtsp, with_qc=False), "qcstatements_missing"),
        (lambda qtsp: mint(qtsp, organizations=()), "organization_identifier_malformed"),
        (lambda qtsp: mint(qtsp, usage=("key_agreement",)), "cert_wrong_key_usage"),
        (mint_seal, "cert_wrong_qctype"),
    ],
    ids=["a stranger", "expired", "not qualified", "of nobody", "of another use", "a seal"],
)
async def test_issuers_are_asked_about_nobody_who_is_refused_anyway(qtsp, make, code):
    issuers = Issuers()
    assert await code_of(judge_of(qtsp, issuers), make(qtsp)) == code
    assert issuers.asked == []


async def test_silence_is_no_consent(qtsp):
    der = mint(qtsp)
    assert await code_of(judge_of(qtsp, Issuers()), der) == "revocation_unknown"
    judge = judge_of(qtsp, Issuers(), revocation_required=False)
    verdict = await judge.qwac(der, at=AT)
    assert verdict.deviations == ("revocation_unchecked",)


async def test_a_verdict_says_what_it_rests_on(qtsp):
    der = mint(qtsp)
    answer, crl = mint_ocsp(qtsp, der), mint_crl(qtsp)
    verdict = await judge_of(qtsp, Issuers(answer, lists=[crl])).qwac(der, at=AT)
    assert verdict.revocation_answers == (("ocsp", answer), ("crl", crl))
    assert verdict.issuers == (qtsp.der,)


@pytest.mark.parametrize(
    ("issuers", "until"),
    [
        (lambda der, qtsp: Issuers(mint_ocsp(qtsp, der, next_update=AT + SECOND)), SECOND),
        (lambda der, qtsp: Issuers(lists=[mint_crl(qtsp, next_update=AT + SECOND)]), SECOND),
        (
            lambda der, qtsp: Issuers(lists=[mint_crl(qtsp)], ask_again_at=AT + SECOND),
            SECOND,
        ),
        (lambda _, qtsp: Issuers(lists=[mint_crl(qtsp)]), timedelta(hours=1)),
    ],
    ids=["end of the answer", "end of the list", "time to ask again", "an hour"],
)
async def test_a_good_verdict_is_kept_until_its_answers_end(qtsp, issuers, until):
    der = mint(qtsp)
    source = issuers(der, qtsp)
    judge = judge_of(qtsp, source)
    for moment in (AT, AT + until - timedelta(microseconds=1)):
        assert await code_of(judge, der, at=moment) is None
    assert source.asked == [der]
    await code_of(judge, der, at=AT + until)
    assert source.asked == [der, der]


async def test_a_refusal_is_never_kept(qtsp):
    der = mint(qtsp)
    source = Issuers(mint_ocsp(qtsp, der, "revoked"))
    judge = judge_of(qtsp, source)
    assert await code_of(judge, der) == await code_of(judge, der) == "cert_revoked"
    source.evidence = Issuers(mint_ocsp(qtsp, der)).evidence
    assert await code_of(judge, der) is None


async def test_verdicts_end_with_what_they_rest_on(qtsp):
    der = mint(qtsp)
    source = Issuers(lists=[mint_crl(qtsp)])
    judge = judge_of(qtsp, source)
    assert await code_of(judge, der) is None
    source.ground = object()
    source.evidence = Issuers(lists=[mint_crl(qtsp, serial_number(der))]).evidence
    assert await code_of(judge, der) == "cert_revoked"


def serial_number(der: bytes) -> int:
    return parse_certificate(der).serial_number
