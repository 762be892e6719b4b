"""A certificate that was believed is proved from what is kept of it, and nothing else proves it."""

import json
from datetime import timedelta

import msgspec
import pytest

from eidas.minting import AT, DAY, mint, mint_authority, mint_crl, mint_ocsp, mint_responder
from enrol.eidas.certificate import parse_certificate
from enrol.eidas.crl import parse_revocation_lists
from enrol.eidas.ocsp import parse_ocsp_response
from enrol.eidas.revocation import RevocationEvidence
from enrol.eidas.validate import CertificateRules, CertificateUse, validate
from enrol.registration import kept as kept_module
from enrol.registration.kept import KeptVerdict, blob, keep_certificate
from enrol.registration.kept_certificate import CertificateRecheck, Refuted
from enrol.registration.review import FaultKind

ORGANIZATION = "PSDFR-ACPR-12345"
HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def qtsp():
    return mint_authority()


@pytest.fixture(scope="module")
def der(qtsp):
    return mint(qtsp)


class Shelf:
    """What is kept of a certificate judged at AT on answers of its issuers, under its digests."""

    def __init__(self, der, anchor, *, lists=(), ocsp=(), intermediates=(), **rules):
        judged = validate(
            parse_certificate(der),
            use=CertificateUse.QWAC,
            at=AT,
            trust=anchor.anchors,
            revocation=RevocationEvidence(
                tuple(map(parse_ocsp_response, ocsp)), parse_revocation_lists(lists)
            ),
            intermediates=intermediates,
            rules=CertificateRules(**rules),
        )
        self.kept = keep_certificate(judged)
        self.blobs = {each.sha256.hex(): each.content for each in self.kept.blobs}
        self.recheck = CertificateRecheck(self.blobs.__getitem__)

    @property
    def verdict(self):
        return msgspec.json.decode(self.blobs[self.kept.verdict], type=KeptVerdict)

    def forge(self, **members):
        """Return the digest of another verdict, put on the shelf."""
        document = json.loads(self.blobs[self.kept.verdict]) | members
        return self.put(json.dumps(document).encode())

    def put(self, content):
        added = blob(content)
        self.blobs[added.sha256.hex()] = content
        return added.sha256.hex()

    def check(self, *, at=AT, digest=None, organization=ORGANIZATION):
        """Return the kind of what is refuted, None where nothing is."""
        try:
            self.recheck(digest or self.kept.verdict, organization, at)
        except Refuted as refuted:
            return refuted.kind
        return None


@pytest.fixture
def by_list(der, qtsp):
    return Shelf(der, qtsp, lists=[mint_crl(qtsp)])


@pytest.fixture
def by_ocsp(der, qtsp):
    return Shelf(der, qtsp, ocsp=[mint_ocsp(qtsp, der, by=mint_responder(qtsp))])


def test_certificate_is_proved_by_a_list(by_list):
    assert by_list.check() is None
    (answer,) = by_list.verdict.revocation
    assert (answer.kind, answer.is_kept) == ("crl", True)


def test_certificate_is_proved_by_an_ocsp_response(by_ocsp):
    assert by_ocsp.check() is None
    assert [answer.kind for answer in by_ocsp.verdict.revocation] == ["ocsp"]


def test_answer_proves_only_the_time_it_holds(by_ocsp):
    assert by_ocsp.check() is None
    assert by_ocsp.check(at=AT + HOUR / 2) is None
    assert by_ocsp.check(at=AT + 3 * HOUR) is FaultKind.REVOCATION_REFUTED
    assert by_ocsp.check(at=AT - 3 * HOUR) is FaultKind.REVOCATION_REFUTED
    assert by_ocsp.check() is None


def test_certificate_of_another_time_is_refuted(by_list):
    assert by_list.check(at=AT + 31 * DAY) is FaultKind.CERTIFICATE_NOT_VALID
    assert by_list.check(at=AT - 31 * DAY) is FaultKind.CERTIFICATE_NOT_VALID


def test_certificate_of_another_organisation_is_refuted(by_list):
    other = "PSDFR-ACPR-99999"
    assert by_list.check(organization=other) is FaultKind.CERTIFICATE_OF_ANOTHER
    digest = by_list.forge(organization_identifier=other)
    assert by_list.check(digest=digest) is FaultKind.CERTIFICATE_OF_ANOTHER
    found = by_list.check(digest=digest, organization=other)
    assert found is FaultKind.CERTIFICATE_OF_ANOTHER


def test_answer_of_another_issuer_proves_nothing(by_list):
    other = by_list.put(mint_crl(mint_authority("Another QTSP")))
    digest = by_list.forge(revocation=[{"kind": "crl", "sha256": other, "is_kept": True}])
    assert by_list.check(digest=digest) is FaultKind.REVOCATION_REFUTED


def test_answer_that_names_the_certificate_refutes_it(by_list, der, qtsp):
    revoked = by_list.put(mint_crl(qtsp, parse_certificate(der).serial_number))
    digest = by_list.forge(revocation=[{"kind": "crl", "sha256": revoked, "is_kept": True}])
    assert by_list.check(digest=digest) is FaultKind.REVOCATION_REFUTED


def test_answer_that_cannot_be_read_is_refuted(by_list):
    for kind in ("crl", "ocsp"):
        answer = {"kind": kind, "sha256": by_list.put(b"no answer"), "is_kept": True}
        digest = by_list.forge(revocation=[answer])
        assert by_list.check(digest=digest) is FaultKind.REVOCATION_REFUTED


def test_another_issuer_is_refuted(by_list):
    other = by_list.put(mint_authority("Another QTSP").der)
    assert by_list.check(digest=by_list.forge(issuers=[other])) is FaultKind.ISSUER_REFUTED


@pytest.mark.parametrize("member", ["certificate", "issuers"])
def test_certificate_that_cannot_be_read_is_refuted(by_list, member):
    broken = by_list.put(b"\x30\x00")
    digest = by_list.forge(**{member: [broken] if member == "issuers" else broken})
    assert by_list.check(digest=digest) is FaultKind.CERTIFICATE_UNREADABLE


def test_long_list_is_kept_as_a_digest(der, qtsp, monkeypatch):
    monkeypatch.setattr(kept_module, "LONGEST_LIST", 100)
    data = mint_crl(qtsp, 1, 2, 3)
    shelf = Shelf(der, qtsp, lists=[data])
    (answer,) = shelf.verdict.revocation
    assert (answer.sha256, answer.is_kept) == (blob(data).sha256.hex(), False)
    assert data not in shelf.blobs.values()
    assert shelf.check() is None


def test_certificate_believed_unchecked_is_proved_as_such(der, qtsp):
    shelf = Shelf(der, qtsp, revocation_required=False)
    assert shelf.verdict.deviations == ("revocation_unchecked",)
    assert shelf.check() is None


def test_every_ca_up_to_the_anchor_is_kept_and_proved(qtsp):
    between = mint_authority("Issuing CA", issuer=qtsp)
    der = mint(between)
    lists = [mint_crl(qtsp), mint_crl(between)]
    shelf = Shelf(der, qtsp, lists=lists, intermediates=(between.der,))
    assert shelf.check() is None
    assert shelf.verdict.issuers == (blob(between.der).sha256.hex(), blob(qtsp.der).sha256.hex())
    only_one = json.loads(shelf.blobs[shelf.kept.verdict])["revocation"][:1]
    digest = shelf.forge(revocation=only_one)
    assert shelf.check(digest=digest) is FaultKind.REVOCATION_REFUTED
