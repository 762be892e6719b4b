"""Whom the bank asks online about a certificate, and what is made of the answers."""

import pytest
from cryptography import x509

from adapters.inquiries import (
    FOR_HOURS,
    HOUR,
    SECOND,
    SERIAL,
    SITE,
    access,
    assessed,
    leaf_of,
    outcome,
    points,
)
from adapters.issuer_host import page, says
from eidas.minting import AT, DAY, mint_authority, mint_crl, mint_ocsp, mint_responder
from enrol.eidas.validate import CertificateRules, conclude
from enrol.errors import RefusalError

# Who is asked


async def test_a_responder_is_asked_by_post_with_a_nonce(host, qtsp, source_of):
    leaf = leaf_of(qtsp)
    host.pages["/ocsp"] = says(mint_ocsp(qtsp, leaf))
    assert await outcome(source_of(), qtsp, leaf) == AT + HOUR
    assert host.asked == ["POST /ocsp"]
    assert {b"Host: qtsp.test", b"Accept-Encoding: identity"} <= set(host.heads[0].split(b"\r\n"))
    request = x509.ocsp.load_der_ocsp_request(host.bodies[0])
    assert request.serial_number == SERIAL
    assert [each.value.nonce for each in request.extensions] == [bytes(32)]


async def test_a_revoked_certificate_is_refused(host, qtsp, source_of):
    leaf = leaf_of(qtsp)
    host.pages["/ocsp"] = says(mint_ocsp(qtsp, leaf, "revoked", by=mint_responder(qtsp)))
    assert await outcome(source_of(), qtsp, leaf) == "cert_revoked"
    assert host.asked == ["POST /ocsp"]


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(page(b"", b"500 Oops"), id="status 500"),
        pytest.param(page(b"", b"302 Found", b"Location: http://qtsp.test/"), id="redirect"),
        pytest.param(page(b"<html>"), id="html"),
        pytest.param(page(b""), id="empty"),
        pytest.param(page(b"\x30\x03\x0a\x01\x03"), id="tryLater"),
        pytest.param(page(b"\0" * 65_537), id="too long"),
        pytest.param(b"SSH-2.0-OpenSSH_9.9\r\n\r\n", id="not HTTP"),
        pytest.param(b"", id="nothing"),
    ],
)
async def test_a_list_is_asked_for_where_no_responder_decides(host, qtsp, source_of, answer):
    leaf = leaf_of(qtsp)
    host.pages["/ocsp"] = lambda _: answer
    host.pages["/ca.crl"] = says(mint_crl(qtsp, 1))
    assert await outcome(source_of(), qtsp, leaf) == AT + DAY
    assert host.asked == ["POST /ocsp", "GET /ca.crl"]
    host.pages["/ca.crl"] = says(mint_crl(qtsp, SERIAL))
    assert await outcome(source_of(), qtsp, leaf) == "cert_revoked"


@pytest.mark.parametrize("kind", ["unknown", "stale", "of another", "of a stranger", "gzip"])
async def test_an_answer_that_decides_nothing_leaves_it_to_the_list(host, qtsp, source_of, kind):
    leaf = leaf_of(qtsp)
    good = mint_ocsp(qtsp, leaf)
    answer = {
        "unknown": page(mint_ocsp(qtsp, leaf, "unknown")),
        "stale": page(mint_ocsp(qtsp, leaf, next_update=AT - SECOND)),
        "of another": page(mint_ocsp(qtsp, leaf_of(qtsp, serial_number=1))),
        "of a stranger": page(mint_ocsp(qtsp, leaf, by=mint_responder(mint_authority("Other")))),
        "gzip": page(good, b"200 OK", b"Content-Encoding: gzip"),
    }[kind]
    host.pages["/ocsp"] = lambda _: answer
    assert await outcome(source_of(), qtsp, leaf) == "revocation_unknown"
    host.pages["/ca.crl"] = says(mint_crl(qtsp))
    assert await outcome(source_of(), qtsp, leaf) == AT + DAY


