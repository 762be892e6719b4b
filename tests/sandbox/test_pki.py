from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from enrol.eidas.certificate import Certificate
from enrol.eidas.qcstatements import PspRole
from enrol.errors import ConfigurationError
from enrol.sandbox import pki
from enrol.sandbox.draft import Kind
from enrol.sandbox.files import certificates_pem
from enrol.sandbox.organization import organization
from enrol.sandbox.seed import SeededKeys

Issue = Callable[..., pki.Issued]
Facts = Callable[[pki.Issued], Certificate]
EACH_KIND = pytest.mark.parametrize("kind", list(Kind))


@EACH_KIND
def test_openssl_verifies_the_chain(kind, issue: Issue, authority, at, openssl) -> None:
    purpose = ("-purpose", "sslclient") if kind is Kind.QWAC else ()
    result = openssl(
        "verify", "-x509_strict", "-attime", str(int(at.timestamp())), *purpose,
        "-CAfile", certificates_pem(authority.root.certificate),
        "-untrusted", certificates_pem(authority.issuing.certificate),
        certificates_pem(issue(kind=kind).certificate),
    )  # fmt: skip
    assert result.returncode == 0, result.stderr


@EACH_KIND
def test_the_psd2_statement_reads_back(kind, issue: Issue, facts: Facts) -> None:
    read = facts(issue(kind=kind, roles={"PSP_AI", "PSP_IC"}))
    assert read.organization_identifiers == ("PSDFR-ACPR-12345",)
    assert read.deviations == ()
    assert read.qc is not None
    assert read.qc.compliance
    assert read.qc.deviations == ()
    assert read.qc.psd2 is not None
    assert read.qc.psd2.roles == {PspRole.PSP_AI, PspRole.PSP_IC}
    assert read.qc.psd2.nca_id == "FR-ACPR"
    assert read.qc.psd2.nca_name == "Autorité de contrôle prudentiel et de résolution"


def test_a_qwac_is_for_tls(issue: Issue, facts: Facts) -> None:
    read = facts(issue(kind="qwac"))
    assert read.qc is not None
    assert read.qc.qc_types == ("web",)
    assert read.key_usage == {"digital_signature", "key_encipherment"}
    assert read.extended_key_usage == {
        ExtendedKeyUsageOID.CLIENT_AUTH.dotted_string,
        ExtendedKeyUsageOID.SERVER_AUTH.dotted_string,
    }
    assert read.dns_names == ("psd2.acme-paiements.example",)
    assert read.common_name == "psd2.acme-paiements.example"
    assert read.policies == ("0.4.0.194112.1.4", "0.4.0.19495.3.1")


def test_a_qsealc_is_for_seals(issue: Issue, facts: Facts) -> None:
    read = facts(issue(kind="qsealc"))
    assert read.qc is not None
    assert read.qc.qc_types == ("eseal",)
    assert read.key_usage == {"digital_signature", "non_repudiation"}
    assert read.extended_key_usage is None
    assert read.dns_names == ()
    assert read.common_name == "Acme Paiements"
    assert read.policies == ("0.4.0.194112.1.1",)


@EACH_KIND
def test_a_certificate_says_where_to_ask_about_it(kind, issue: Issue, facts: Facts) -> None:
    read = facts(issue(kind=kind))
    assert read.ocsp_urls == ("http://qtsp.example/ocsp",)
    assert [name.value for name in read.crl_distribution_points] == ["http://qtsp.example/ca.crl"]


def test_both_kinds_have_keys_of_their_own(issue: Issue) -> None:
    qwac, qsealc = issue(kind="qwac"), issue(kind="qsealc")
    assert qwac.certificate.public_key() != qsealc.certificate.public_key()


def test_serial_numbers_never_repeat(issue: Issue) -> None:
    assert len({issue(kind=kind).certificate.serial_number for kind in (*Kind, *Kind)}) == 4


