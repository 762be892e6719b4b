"""An examination and a judgement say the same; the examination says all of it."""

import base64

import pytest
from cryptography.hazmat.primitives import hashes

from eidas.listing import anchors as listed_anchors
from eidas.listing import period, service
from eidas.minting import (
    AT,
    DAY,
    key,
    mint,
    mint_authority,
    mint_crl,
    mint_seal,
    qc_statements,
    rsa_key,
)
from eidas.refusals import refusal_of
from eidas.test_vectors import CASES, RULES, anchors, codes_of, over, use_and_moment
from enrol.eidas.certificate import parse_certificate, parse_pem_certificate
from enrol.eidas.checklist import CHECKS, TOGETHER
from enrol.eidas.examination import Status
from enrol.eidas.examine import conclude_examination, examine, report_on
from enrol.eidas.qcstatements import PspRole
from enrol.eidas.revocation import RevocationEvidence
from enrol.eidas.rules import CertificateRules, CertificateUse
from enrol.eidas.trust import TrustAnchors
from enrol.eidas.trustlist import ListedUse
from enrol.eidas.validate import validate
from enrol.errors import UnavailableError
from vectors import vectors

WEB, SEAL = CertificateUse.QWAC, CertificateUse.QSEALC
DEFAULT = CertificateRules()


def examined(der, use=WEB, *, trust, lists=None, at=AT, rules=DEFAULT, **values):
    first = examine(der, use=use, at=at, trust=trust, rules=rules, **values)
    revocation = RevocationEvidence() if lists is None else lists
    return conclude_examination(first, at=at, revocation=revocation, rules=rules)


def judged(der, use=WEB, *, trust, lists=None, at=AT, rules=DEFAULT, read=parse_certificate):
    return refusal_of(
        lambda: validate(
            read(der),
            use=use,
            at=at,
            trust=trust,
            revocation=RevocationEvidence() if lists is None else lists,
            rules=rules,
        )
    )


def codes(examination, status=None):
    found = [each for each in examination.checks if status in (None, each.status)]
    return {each.code for each in found if each.code is not None}


def by_number(examination):
    return {check.number: check for check in examination.checks}


def assert_agreement(examination, code):
    assert examination.refused_by == code
    assert (examination.status is Status.PASSED) == (code is None)
    assert code is None or code in codes(examination)


@pytest.fixture(scope="module")
def lists(qtsp):
    return RevocationEvidence.of_lists([mint_crl(qtsp)])


def test_every_check_has_its_number():
    numbers = sorted(check.number for check in (*CHECKS, *TOGETHER))
    assert numbers == list(range(1, 30))


@over(CASES)
def test_an_examination_refuses_what_is_refused_and_names_every_code(case):
    use, at = use_and_moment(case)
    pem = vectors("eidas", case["file"]).read_bytes()
    der = der_of(pem)
    values = {"trust": anchors(), "at": at, "rules": RULES}
    examination = examined(der, use, **values)
    assert_agreement(examination, judged(pem, use, read=parse_pem_certificate, **values))
    failed = codes(examination, Status.FAILED)
    expected = codes_of(case)
    unread = {"cert_malformed", "qcstatements_malformed"} & expected
    assert failed == (unread or expected)


def der_of(pem: bytes) -> bytes:
    return base64.b64decode(b"".join(pem.split(b"-----")[2].split()))


FAULTS = {
    "precertificate and CA": {"not_after": AT - DAY, "usage": ("content_commitment",)},
    "RSA 1024, no role": {
        "public_key": rsa_key("weak", 1024).public_key(),
        "qc": qc_statements(roles=()),
    },
    "SHA-224": {"hash_algorithm": hashes.SHA224()},
    "not yet valid": {"not_before": AT + DAY},
    "no qcStatements": {"with_qc": False, "organizations": ()},
    "eseal, no PSD2": {"qc": qc_statements(types=("eseal",), psd2=False)},
    "role name": {"qc": qc_statements(roles=[(PspRole.PSP_AI.oid, "PSP_PI")], nca_name=" ")},
    "authority": {"qc": qc_statements(nca_id="GB-FCA")},
    "no organization": {"organizations": (), "extended": ()},
    "VAT": {"organizations": ("VATFR-12345678",), "qc": qc_statements(compliance=False)},
    "none": {},
}


