"""Nothing that calls itself a certificate is more than refused."""

import warnings
from functools import cache

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eidas.listing import anchors as listed_anchors
from eidas.listing import service
from eidas.minting import AT, key, mint, mint_authority, mint_crl, mint_seal, qc_statements
from eidas.refusals import refusal_of
from enrol.eidas.certificate import parse_certificate, parse_pem_certificate
from enrol.eidas.examination import Status
from enrol.eidas.examine import conclude_examination, examine, report_on
from enrol.eidas.pem import split_pem
from enrol.eidas.revocation import RevocationEvidence
from enrol.eidas.rules import CertificateUse
from enrol.eidas.validate import validate
from enrol.explanations import EXPLANATIONS
from vectors import SHARED

FOLDER = SHARED / "vectors" / "eidas"
FILES = sorted(FOLDER.glob("*/*.pem")) if FOLDER.exists() else []
BRISK = settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@cache
def authority():
    return mint_authority("Robust QTSP", private_key=key("robust"))


@cache
def seeds() -> tuple[bytes, ...]:
    """Certificates to be damaged: minted ones that pass, and all the real ones at hand."""
    qtsp = authority()
    minted = [mint(qtsp), mint_seal(qtsp), mint(qtsp, qc_critical=True), qtsp.der]
    minted.append(mint(qtsp, qc=qc_statements(roles=(), nca_name="")))
    real = [split_pem(file.read_bytes()) for file in FILES]
    return (*minted, *(each[0] for each in real if each))


@cache
def evidence() -> RevocationEvidence:
    return RevocationEvidence.of_lists([mint_crl(authority())])


@cache
def trusts():
    qtsp = authority()
    return (qtsp.anchors, listed_anchors(service(qtsp)), None)


@st.composite
def damaged(draw) -> bytes:
    """A certificate of which some octets are others, are gone, or stand twice."""
    data = bytearray(draw(st.sampled_from(seeds())))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, max(0, len(data) - 1)))
        match draw(st.sampled_from(("change", "cut", "repeat", "insert", "swap"))):
            case "change":
                data[at : at + 1] = draw(st.binary(min_size=1, max_size=1))
            case "cut":
                del data[at : at + draw(st.integers(1, 40))]
            case "repeat":
                data[at:at] = data[at : at + draw(st.integers(1, 40))]
            case "insert":
                data[at:at] = draw(st.binary(min_size=1, max_size=8))
            case "swap":
                other = draw(st.integers(0, max(0, len(data) - 1)))
                data[at : at + 1], data[other : other + 1] = (
                    data[other : other + 1],
                    data[at : at + 1],
                )
    return bytes(data)


def assert_only_refused(der: bytes) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        code = refusal_of(parse_certificate, der)
        assert code is None or code in EXPLANATIONS
        for use in CertificateUse:
            for trust in trusts():
                assert_agreement(der, use, trust)


def assert_agreement(der: bytes, use: CertificateUse, trust) -> None:
    first = examine(der, use=use, at=AT, trust=trust)
    found = conclude_examination(first, at=AT, revocation=evidence())
    report = report_on([found], at=AT)
    assert {check.code for check in report.checks} - EXPLANATIONS.keys() <= {None}
    if trust is None:
        return
    code = refusal_of(
        lambda: validate(parse_certificate(der), use=use, at=AT, trust=trust, revocation=evidence())
    )
    assert found.refused_by == code
    assert (found.status is Status.PASSED) == (code is None)
    assert code is None or code in {check.code for check in found.checks}


@BRISK
@given(damaged())
def test_damaged_certificates_are_refused_and_nothing_else_happens(der):
    assert_only_refused(der)


@BRISK
@given(st.binary(max_size=400))
def test_octets_are_refused_and_nothing_else_happens(der):
    assert_only_refused(der)
    refusal_of(parse_pem_certificate, der)
    refusal_of(split_pem, der)


def test_every_certificate_at_hand_is_examined_as_it_is_judged():
    for der in seeds():
        assert_only_refused(der)


@BRISK
@given(st.data())
def test_a_qcstatements_extension_of_any_octets_is_refused_and_nothing_else_happens(data):
    value = bytearray(qc_statements())
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(value) - 1))
        value[at] = data.draw(st.integers(0, 255))
    assert_only_refused(mint(authority(), qc=bytes(value)))
