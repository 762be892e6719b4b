from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from eidas.minting import AT, DAY, key, mint, mint_authority, mint_crl
from eidas.refusals import refusal_of
from enrol.eidas.certificate import parse_certificate
from enrol.eidas.crl import RevocationLists, parse_revocation_list
from enrol.eidas.revocation import RevocationEvidence, judge_revocation
from enrol.errors import UnavailableError

SECOND = timedelta(seconds=1)
POINT = x509.UniformResourceIdentifier("http://qtsp.example/1.crl")
ELSEWHERE = x509.UniformResourceIdentifier("http://qtsp.example/2.crl")
OTHER_ISSUER = x509.CertificateIssuer([x509.DirectoryName(x509.Name([]))])
SERIAL = 4711


def scope(**values) -> x509.IssuingDistributionPoint:
    defaults = {
        "full_name": None,
        "relative_name": None,
        "only_contains_user_certs": False,
        "only_contains_ca_certs": False,
        "only_some_reasons": None,
        "indirect_crl": False,
        "only_contains_attribute_certs": False,
    }
    return x509.IssuingDistributionPoint(**(defaults | values))


def points(*names: x509.GeneralName) -> tuple[x509.ExtensionType, bool]:
    return x509.CRLDistributionPoints(
        [x509.DistributionPoint(list(names), None, None, None)]
    ), False


def check_not_revoked(certificate, issuer, evidence, **values) -> None:
    if not judge_revocation(certificate, issuer, evidence, **values).is_known:
        raise UnavailableError("revocation_unknown")


def refusal(authority, *lists: bytes, at=AT, tolerance=timedelta(0), **changes) -> str | None:
    certificate = parse_certificate(mint(authority, serial_number=SERIAL, **changes))
    known = RevocationEvidence.of_lists(lists)
    issuer = authority.certificate
    return refusal_of(check_not_revoked, certificate, issuer, known, at=at, tolerance=tolerance)


def test_a_certificate_on_no_entry_of_a_current_list_passes(qtsp):
    assert refusal(qtsp, mint_crl(qtsp)) is None
    assert refusal(qtsp, mint_crl(qtsp, *range(1, 500))) is None


def test_a_certificate_on_the_list_is_revoked(qtsp):
    assert refusal(qtsp, mint_crl(qtsp, 1, SERIAL, 9)) == "cert_revoked"


def test_a_certificate_on_hold_is_revoked(qtsp):
    hold = [(x509.CRLReason(x509.ReasonFlags.certificate_hold), False)]
    assert refusal(qtsp, mint_crl(qtsp, SERIAL, entry_extra=hold)) == "cert_revoked"


def test_one_of_several_current_lists_is_enough_to_revoke(qtsp):
    assert refusal(qtsp, mint_crl(qtsp), mint_crl(qtsp, SERIAL)) == "cert_revoked"


def test_without_lists_the_status_is_unknown(qtsp):
    assert refusal(qtsp) == "revocation_unknown"
    assert RevocationLists().by_issuer == {}


def test_pem_and_der_are_read(qtsp):
    der = mint_crl(qtsp, SERIAL)
    pem = x509.load_der_x509_crl(der).public_bytes(Encoding.PEM)
    assert refusal(qtsp, der) == refusal(qtsp, pem) == "cert_revoked"


@pytest.mark.parametrize(
    ("at", "tolerance", "expected"),
    [
        (AT - DAY, 0, None),
        (AT - DAY - SECOND, 0, "revocation_unknown"),
        (AT - DAY - SECOND, 1, None),
        (AT + DAY, 0, None),
        (AT + DAY + SECOND, 60, "revocation_unknown"),
    ],
    ids=["at thisUpdate", "before thisUpdate", "within tolerance", "at nextUpdate", "stale"],
)
def test_a_list_speaks_from_this_update_to_next_update(qtsp, at, tolerance, expected):
    crl = mint_crl(qtsp)
    assert refusal(qtsp, crl, at=at, tolerance=tolerance * SECOND) == expected


def test_a_list_of_another_ca_says_nothing(qtsp):
    assert refusal(qtsp, mint_crl(mint_authority("Other"))) == "revocation_unknown"