@pytest.mark.parametrize("name", FAULTS)
@pytest.mark.parametrize("issuer", ["listed", "stranger", "forger"])
def test_an_examination_agrees_with_the_judgement(qtsp, lists, name, issuer):
    authority = {
        "listed": qtsp,
        "stranger": mint_authority("Nobody"),
        "forger": mint_authority(private_key=key("forger")),
    }[issuer]
    der = mint(authority, **FAULTS[name])
    for revocation in (lists, RevocationEvidence()):
        values = {"trust": qtsp.anchors, "lists": revocation}
        assert_agreement(examined(der, **values), judged(der, **values))


def test_all_faults_are_told_where_a_judgement_stops_at_the_first(qtsp, lists):
    der = mint(
        mint_authority("Nobody"),
        not_after=AT - DAY,
        qc=qc_statements(compliance=False, roles=(), nca_id="GB-FCA"),
        usage=("content_commitment",),
    )
    examination = examined(der, trust=qtsp.anchors, lists=lists)
    assert codes(examination) == {
        "cert_expired",
        "cert_issuer_not_listed",
        "cert_not_qualified",
        "psd2_no_role",
        "psd2_nca_not_eea",
        "organization_identifier_nca_mismatch",
        "cert_wrong_key_usage",
    }
    assert examination.refused_by == "cert_expired"


def test_a_passed_check_has_its_clause_and_a_failed_one_says_what_to_do(qtsp, lists):
    found = by_number(examined(mint(qtsp, not_after=AT - DAY), trust=qtsp.anchors, lists=lists))
    assert (found[3].status, found[3].clause) == (Status.PASSED, "RFC 5280 §4.2.1.9")
    assert found[5].remedy == "Renew it at your QTSP and present the new one."


def test_revocation_is_asked_only_of_what_passes_everything_before(qtsp, lists):
    good = examine(mint(qtsp), use=WEB, at=AT, trust=qtsp.anchors)
    assert good.assessed is not None
    assert by_number(good)[24].status is Status.UNDECIDED
    bad = examine(mint(qtsp, organizations=()), use=WEB, at=AT, trust=qtsp.anchors)
    assert bad.assessed is None
    assert conclude_examination(bad, at=AT, revocation=lists) is bad


def test_a_revoked_certificate_fails_and_an_unknown_status_is_undecided(qtsp):
    der = mint(qtsp, serial_number=7)
    revoked = RevocationEvidence.of_lists([mint_crl(qtsp, 7)])
    found = examined(der, trust=qtsp.anchors, lists=revoked)
    assert (found.status, found.refused_by) == (Status.FAILED, "cert_revoked")
    found = examined(der, trust=qtsp.anchors)
    assert (found.status, by_number(found)[24].code) == (Status.UNDECIDED, "revocation_unknown")


def test_without_a_bank_the_path_is_undecided_and_the_rest_is_not(qtsp):
    found = examined(mint(qtsp, organizations=()), trust=None)
    statuses = {number: check.status for number, check in by_number(found).items()}
    assert {statuses[n] for n in (6, 7, 8, 9, 24)} == {Status.UNDECIDED}
    assert statuses[20] is Status.FAILED
    assert examined(mint(qtsp), trust=None).status is Status.UNDECIDED


def test_a_bank_without_lists_says_so(qtsp):
    trust = UnavailableError("trust_list_unavailable")
    found = examined(mint(qtsp), trust=trust)
    assert (found.status, found.refused_by) == (Status.UNDECIDED, "trust_list_unavailable")
    assert by_number(found)[6].code == "trust_list_unavailable"
    assert by_number(found)[7].status is Status.UNDECIDED


def test_anchors_without_lists_leave_the_lists_undecided(qtsp, lists):
    found = by_number(examined(mint(qtsp), trust=qtsp.anchors, lists=lists))
    assert found[7].status is Status.PASSED
    assert {found[n].status for n in (6, 8, 9)} == {Status.UNDECIDED}


