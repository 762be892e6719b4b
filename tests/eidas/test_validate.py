from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from eidas.minting import (
    AT,
    DAY,
    Authority,
    key,
    mint,
    mint_authority,
    mint_crl,
    mint_seal,
    qc_statements,
    rsa_key,
)
from eidas.refusals import refusal_of
from enrol.eidas.certificate import parse_certificate
from enrol.eidas.qcstatements import (
    QC_LEGISLATION,
    UNSPECIFIED_ROLE_OID,
    PspRole,
    QcLegislations,
    QcStatement,
)
from enrol.eidas.revocation import RevocationEvidence
from enrol.eidas.trust import TrustAnchors
from enrol.eidas.validate import (
    CertificateRules,
    CertificateUse,
    QualifiedCertificate,
    check_same_organization,
    validate,
)
from enrol.errors import CertificateError, EntitlementError, UnavailableError

HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)
SERVER_ONLY = (ExtendedKeyUsageOID.SERVER_AUTH,)
TLS_BINDING = (x509.ObjectIdentifier("0.4.0.194115.1.0"),)
ROOT = mint_authority("Test Root")
WEB = CertificateUse.QWAC
SEAL = CertificateUse.QSEALC


def judge(
    authority: Authority, der: bytes, use=WEB, *, lists=None, at=AT, trust=None, **values
) -> QualifiedCertificate:
    return validate(
        parse_certificate(der),
        use=use,
        at=at,
        trust=trust or authority.anchors,
        revocation=RevocationEvidence.of_lists([mint_crl(authority)] if lists is None else lists),
        **values,
    )


def refusal(*args, **values) -> str | None:
    return refusal_of(judge, *args, **values)


def roles(*pairs: tuple[str, str]) -> bytes:
    return qc_statements(roles=pairs)


def rsa_public_key(exponent: int, bits: int):
    return rsa.RSAPublicNumbers(exponent, 2**bits - 1).public_key()


def ec_public_key(curve: ec.EllipticCurve):
    return ec.generate_private_key(curve).public_key()


def test_a_qwac_without_fault_is_qualified(qtsp):
    der = mint(qtsp, qc=roles((PspRole.PSP_AI.oid, "PSP_AI"), (PspRole.PSP_PI.oid, "PSP_PI")))
    qwac = judge(qtsp, der)
    assert qwac.certificate.der == der
    assert qwac.use is CertificateUse.QWAC
    assert qwac.organization_identifier == "PSDFR-ACPR-12345"
    assert qwac.psp_roles == {PspRole.PSP_AI, PspRole.PSP_PI}
    assert qwac.nca_id == "FR-ACPR"
    assert qwac.nca_name == "Autorité de contrôle prudentiel et de résolution"
    assert qwac.issuer_sha256 == qtsp.certificate.fingerprint(hashes.SHA256())
    assert qwac.deviations == ()


@pytest.mark.parametrize("usage", ["content_commitment", "digital_signature"])
def test_a_qsealc_without_fault_is_qualified(qtsp, usage):
    assert judge(qtsp, mint_seal(qtsp, usage=(usage,)), SEAL).use is SEAL


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"public_key": rsa_key().public_key()}, id="RSA of 2048 bits"),
        pytest.param({"public_key": rsa_public_key(65537, 4096)}, id="RSA of 4096 bits"),
        pytest.param({"public_key": ec_public_key(ec.SECP384R1())}, id="P-384"),
        pytest.param({"hash_algorithm": hashes.SHA512()}, id="SHA-512"),
        pytest.param({"extended": ()}, id="no extended key usage"),
        pytest.param({"dns_names": ()}, id="no alternative name"),
        pytest.param({"qc_critical": True}, id="critical qcStatements"),
        pytest.param({"organizations": ("PSDFR-ACPR-A 1.2",)}, id="number with space and dot"),
        pytest.param({"qc": roles((PspRole.PSP_AS.oid, "PSP_AS"))}, id="account servicing only"),
        pytest.param({"not_after": datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)}, id="no end"),
    ],
)
def test_what_no_rule_forbids_passes(qtsp, changes):
    assert judge(qtsp, mint(qtsp, **changes)).psp_roles


