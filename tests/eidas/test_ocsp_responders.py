"""OCSP: who is believed, and how an answer has to be signed (RFC 6960 §4.2.2.2)."""

import pytest
from asn1crypto import core
from asn1crypto import ocsp as asn1
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from eidas.answers import SERIAL, refusal, with_statements
from eidas.minting import (
    AT,
    DAY,
    key,
    mint,
    mint_authority,
    mint_crl,
    mint_ocsp,
    mint_responder,
    rsa_key,
)
from eidas.refusals import refusal_of
from enrol.eidas.ocsp import parse_ocsp_response

UNKNOWN_EXTENSION = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")


# Who


@pytest.mark.parametrize("named_by", list(ocsp.OCSPResponderEncoding), ids=lambda each: each.name)
def test_a_responder_of_the_issuer_is_believed(qtsp, leaf, named_by):
    responder = mint_responder(qtsp)
    answer = mint_ocsp(qtsp, leaf, by=responder, named_by=named_by)
    assert refusal(leaf, qtsp, answer) is None
    answer = mint_ocsp(qtsp, leaf, "revoked", by=responder, named_by=named_by)
    assert refusal(leaf, qtsp, answer) == "cert_revoked"


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda qtsp: mint_responder(qtsp, extended=()), id="without purpose"),
        pytest.param(
            lambda qtsp: mint_responder(qtsp, extended=(ExtendedKeyUsageOID.CLIENT_AUTH,)),
            id="for clients",
        ),
        pytest.param(
            lambda qtsp: mint_responder(
                qtsp, extended=(ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,)
            ),
            id="for anything",
        ),
        pytest.param(lambda _: mint_responder(mint_authority("Other QTSP")), id="of another CA"),
        pytest.param(
            lambda _: mint_responder(mint_authority(private_key=key("forger"))),
            id="of a CA of the same name",
        ),
        pytest.param(lambda qtsp: mint_responder(qtsp, not_after=AT - DAY), id="expired"),
        pytest.param(lambda qtsp: mint_responder(qtsp, not_before=AT + DAY), id="of the future"),
        pytest.param(
            lambda qtsp: mint_responder(qtsp, extra=[(UNKNOWN_EXTENSION, True)]),
            id="with an unknown critical extension",
        ),
        pytest.param(
            lambda qtsp: mint_responder(qtsp, private_key=rsa_key("weak", 1024)),
            id="with a weak key",
        ),
        pytest.param(
            lambda _: mint_authority("Test QTSP responder", private_key=key("itself")),
            id="of its own",
        ),
    ],
)
def test_anybody_else_is_not_believed(qtsp, leaf, make):
    for status in ("good", "revoked"):
        answer = mint_ocsp(qtsp, leaf, status, by=make(qtsp))
        assert refusal(leaf, qtsp, answer) == "revocation_unknown"


def test_a_weakly_signed_responder_is_not_believed(leaf):
    authority = mint_authority(private_key=rsa_key("rsa authority"))
    der = mint(authority, serial_number=SERIAL)
    weak = mint_responder(authority, hash_algorithm=hashes.SHA224())
    assert refusal(der, authority, mint_ocsp(authority, der, by=weak)) == "revocation_unknown"


def test_a_responder_whose_certificate_is_not_sent_is_not_believed(qtsp, leaf):
    answer = mint_ocsp(qtsp, leaf, by=mint_responder(qtsp), with_certificate=False)
    assert refusal(leaf, qtsp, answer) == "revocation_unknown"


def test_another_key_than_the_one_named_is_not_believed(qtsp, leaf):
    for named_by in ocsp.OCSPResponderEncoding:
        answer = with_statements(mint_ocsp(qtsp, leaf, named_by=named_by), signer=key("forger"))
        assert refusal(leaf, qtsp, answer) == "revocation_unknown"


def test_a_good_certificate_of_the_issuer_is_no_responder(qtsp, leaf):
    holder = mint_responder(qtsp, extended=(ExtendedKeyUsageOID.CLIENT_AUTH,), no_check=False)
    assert refusal(leaf, qtsp, mint_ocsp(qtsp, leaf, by=holder)) == "revocation_unknown"


@pytest.mark.parametrize(
    ("no_check", "expected"), [(False, "revocation_unknown"), (True, None)], ids=["", "nocheck"]
)
def test_a_revoked_responder_is_out_of_office_unless_its_issuer_says_not_to_look(
    qtsp, no_check, expected
):
    own, common = point("http://qtsp.example/own.crl"), point("http://qtsp.example/all.crl")
    responder = mint_responder(qtsp, no_check=no_check, serial_number=99, extra=[common])
    leaf = mint(qtsp, serial_number=SERIAL, extra=[own])
    scope = x509.IssuingDistributionPoint(
        common[0][0].full_name, None, False, False, None, False, False
    )
    answer = mint_ocsp(qtsp, leaf, by=responder)
    for serial, code in ((98, None), (99, expected)):
        lists = [mint_crl(qtsp, serial, extra=[(scope, True)])]
        assert refusal(leaf, qtsp, answer, lists=lists) == code