def test_a_list_signed_by_another_key_says_nothing(qtsp):
    forged = mint_crl(qtsp, private_key=key("forger"))
    assert refusal(qtsp, forged) == "revocation_unknown"
    assert refusal(qtsp, forged, mint_crl(qtsp, SERIAL)) == "cert_revoked"


def test_a_ca_without_crl_sign_signs_no_list():
    authority = mint_authority(usage=("key_cert_sign",))
    assert refusal(authority, mint_crl(authority)) == "revocation_unknown"


@pytest.mark.parametrize(
    ("extension", "expected"),
    [
        pytest.param(scope(only_contains_user_certs=True), None, id="user certificates"),
        pytest.param(scope(only_contains_ca_certs=True), "revocation_unknown", id="CAs"),
        pytest.param(
            scope(only_contains_attribute_certs=True), "revocation_unknown", id="attributes"
        ),
        pytest.param(scope(indirect_crl=True), "revocation_unknown", id="indirect"),
        pytest.param(
            scope(only_some_reasons=frozenset({x509.ReasonFlags.key_compromise})),
            "revocation_unknown",
            id="some reasons",
        ),
        pytest.param(scope(full_name=[POINT, ELSEWHERE]), None, id="the point named"),
        pytest.param(scope(full_name=[ELSEWHERE]), "revocation_unknown", id="another point"),
        pytest.param(
            scope(
                relative_name=x509.RelativeDistinguishedName(
                    [x509.NameAttribute(x509.NameOID.COMMON_NAME, "1")]
                )
            ),
            "revocation_unknown",
            id="a relative name",
        ),
        pytest.param(x509.DeltaCRLIndicator(1), "revocation_unknown", id="delta"),
        pytest.param(
            x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00"),
            "revocation_unknown",
            id="unknown",
        ),
    ],
)
def test_only_a_list_complete_for_the_certificate_speaks(qtsp, extension, expected):
    crl = mint_crl(qtsp, extra=[(extension, True)])
    assert refusal(qtsp, crl, extra=[points(POINT)]) == expected


def test_a_list_for_user_certificates_says_nothing_of_a_ca():
    root = mint_authority("Test Root")
    issuing = parse_certificate(mint_authority("Test Issuing", issuer=root).der)
    for extension, expected in (
        (scope(only_contains_user_certs=True), "revocation_unknown"),
        (scope(only_contains_ca_certs=True), None),
    ):
        lists = RevocationEvidence.of_lists([mint_crl(root, extra=[(extension, True)])])
        assert refusal_of(check_not_revoked, issuing, root.certificate, lists, at=AT) == expected


def test_unknown_extensions_that_are_not_critical_do_no_harm(qtsp):
    unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.60"), b"\x05\x00")
    assert refusal(qtsp, mint_crl(qtsp, extra=[(unknown, False)])) is None


def test_a_list_with_entries_of_other_issuers_says_nothing(qtsp):
    crl = mint_crl(qtsp, 1, entry_extra=[(OTHER_ISSUER, True)])
    assert refusal(qtsp, crl) == "revocation_unknown"


def test_lists_read_one_by_one_are_collected(qtsp):
    other = mint_authority("Other")
    ders = [mint_crl(qtsp), mint_crl(qtsp, SERIAL), mint_crl(other)]
    collected = RevocationLists.of(parse_revocation_list(der) for der in ders)
    names = [one.certificate.subject.public_bytes() for one in (qtsp, other)]
    assert [len(collected.by_issuer[name]) for name in names] == [2, 1]


@given(st.binary(max_size=200))
def test_what_is_no_list_is_refused(data):
    assert refusal_of(parse_revocation_list, data) == "revocation_unknown"


CRL = mint_crl(mint_authority(), 1, SERIAL, 9)


@given(position=st.integers(0, len(CRL) - 1), bit=st.integers(0, 7))
def test_a_list_with_a_flipped_bit_is_never_believed(position, bit):
    authority = mint_authority()
    mutated = bytearray(CRL)
    mutated[position] ^= 1 << bit
    try_parse = refusal_of(parse_revocation_list, bytes(mutated))
    assert try_parse in {None, "revocation_unknown"}
    if try_parse is None:
        assert refusal(authority, bytes(mutated)) in {"revocation_unknown", "cert_revoked"}