CA_TOO = [(x509.BasicConstraints(ca=True, path_length=None), True)]
SWISS = [QcStatement({"id": QC_LEGISLATION, "info": QcLegislations(["CH"])})]


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        pytest.param(code, changes, id=f"{code}: {words}")
        for code, words, changes in [
            ("cert_is_precertificate", "poison", {"extra": [(x509.PrecertPoison(), True)]}),
            ("cert_is_ca", "basicConstraints", {"extra": CA_TOO}),
            ("cert_weak_key", "RSA 1024", {"public_key": rsa_key("weak", 1024).public_key()}),
            ("cert_weak_key", "RSA 16384", {"public_key": rsa_public_key(65537, 16384)}),
            ("cert_weak_key", "exponent 3", {"public_key": rsa_public_key(3, 2048)}),
            ("cert_weak_key", "P-224", {"public_key": ec_public_key(ec.SECP224R1())}),
            ("cert_weak_key", "secp256k1", {"public_key": ec_public_key(ec.SECP256K1())}),
            ("cert_weak_key", "SHA-224", {"hash_algorithm": hashes.SHA224()}),
            ("cert_expired", "yesterday", {"not_after": AT - DAY}),
            ("cert_not_yet_valid", "tomorrow", {"not_before": AT + DAY}),
            ("qcstatements_missing", "no extension", {"with_qc": False}),
            ("cert_not_qualified", "no QcCompliance", {"qc": qc_statements(compliance=False)}),
            ("cert_not_eu_qualified", "Swiss law", {"qc": qc_statements(extra=SWISS)}),
            ("cert_wrong_qctype", "eseal", {"qc": qc_statements(types=("eseal",))}),
            ("cert_wrong_qctype", "esign", {"qc": qc_statements(types=("esign",))}),
            ("cert_wrong_qctype", "two", {"qc": qc_statements(types=("web", "eseal"))}),
            ("cert_wrong_qctype", "web twice", {"qc": qc_statements(types=("web", "web"))}),
            ("cert_wrong_qctype", "none", {"qc": qc_statements(types=None)}),
            ("psd2_statement_missing", "no statement", {"qc": qc_statements(psd2=False)}),
            ("psd2_role_mismatch", "name", {"qc": roles((PspRole.PSP_AI.oid, "PSP_PI"))}),
            ("psd2_nca_name_empty", "empty", {"qc": qc_statements(nca_name="")}),
            ("psd2_nca_name_empty", "spaces", {"qc": qc_statements(nca_name="  ")}),
            ("psd2_nca_id_malformed", "no hyphen", {"qc": qc_statements(nca_id="FRACPR")}),
            ("psd2_nca_id_malformed", "lower case", {"qc": qc_statements(nca_id="FR-acpr")}),
            ("psd2_nca_id_malformed", "line feed", {"qc": qc_statements(nca_id="FR-ACPR\n")}),
            ("organization_identifier_malformed", "none", {"organizations": ()}),
            (
                "organization_identifier_malformed",
                "only in CN",
                {"organizations": (), "common_name": "PSDFR-ACPR-12345"},
            ),
            (
                "organization_identifier_malformed",
                "two",
                {"organizations": ("PSDFR-ACPR-12345", "PSDFR-ACPR-22222")},
            ),
            (
                "organization_identifier_malformed",
                "the same twice",
                {"organizations": ("PSDFR-ACPR-12345",) * 2},
            ),
            ("organization_identifier_malformed", "VAT", {"organizations": ("VATFR+75-1234567",)}),
            (
                "organization_identifier_nca_mismatch",
                "another authority",
                {"organizations": ("PSDDE-BAFIN-12345",)},
            ),
            ("cert_wrong_key_usage", "none", {"usage": None}),
            ("cert_wrong_key_usage", "seal's", {"usage": ("content_commitment",)}),
            ("cert_wrong_key_usage", "servers only", {"extended": SERVER_ONLY}),
            ("cert_wrong_key_usage", "TLS binding only", {"extended": TLS_BINDING}),
        ]
    ],
)
def test_what_cannot_be_believed_is_refused(qtsp, code, changes):
    with pytest.raises(CertificateError) as refused:
        judge(qtsp, mint(qtsp, **changes))
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("code", "qc", "organization"),
    [
        ("psd2_no_role", roles(), "PSDFR-ACPR-1"),
        ("psd2_no_role", roles((UNSPECIFIED_ROLE_OID, "Unspecified")), "PSDFR-ACPR-1"),
        ("psd2_nca_not_eea", qc_statements(nca_id="GB-FCA"), "PSDGB-FCA-1"),
        ("psd2_nca_not_eea", qc_statements(nca_id="XY-DNB"), "PSDXY-DNB-1"),
    ],
    ids=["no role", "unspecified role", "United Kingdom", "no country"],
)
def test_what_is_believed_and_not_entitled_is_refused_as_that(qtsp, code, qc, organization):
    with pytest.raises(EntitlementError) as refused:
        judge(qtsp, mint(qtsp, qc=qc, organizations=(organization,)))
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("cert_wrong_qctype", {"qc": qc_statements(types=("web",))}),
        ("cert_wrong_key_usage", {"usage": ("key_encipherment",)}),
    ],
)
def test_a_qsealc_must_be_one(qtsp, code, changes):
    assert refusal(qtsp, mint_seal(qtsp, **changes), SEAL) == code


