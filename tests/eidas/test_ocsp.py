"""OCSP: what an answer says about which certificate, and for how long (RFC 6960)."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509 import ocsp
from hypothesis import given
from hypothesis import strategies as st

from eidas.answers import SERIAL, check, refusal, with_statements
from eidas.minting import AT, key, mint, mint_authority, mint_crl, mint_ocsp, mint_responder
from eidas.refusals import refusal_of
from enrol.eidas.certificate import parse_certificate, parse_pem_certificate
from enrol.eidas.ocsp import ocsp_request, parse_ocsp_response
from enrol.eidas.responder import find_signer
from enrol.eidas.revocation import GroundKind, RevocationEvidence, judge_revocation
from enrol.errors import UnavailableError
from vectors import vectors

HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
KNOWN_BY_NAME = ocsp.OCSPResponderEncoding.NAME


# What is said


def test_a_good_certificate_passes_until_the_answer_ends(qtsp, leaf):
    answer = mint_ocsp(qtsp, leaf)
    status = check(leaf, qtsp, answer)
    assert status.grounds == ((GroundKind.OCSP, answer),)
    assert status.until == AT + HOUR


def test_a_revoked_certificate_is_refused(qtsp, leaf):
    assert refusal(leaf, qtsp, mint_ocsp(qtsp, leaf, "revoked")) == "cert_revoked"


def test_an_unknown_certificate_is_undecided_until_a_list_speaks(qtsp, leaf):
    answer = mint_ocsp(qtsp, leaf, "unknown")
    assert refusal(leaf, qtsp, answer) == "revocation_unknown"
    assert refusal(leaf, qtsp, answer, lists=[mint_crl(qtsp)]) is None
    assert refusal(leaf, qtsp, answer, lists=[mint_crl(qtsp, SERIAL)]) == "cert_revoked"


@pytest.mark.parametrize("order", [1, -1], ids=["good first", "revoked first"])
def test_revoked_wins_over_any_good(qtsp, leaf, order):
    answers = [mint_ocsp(qtsp, leaf), mint_ocsp(qtsp, leaf, "revoked")][::order]
    assert refusal(leaf, qtsp, *answers) == "cert_revoked"
    good, listed = mint_ocsp(qtsp, leaf), mint_crl(qtsp, SERIAL)
    assert refusal(leaf, qtsp, good, lists=[listed]) == "cert_revoked"
    revoked, unlisted = mint_ocsp(qtsp, leaf, "revoked"), mint_crl(qtsp)
    assert refusal(leaf, qtsp, revoked, lists=[unlisted]) == "cert_revoked"


@pytest.mark.parametrize(
    "algorithm", [hashes.SHA1(), hashes.SHA256(), hashes.SHA384(), hashes.SHA512()]
)
def test_a_certid_may_be_made_with_any_usual_digest(qtsp, leaf, algorithm):
    assert refusal(leaf, qtsp, mint_ocsp(qtsp, leaf, certid_hash=algorithm)) is None


def test_a_certid_with_another_digest_says_nothing(qtsp, leaf):
    answer = mint_ocsp(qtsp, leaf, certid_hash=hashes.SHA224())
    assert refusal(leaf, qtsp, answer) == "revocation_unknown"


@pytest.mark.parametrize("algorithm", [hashes.SHA1(), hashes.SHA256()])
def test_an_answer_about_another_certificate_says_nothing(qtsp, leaf, algorithm):
    other = mint_ocsp(qtsp, mint(qtsp, serial_number=SERIAL + 1), certid_hash=algorithm)
    assert refusal(leaf, qtsp, other) == "revocation_unknown"
    elsewhere = mint_authority("Other QTSP")
    same_number = mint(elsewhere, serial_number=SERIAL)
    answer = mint_ocsp(elsewhere, same_number, certid_hash=algorithm)
    assert refusal(leaf, qtsp, answer) == "revocation_unknown"
    renewed = mint_authority(private_key=key("another key of the same name"))
    answer = mint_ocsp(renewed, mint(renewed, serial_number=SERIAL), certid_hash=algorithm)
    assert refusal(leaf, qtsp, answer) == "revocation_unknown"


def test_name_and_key_of_the_issuer_must_both_be_right(qtsp, leaf):
    same_name = mint_authority(private_key=key("another key of the same name"))
    assert refusal(leaf, qtsp, mint_ocsp(qtsp, leaf, about=same_name)) == "revocation_unknown"
    same_key = mint_authority("Another name", private_key=qtsp.key)
    of_another_name = mint(same_key, serial_number=SERIAL)
    assert refusal(leaf, qtsp, mint_ocsp(qtsp, of_another_name)) == "revocation_unknown"


def test_the_certificate_is_found_among_several(qtsp, leaf):
    others = [mint(qtsp, serial_number=number) for number in (1, 2)]
    about_others = [mint_ocsp(qtsp, other) for other in others]
    first, *rest = [*about_others, mint_ocsp(qtsp, leaf)]
    assert refusal(leaf, qtsp, with_statements(first, *rest, signer=qtsp.key)) is None
    first, *rest = [*about_others, mint_ocsp(qtsp, leaf, "revoked")]
    assert refusal(leaf, qtsp, with_statements(first, *rest, signer=qtsp.key)) == "cert_revoked"
    first, *rest = about_others
    answer = with_statements(first, *rest, signer=qtsp.key)
    assert refusal(leaf, qtsp, answer) == "revocation_unknown"


def test_revoked_wins_within_one_answer(qtsp, leaf):
    both = mint_ocsp(qtsp, leaf, "revoked")
    answer = with_statements(mint_ocsp(qtsp, leaf), both, signer=qtsp.key)
    assert refusal(leaf, qtsp, answer) == "cert_revoked"


# When


@pytest.mark.parametrize(
    ("at", "tolerance", "expected"),
    [
        (AT - HOUR, 0, None),
        (AT - HOUR - SECOND, 0, "revocation_unknown"),
        (AT - HOUR - 60 * SECOND, 60, None),
        (AT - HOUR - 61 * SECOND, 60, "revocation_unknown"),
        (AT + HOUR, 0, None),
        (AT + HOUR + SECOND, 60, "revocation_unknown"),
    ],
    ids=[
        *("at thisUpdate", "before thisUpdate", "within tolerance", "beyond it"),
        *("at nextUpdate", "stale"),
    ],
)
def test_an_answer_speaks_from_this_update_to_next_update(qtsp, leaf, at, tolerance, expected):
    answer = mint_ocsp(qtsp, leaf)
    assert refusal(leaf, qtsp, answer, at=at, tolerance=tolerance * SECOND) == expected


def test_an_answer_without_next_update_speaks_for_an_hour(qtsp, leaf):
    answer = mint_ocsp(qtsp, leaf, next_update=None)
    assert check(leaf, qtsp, answer, at=AT).until == AT
    assert refusal(leaf, qtsp, answer, at=AT + SECOND) == "revocation_unknown"


def test_a_stale_revoked_is_as_silent_as_a_stale_good(qtsp, leaf):
    answer = mint_ocsp(qtsp, leaf, "revoked")
    assert refusal(leaf, qtsp, answer, at=AT + 2 * HOUR) == "revocation_unknown"


# The question


def test_the_question_names_the_certificate_and_carries_the_nonce(qtsp, leaf):
    nonce = bytes(range(32))
    asked = ocsp.load_der_ocsp_request(
        ocsp_request(parse_certificate(leaf), qtsp.certificate, nonce=nonce)
    )
    assert (asked.serial_number, asked.hash_algorithm.name) == (SERIAL, "sha1")
    assert [each.value.nonce for each in asked.extensions] == [nonce]
    bare = ocsp.load_der_ocsp_request(ocsp_request(parse_certificate(leaf), qtsp.certificate))
    assert list(bare.extensions) == []


def test_an_answer_with_another_nonce_is_somebody_elses(qtsp, leaf):
    answer = mint_ocsp(qtsp, leaf, extra=[(x509.OCSPNonce(b"theirs"), False)])
    assert refusal_of(parse_ocsp_response, answer, nonce=b"mine") == "revocation_unknown"
    assert refusal_of(parse_ocsp_response, answer, nonce=b"theirs") is None
    assert refusal_of(parse_ocsp_response, mint_ocsp(qtsp, leaf), nonce=b"mine") is None


# Any octets


@given(st.binary(max_size=300))
def test_what_is_no_response_is_refused(data):
    assert refusal_of(parse_ocsp_response, data) == "revocation_unknown"


@pytest.mark.parametrize(("size", "expected"), [(60_000, None), (66_000, "revocation_unknown")])
def test_a_response_that_is_too_long_is_refused(qtsp, leaf, size, expected):
    filler = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), bytes(size))
    answer = mint_ocsp(qtsp, leaf, extra=[(filler, False)])
    assert refusal_of(parse_ocsp_response, answer) == expected


AUTHORITY = mint_authority()
LEAF = mint(AUTHORITY, serial_number=SERIAL)
RESPONSES = [
    mint_ocsp(AUTHORITY, LEAF),
    mint_ocsp(AUTHORITY, LEAF, by=mint_responder(AUTHORITY), named_by=KNOWN_BY_NAME),
]


@given(which=st.sampled_from(RESPONSES), position=st.integers(0), bit=st.integers(0, 7))
def test_a_response_with_a_flipped_bit_never_says_good_of_another(which, position, bit):
    mutated = bytearray(which)
    mutated[position % len(mutated)] ^= 1 << bit
    try:
        response = parse_ocsp_response(bytes(mutated))
    except UnavailableError:
        return
    signer = find_signer(response, AUTHORITY.certificate, at=AT)
    if signer is not None:  # outside what is signed
        assert response.statements == parse_ocsp_response(which).statements


# A real one


def test_a_real_answer_is_believed_while_it_is_current():
    folder = ("eidas", "revocation")
    answer = vectors(*folder, "harica-qwac-2025.ocsp.der").read_bytes()
    qwac = parse_pem_certificate(vectors(*folder, "harica-qwac-2025.pem").read_bytes())
    issuer = x509.load_pem_x509_certificate(vectors(*folder, "harica-qwac-ca.pem").read_bytes())
    evidence = RevocationEvidence(responses=(parse_ocsp_response(answer),))
    for at, is_known in (
        (datetime(2025, 11, 6, 6, 2, 33, tzinfo=UTC), True),
        (datetime(2025, 11, 9, 6, 2, 32, tzinfo=UTC), True),
        (datetime(2025, 11, 6, 6, 2, 32, tzinfo=UTC), False),
        (datetime(2025, 11, 9, 6, 2, 33, tzinfo=UTC), False),
    ):
        assert judge_revocation(qwac, issuer, evidence, at=at).is_known is is_known
    stranger = mint_authority().certificate
    at = datetime(2025, 11, 7, tzinfo=UTC)
    assert not judge_revocation(qwac, stranger, evidence, at=at).is_known