LISTINGS = {
    "good": (period(), None),
    "withdrawn": (period(status="withdrawn"), "cert_not_qualified_at_now"),
    "later": (period(AT - DAY), "cert_not_qualified_at_issue"),
    "seals": (period(uses=(ListedUse.ESEAL,)), "service_not_for_web"),
}


@pytest.mark.parametrize(("one", "code"), LISTINGS.values(), ids=LISTINGS)
def test_what_the_lists_say_is_told_by_number(qtsp, lists, one, code):
    trust = listed_anchors(service(qtsp, periods=(one,)))
    found = examined(mint(qtsp), trust=trust, lists=lists)
    assert_agreement(found, judged(mint(qtsp), trust=trust, lists=lists))
    assert found.refused_by == code
    statuses = [by_number(found)[number].status for number in (6, 7)]
    assert statuses == [Status.PASSED, Status.PASSED]


def test_ended_and_missing_lists_leave_it_undecided(qtsp, lists):
    der = mint(qtsp)
    ended = listed_anchors(service(qtsp))
    stranger = mint(mint_authority("Nobody"))
    missing = listed_anchors(service(qtsp), missing=("FR",))
    for trust, presented, at in ((ended, der, AT + 31 * DAY), (missing, stranger, AT)):
        found = examined(presented, trust=trust, lists=lists, at=at)
        assert_agreement(found, judged(presented, trust=trust, lists=lists, at=at))
        assert by_number(found)[6].code == "trust_list_unavailable"


def test_no_anchor_at_all_is_no_trust(qtsp, lists):
    found = examined(mint(qtsp), trust=TrustAnchors(), lists=lists)
    assert_agreement(found, "trust_list_unavailable")


def test_a_certificate_that_cannot_be_read_fails_one_check_and_no_other():
    found = examined(b"\x30\x00", trust=None)
    assert codes(found, Status.FAILED) == {"cert_malformed"}
    assert {check.status for check in found.checks[1:]} == {Status.UNDECIDED}
    assert found.report().facts is None


def pair(qtsp, lists, **seal):
    qwac = examined(mint(qtsp), trust=qtsp.anchors, lists=lists)
    qsealc = examined(mint_seal(qtsp, **seal), SEAL, trust=qtsp.anchors, lists=lists)
    return report_on((qwac, qsealc), at=AT)


def test_a_pair_of_one_psp_passes(qtsp, lists):
    report = pair(qtsp, lists)
    assert report.status is Status.PASSED
    assert [(each.number, each.status) for each in report.together] == [
        (23, Status.PASSED),
        (29, Status.UNDECIDED),
    ]


def test_a_pair_of_two_psps_fails(qtsp, lists):
    report = pair(qtsp, lists, organizations=("PSDFR-ACPR-22222",))
    assert report.status is Status.FAILED
    assert report.together[0].code == "certificates_disagree"
    assert [each.status for each in report.certificates] == [Status.PASSED, Status.PASSED]


def test_a_pair_is_compared_whatever_else_is_wrong_with_it(qtsp, lists):
    report = pair(qtsp, lists, not_after=AT - DAY)
    assert report.status is Status.FAILED
    assert report.together[0].status is Status.PASSED


def test_a_pair_of_which_one_names_nobody_is_not_compared(qtsp, lists):
    report = pair(qtsp, lists, organizations=())
    assert report.together[0].status is Status.UNDECIDED


def test_the_facts_are_what_the_certificate_says(qtsp, lists):
    facts = examined(mint(qtsp), trust=qtsp.anchors, lists=lists).report().facts
    assert facts.organization_identifiers == ("PSDFR-ACPR-12345",)
    assert (facts.psp_roles, facts.nca_id, facts.key) == (("PSP_AI",), "FR-ACPR", "EC secp256r1")
    assert facts.issuer == "CN=Test QTSP,C=FR"
    assert facts.not_after == AT + 30 * DAY