def test_a_qwac_is_no_qsealc_and_a_qsealc_no_qwac(qtsp):
    assert refusal(qtsp, mint(qtsp), SEAL) == "cert_wrong_qctype"
    assert refusal(qtsp, mint_seal(qtsp), WEB) == "cert_wrong_qctype"


def test_a_stranger_is_told_of_no_entitlement(qtsp):
    der = mint(mint_authority("Nobody"), qc=roles())
    assert refusal(qtsp, der) == "cert_issuer_not_listed"
    der = mint(mint_authority(private_key=key("forger")), qc=roles())
    assert refusal(qtsp, der) == "cert_path_invalid"


def test_a_revoked_certificate_without_role_is_revoked(qtsp):
    der = mint(qtsp, qc=roles(), serial_number=7)
    assert refusal(qtsp, der, lists=[mint_crl(qtsp, 7)]) == "cert_revoked"


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (AT - 30 * DAY - 61 * SECOND, "cert_not_yet_valid"),
        (AT - 30 * DAY - 60 * SECOND, None),
        (AT - 30 * DAY, None),
        (AT + 30 * DAY, None),
        (AT + 30 * DAY + 60 * SECOND, None),
        (AT + 30 * DAY + 61 * SECOND, "cert_expired"),
    ],
)
def test_validity_is_judged_with_a_tolerance_of_a_minute(qtsp, at, expected):
    lists = [mint_crl(qtsp, this_update=at - HOUR, next_update=at + HOUR)]
    assert refusal(qtsp, mint(qtsp), at=at, lists=lists) == expected
    assert refusal(qtsp, mint(qtsp, qc_critical=True), at=at, lists=lists) == expected


def test_without_anchors_the_desk_is_unavailable(qtsp):
    with pytest.raises(UnavailableError) as refused:
        judge(qtsp, mint(qtsp), trust=TrustAnchors())
    assert refused.value.code == "trust_list_unavailable"


def test_unknown_revocation_is_refused_unless_the_rules_say_otherwise(qtsp):
    der = mint(qtsp, serial_number=7)
    lenient = CertificateRules(revocation_required=False)
    with pytest.raises(UnavailableError) as refused:
        judge(qtsp, der, lists=[])
    assert refused.value.code == "revocation_unknown"
    assert judge(qtsp, der, lists=[], rules=lenient).recheck_at == AT + HOUR
    assert refusal(qtsp, der, lists=[mint_crl(qtsp, 7)], rules=lenient) == "cert_revoked"