async def test_the_next_place_is_asked_where_one_says_nothing(host, qtsp, source_of):
    leaf = leaf_of(
        qtsp,
        ocsp=("ldap://qtsp.test/ocsp", f"{SITE}/1", f"{SITE}/2"),
        crl=("ldap://qtsp.test/cn=CA", f"{SITE}/1.crl", f"{SITE}/2.crl"),
    )
    host.pages["/2.crl"] = says(mint_crl(qtsp))
    assert await outcome(source_of(), qtsp, leaf) == AT + DAY
    assert host.asked == ["POST /1", "POST /2", "GET /1.crl", "GET /2.crl"]


async def test_every_ca_below_the_anchor_is_asked_about(host, source_of):
    root = mint_authority("Test Root")
    between = [access(f"{SITE}/root-ocsp"), points(f"{SITE}/root.crl")]
    issuing = mint_authority("Test Issuing", issuer=root, extra=between)
    leaf = leaf_of(issuing)
    host.pages["/ocsp"] = says(mint_ocsp(issuing, leaf))
    chain = (issuing.der,)
    assert await outcome(source_of(), root, leaf, intermediates=chain) == "revocation_unknown"
    host.pages["/root.crl"] = says(mint_crl(root))
    assert await outcome(source_of(), root, leaf, intermediates=chain) == AT + HOUR
    host.pages["/root-ocsp"] = says(mint_ocsp(root, issuing.der, "revoked"))
    assert await outcome(source_of(), root, leaf, intermediates=chain) == "cert_revoked"


async def test_without_a_place_to_ask_the_status_is_unknown(host, qtsp, source_of):
    leaf = leaf_of(qtsp, ocsp=(), crl=("ldap://qtsp.test/cn=CA",))
    assert await outcome(source_of(), qtsp, leaf) == "revocation_unknown"
    assert host.asked == []


# What is at hand


async def test_nobody_is_asked_about_a_certificate_that_a_list_at_hand_names(host, qtsp, source_of):
    leaf = leaf_of(qtsp)
    assert await outcome(source_of(mint_crl(qtsp, SERIAL)), qtsp, leaf) == "cert_revoked"
    assert host.asked == []


async def test_a_list_at_hand_is_enough_where_no_responder_answers(host, qtsp, source_of):
    leaf = leaf_of(qtsp)
    assert await outcome(source_of(mint_crl(qtsp)), qtsp, leaf) == AT + DAY
    assert host.asked == ["POST /ocsp"]


async def test_a_responder_says_revoked_although_the_list_at_hand_does_not(host, qtsp, source_of):
    leaf = leaf_of(qtsp)
    host.pages["/ocsp"] = says(mint_ocsp(qtsp, leaf, "revoked"))
    assert await outcome(source_of(mint_crl(qtsp)), qtsp, leaf) == "cert_revoked"


def test_the_basis_is_that_of_what_is_at_hand(source_of, qtsp):
    source = source_of(mint_crl(qtsp))
    assert source.basis() is source.basis()
    assert source.basis().lists.by_issuer


# Where the bank lets it pass


async def test_an_unknown_status_that_passes_is_marked_and_judged_again_soon(host, qtsp, source_of):
    source = source_of()
    certificate = assessed(qtsp, leaf_of(qtsp))
    evidence = await source.evidence_for(certificate, at=AT)
    lenient = CertificateRules(revocation_required=False)
    verdict = conclude(certificate, at=AT, revocation=evidence, rules=lenient)
    assert verdict.deviations == ("revocation_unchecked",)
    assert verdict.revocation_answers == ()
    assert verdict.recheck_at == AT + 10 * SECOND
    host.pages["/ocsp"] = says(mint_ocsp(qtsp, leaf_of(qtsp), "revoked", **FOR_HOURS))
    later = await source.evidence_for(certificate, at=AT + 10 * SECOND)
    with pytest.raises(RefusalError, match="cert_revoked"):
        conclude(certificate, at=AT + 10 * SECOND, revocation=later, rules=lenient)