def point(url: str) -> tuple[x509.CRLDistributionPoints, bool]:
    name = x509.UniformResourceIdentifier(url)
    return x509.CRLDistributionPoints([x509.DistributionPoint([name], None, None, None)]), False


# How


@pytest.mark.parametrize("bits", [2048, 4096])
def test_rsa_answers_are_believed(bits):
    authority = mint_authority(private_key=rsa_key("rsa", bits))
    der = mint(authority)
    assert refusal(der, authority, mint_ocsp(authority, der)) is None


def test_an_answer_signed_with_rsassa_pss_is_believed(qtsp):
    authority = mint_authority(private_key=rsa_key("pss"))
    der = mint(authority)
    answer = with_pss(mint_ocsp(authority, der), authority.key, "sha256", hashes.SHA256())
    assert refusal(der, authority, answer) is None
    forged = with_pss(mint_ocsp(authority, der), rsa_key("forger"), "sha256", hashes.SHA256())
    assert refusal(der, authority, forged) == "revocation_unknown"
    weak = with_pss(mint_ocsp(authority, der), authority.key, "sha1", hashes.SHA1())
    assert refusal_of(parse_ocsp_response, weak) == "revocation_unknown"


def with_pss(answer: bytes, private_key, name: str, digest) -> bytes:
    whole = asn1.OCSPResponse.load(answer)
    basic = whole.basic_ocsp_response
    basic["signature_algorithm"] = {
        "algorithm": "rsassa_pss",
        "parameters": {
            "hash_algorithm": {"algorithm": name},
            "mask_gen_algorithm": {"algorithm": "mgf1", "parameters": {"algorithm": name}},
            "salt_length": 20,
        },
    }
    octets = basic["tbs_response_data"].dump()
    scheme = padding.PSS(padding.MGF1(digest), 20)
    basic["signature"] = private_key.sign(octets, scheme, digest)
    whole["response_bytes"]["response"] = core.ParsableOctetString(basic.dump(force=True))
    return whole.dump(force=True)


@pytest.mark.parametrize("algorithm", [hashes.SHA224(), hashes.SHA3_256()])
def test_a_weak_or_unusual_digest_is_refused(algorithm):
    authority = mint_authority(private_key=rsa_key("rsa authority"))
    der = mint(authority)
    answer = mint_ocsp(authority, der, hash_algorithm=algorithm)
    assert refusal_of(parse_ocsp_response, answer) == "revocation_unknown"


def test_an_answer_of_a_weak_ca_key_is_not_believed():
    authority = mint_authority(private_key=rsa_key("weak", 1024))
    der = mint(authority)
    assert refusal(der, authority, mint_ocsp(authority, der)) == "revocation_unknown"


def test_a_critical_extension_is_not_understood(qtsp, leaf):
    for critical, expected in ((True, "revocation_unknown"), (False, None)):
        answer = mint_ocsp(qtsp, leaf, extra=[(UNKNOWN_EXTENSION, critical)])
        assert refusal_of(parse_ocsp_response, answer) == expected


@pytest.mark.parametrize("critical", [True, False])
def test_a_critical_extension_of_one_statement_is_not_understood(qtsp, leaf, critical):
    extension = {"extn_id": "1.2.3.4", "critical": critical, "extn_value": b"\x05\x00"}

    def change(data) -> None:
        data["responses"][0]["single_extensions"] = [extension]

    answer = with_statements(mint_ocsp(qtsp, leaf), signer=qtsp.key, change=change)
    expected = "revocation_unknown" if critical else None
    assert refusal_of(parse_ocsp_response, answer) == expected


def test_an_answer_that_names_another_signer_is_not_believed(qtsp, leaf):
    def change(data) -> None:
        data["responder_id"] = asn1.ResponderId("by_key", core.OctetString(bytes(20)))

    answer = with_statements(mint_ocsp(qtsp, leaf), signer=qtsp.key, change=change)
    assert refusal(leaf, qtsp, answer) == "revocation_unknown"


@pytest.mark.parametrize("status", list(ocsp.OCSPResponseStatus)[1:], ids=lambda each: each.name)
def test_a_responder_that_gives_no_answer_says_nothing(status):
    answer = ocsp.OCSPResponseBuilder.build_unsuccessful(status)
    der = answer.public_bytes(Encoding.DER)
    assert refusal_of(parse_ocsp_response, der) == "revocation_unknown"