def test_every_ca_below_the_anchor_must_not_be_revoked():
    below = mint_authority("Test Issuing", issuer=ROOT)
    own, der = mint_crl(below), mint(below)
    values = {"trust": ROOT.anchors, "intermediates": (below.der,)}
    revoked = mint_crl(ROOT, below.certificate.serial_number)
    assert refusal(below, der, lists=[own], **values) == "revocation_unknown"
    assert refusal(below, der, lists=[own, revoked], **values) == "cert_revoked"
    qwac = judge(below, der, lists=[own, mint_crl(ROOT)], **values)
    assert qwac.issuer_sha256 == below.certificate.fingerprint(hashes.SHA256())


@pytest.mark.parametrize(
    ("not_after", "next_update", "ca_not_after", "expected"),
    [
        (AT + DAY, AT + DAY, AT + DAY, AT + HOUR),
        (AT + 9 * SECOND, AT + DAY, AT + DAY, AT + 9 * SECOND),
        (AT + DAY, AT + 9 * SECOND, AT + DAY, AT + 9 * SECOND),
        (AT + DAY, AT + DAY, AT + 9 * SECOND, AT + 9 * SECOND),
    ],
    ids=["an hour", "end of certificate", "end of revocation list", "end of CA"],
)
def test_a_verdict_holds_until_the_first_of_what_it_rests_on_ends(
    not_after, next_update, ca_not_after, expected
):
    authority = mint_authority(not_after=ca_not_after)
    lists = [mint_crl(authority, next_update=next_update)]
    qwac = judge(authority, mint(authority, not_after=not_after), lists=lists)
    assert qwac.recheck_at == expected


@pytest.mark.parametrize(
    ("rules", "changes", "expected"),
    [
        ({"require_client_auth_eku": False}, {"extended": SERVER_ONLY}, None),
        (
            {"require_client_auth_eku": False},
            {"extended": TLS_BINDING},
            "cert_wrong_key_usage",
        ),
        ({"minimum_rsa_bits": 3072}, {"public_key": rsa_key().public_key()}, "cert_weak_key"),
        ({"curves": frozenset()}, {}, "cert_weak_key"),
        ({"countries": frozenset({"DE"})}, {}, "psd2_nca_not_eea"),
        ({"nca_ids": frozenset({"FR-ACPR"})}, {}, None),
        ({"nca_ids": frozenset({"DE-BAFIN"})}, {}, "psd2_nca_unknown"),
        ({"nca_ids": frozenset()}, {}, "psd2_nca_unknown"),
    ],
    ids=[
        "clientAuth not required",
        "TLS binding never",
        "RSA of 3072 bits required",
        "no curves",
        "one country",
        "the authority listed",
        "another authority listed",
        "no authority listed",
    ],
)
def test_rules_can_be_set(qtsp, rules, changes, expected):
    assert refusal(qtsp, mint(qtsp, **changes), rules=CertificateRules(**rules)) == expected


def test_deviations_are_told(qtsp):
    assert judge(qtsp, mint(qtsp, qc_critical=True)).deviations == ("qcstatements_critical",)


def test_qwac_and_qsealc_of_one_psp_agree(qtsp):
    qwac, qsealc = judge(qtsp, mint(qtsp)), judge(qtsp, mint_seal(qtsp), SEAL)
    assert refusal_of(check_same_organization, qwac, qsealc) is None


def test_qwac_and_qsealc_of_two_psps_disagree(qtsp):
    qwac = judge(qtsp, mint(qtsp))
    qsealc = judge(qtsp, mint_seal(qtsp, organizations=("PSDFR-ACPR-22222",)), SEAL)
    assert refusal_of(check_same_organization, qwac, qsealc) == "certificates_disagree"


def test_qwac_and_qsealc_with_one_key_disagree(qtsp):
    qwac = judge(qtsp, mint(qtsp))
    qsealc = judge(qtsp, mint_seal(qtsp, public_key=key().public_key()), SEAL)
    assert refusal_of(check_same_organization, qwac, qsealc) == "certificates_disagree"