def test_a_key_may_be_given(issue: Issue) -> None:
    key = SeededKeys(2).ec_key("mine")
    issued = issue(kind="qsealc", key=key)
    assert issued.private_key is key
    assert issued.certificate.public_key() == key.public_key()


def test_validity_is_a_year_from_the_start_of_the_day(issue: Issue, facts: Facts, at) -> None:
    read = facts(issue())
    assert read.not_before == at.replace(hour=0, minute=0)
    assert read.not_after - read.not_before == timedelta(days=365)


def test_a_certificate_may_end_yesterday(issue: Issue, facts: Facts, at: datetime) -> None:
    yesterday = at - timedelta(days=1)
    read = facts(issue(roles={"PSP_AI"}, not_after=yesterday))
    assert read.not_after == yesterday
    assert read.not_before < yesterday


def test_a_certificate_may_begin_in_an_hour(issue: Issue, facts: Facts, at: datetime) -> None:
    read = facts(issue(not_before=at + timedelta(hours=1)))
    assert read.not_before == at + timedelta(hours=1)


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"roles": {"PSP_XX"}}, "sandbox_role_unknown"),
        ({"organization_identifier": "FR-ACPR-1"}, "sandbox_organization_identifier"),
        ({"faults": {"bent"}}, "sandbox_fault_unknown"),
    ],
    ids=["a role that does not exist", "no PSD identifier", "a fault that does not exist"],
)
def test_what_cannot_be_is_refused(issue: Issue, wrong: dict[str, object], code: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        issue(**wrong)
    assert caught.value.code == code


def test_a_certificate_that_ends_before_it_begins_is_refused(issue: Issue, at: datetime) -> None:
    with pytest.raises(ConfigurationError) as caught:
        issue(not_before=at, not_after=at - timedelta(days=1))
    assert caught.value.code == "sandbox_validity"


@pytest.mark.parametrize(
    ("identifier", "name", "nca_name", "host"),
    [
        (
            "PSDFR-ACPR-12345",
            "Acme Paiements",
            "Autorité de contrôle prudentiel et de résolution",
            "psd2.acme-paiements.example",
        ),
        (
            "PSDBE-NBB-1234.567",
            "Test TPP NBB 1234.567",
            "National Bank of Belgium",
            "psd2.test-tpp-nbb-1234-567.example",
        ),
        (
            "PSDMT-MFSA-A 12345",
            "Test TPP MFSA A 12345",
            "Competent authority MT-MFSA",
            "psd2.test-tpp-mfsa-a-12345.example",
        ),
    ],
)
def test_an_identifier_names_organisation_and_authority(identifier, name, nca_name, host) -> None:
    read = organization(identifier)
    assert (read.name, read.nca_name, read.host) == (name, nca_name, host)


def test_the_longest_identifier_fits_into_a_certificate(issue: Issue, facts: Facts) -> None:
    identifier = f"PSDFR-ACPR-{'9' * 60}"
    for kind in Kind:
        assert facts(issue(kind=kind, organization_identifier=identifier)).organization_name


def test_a_revocation_list_names_what_was_revoked(issue: Issue, authority, at, openssl) -> None:
    revoked, good = issue(), issue()
    crl = pki.revocation_list(authority, at=at)
    for serial_number in (123, revoked.certificate.serial_number):
        crl = pki.revoke(authority, crl, serial_number=serial_number, at=at)
    assert [entry.serial_number for entry in crl] == [123, revoked.certificate.serial_number]
    assert crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number == 3

    def verify(certificate: x509.Certificate) -> str:
        result = openssl(
            "verify", "-crl_check", "-attime", str(int(at.timestamp())),
            "-CAfile", certificates_pem(*authority.anchors),
            "-CRLfile", crl.public_bytes(Encoding.PEM),
            certificates_pem(certificate),
        )  # fmt: skip
        return result.stdout + result.stderr

    assert "certificate revoked" in verify(revoked.certificate)
    assert verify(good.certificate).rstrip().endswith("OK")
