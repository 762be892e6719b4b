"""Real trusted lists of 2019 to 2026, at the clock of their time; nobody here wrote them."""

import asyncio
import codecs
import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cache, partial

import msgspec
import pytest
from cryptography import x509

from enrol.adapters.trustlists.document import parse_list, to_text
from enrol.adapters.trustlists.errors import ListRefusedError
from enrol.adapters.trustlists.refreshing import RefreshRules, refresh
from enrol.adapters.trustlists.services import read_services
from enrol.adapters.trustlists.signatures import (
    eutl_parse,
    official_journal_signers,
    verified_list,
)
from enrol.adapters.trustlists.sources import DirectorySource
from enrol.eidas.certificate import parse_pem_certificate
from enrol.eidas.loading import without_warnings
from enrol.eidas.revocation import RevocationEvidence
from enrol.eidas.rules import CertificateRules, CertificateUse
from enrol.eidas.trust import Identity, TrustAnchors, identity_of
from enrol.eidas.trustlist import GRANTED, TrustSnapshot
from enrol.eidas.validate import validate
from enrol.errors import RefusalError
from vectors import SHARED, vectors

RULES = CertificateRules(revocation_required=False)
IN_2019, IN_2023, IN_2026 = (
    datetime(2019, 9, 10, tzinfo=UTC),
    datetime(2023, 11, 5, tzinfo=UTC),
    datetime(2026, 10, 1, tzinfo=UTC),
)
EXPECTED = SHARED / "vectors" / "eidas" / "expected.json"
CASES = json.loads(EXPECTED.read_text("utf-8")) if EXPECTED.exists() else []
NOT_THERE = {"DE", "IT", "GB", "GR"}
"""Countries whose lists are not among the vectors: of their issuers nothing can be said."""


@cache
def trust(at: datetime) -> TrustSnapshot:
    source = DirectorySource(vectors("eidas", "tl"), at=at)
    return asyncio.run(refresh(source, RefreshRules(official_journal_signers(at), at), None))


def xml(name: str) -> bytes:
    return vectors("eidas", "tl", name).read_bytes()


@pytest.mark.parametrize(
    ("at", "lotl", "territories"),
    [
        (IN_2019, 248, {"PT": 49}),
        (IN_2023, 332, {"PT": 79, "NL": 65, "HR": 48, "NO": 71, "HU": 76, "CZ": 141}),
        (IN_2026, 388, {"BE": 81}),
    ],
    ids=["2019, from the Official Journal", "2023, through two pivots", "2026, re-anchored"],
)
def test_every_real_list_verifies_from_the_official_journal_on(at, lotl, territories):
    snapshot = trust(at)
    assert snapshot.lotl.sequence_number == lotl
    current = {one for one in snapshot.lists if one.head.next_update > at}
    assert {one.head.territory: one.head.sequence_number for one in current} == territories
    assert all(one.services for one in current)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("bad-lotl-248-broken-signature.xml", "list_signature_invalid"),
        ("bad-lotl-248-altered.xml", "list_signature_invalid"),
        ("bad-lotl-248-unsigned.xml", "list_signature_invalid"),
    ],
)
def test_forged_lists_are_refused(name, code):
    with pytest.raises(ListRefusedError) as refused:
        verified_list(xml(name), official_journal_signers(IN_2019), at=IN_2019)
    assert refused.value.code == code


def signers_of(territory: str) -> tuple[bytes, ...]:
    lotl = parse_list(to_text(xml("2023-lotl-332.xml")))
    return next(one.signers for one in lotl.pointers if one.territory == territory)


def verify_hr(data: bytes, territory: str = "HR"):
    return verified_list(data, signers_of(territory), at=IN_2023)


def test_the_list_of_one_state_is_not_signed_by_another():
    assert verify_hr(xml("2023-hr-48.xml")).head.territory == "HR"
    with pytest.raises(ListRefusedError, match="list_signature_invalid"):
        verify_hr(xml("2023-hr-48.xml"), "CZ")


HARMLESS = {
    "a byte order mark": lambda data: codecs.BOM_UTF8 + data,
    "UTF-16": lambda data: data.decode().replace("UTF-8", "UTF-16").encode("utf-16"),
    "blank lines before": lambda data: b"\r\n\r\n" + data,
    "blank lines after": lambda data: data + b"\r\n\r\n",
    "no declaration": lambda data: re.sub(rb"\A<\?xml[^>]*\?>\s*", b"", data),
    "line ends of Windows": lambda data: data.replace(b"\n", b"\r\n"),
}


@pytest.mark.parametrize("change", HARMLESS.values(), ids=HARMLESS)
def test_what_does_not_change_the_content_does_not_break_the_signature(change):
    assert verify_hr(change(xml("2023-hr-48.xml"))).head.sequence_number == 48


FORGERIES = {
    "a status": lambda data: data.replace(b"Svcstatus/withdrawn", b"Svcstatus/granted", 1),
    "the sequence number": lambda data: data.replace(b">48<", b">49<", 1),
    "a digit of a certificate": lambda data: data.replace(b"MII", b"MIJ", 1),
    "a document type": lambda data: data.replace(
        b"<TrustServiceStatusList",
        b"<!DOCTYPE TrustServiceStatusList><TrustServiceStatusList",
        1,
    ),
    "an entity": lambda data: data.replace(
        b"<TrustServiceStatusList",
        b'<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><TrustServiceStatusList',
        1,
    ),
    "another list around it": lambda data: (
        re.sub(rb"\A<\?xml[^>]*\?>\s*", b"", data).replace(
            b"<TrustServiceStatusList", b"<TrustServiceStatusList><TrustServiceStatusList", 1
        )
        + b"</TrustServiceStatusList>"
    ),
    "its end cut off": lambda data: data[:-100],
    "nothing of it": lambda data: b"",
    "another document": lambda data: b"<html><body>maintenance</body></html>",
}


@pytest.mark.parametrize("change", FORGERIES.values(), ids=FORGERIES)
def test_a_list_that_was_changed_is_refused(change):
    data = xml("2023-hr-48.xml")
    assert change(data) != data
    with pytest.raises(ListRefusedError):
        verify_hr(change(data))


def test_a_list_from_the_future_is_refused():
    with pytest.raises(ListRefusedError, match="list_from_future"):
        verified_list(xml("2023-hr-48.xml"), signers_of("HR"), at=IN_2019)


def judge(case, snapshot: TrustSnapshot) -> str | None:
    verdict = case["prototype_verdict"]
    try:
        validate(
            parse_pem_certificate(vectors("eidas", case["file"]).read_bytes()),
            use=CertificateUse(verdict["kind"]),
            at=datetime.fromisoformat(verdict["checked_at"]).replace(tzinfo=UTC),
            trust=TrustAnchors.from_snapshot(snapshot),
            revocation=RevocationEvidence(),
            rules=RULES,
        )
    except RefusalError as refused:
        return refused.code
    return None


@pytest.mark.parametrize("case", CASES, ids=[case["file"] for case in CASES])
def test_certificates_are_judged_under_the_real_lists_of_2023(case):
    expected: set[str | None] = {code for _, code, _ in case["prototype_verdict"]["refusals"]}
    if "46-ndgit" in case["file"]:
        expected.add("cert_weak_key")  # signed over SHA-1, which the prototype did not look at
    if "cert_issuer_not_listed" in expected:
        issuer = x509.load_pem_x509_certificate(vectors("eidas", case["file"]).read_bytes()).issuer
        if any(attribute.value in NOT_THERE for attribute in issuer):
            expected.add("trust_list_unavailable")
    assert judge(case, trust(IN_2023)) in (expected or {None})


def test_history_makes_a_real_seal_of_2019_qualified_when_it_was_issued():
    """Its service began anew after that, and the list names the former one by its key only."""
    (case,) = (one for one in CASES if "01-tink-qsealc-2019" in one["file"])
    snapshot = trust(IN_2023)
    portugal = snapshot.list_of("PT")
    assert portugal is not None
    without = msgspec.structs.replace(
        portugal,
        services=tuple(
            msgspec.structs.replace(one, periods=one.periods[:1]) for one in portugal.services
        ),
    )
    assert judge(case, snapshot) is None
    forgetful = msgspec.structs.replace(snapshot, lists=(without,))
    assert judge(case, forgetful) in {"cert_not_qualified_at_now", "cert_not_qualified_at_issue"}


def identities(ders: Iterable[bytes]) -> set[Identity]:
    loaded = (without_warnings(partial(x509.load_der_x509_certificate, der)) for der in ders)
    return {identity_of(certificate) for certificate in loaded}


@pytest.mark.parametrize(
    "name",
    [
        *("2019-pt-49.xml", "2023-pt-79.xml", "2023-nl-65.xml", "2023-hr-48.xml"),
        *("2023-no-71.xml", "2023-hu-76.xml", "2026-be-81-v6.xml"),
    ],
)
def test_the_cas_we_read_as_granted_are_those_pyhanko_reads(name):
    text = to_text(xml(name))
    registry, _ = eutl_parse().trust_list_to_registry_unsafe(text)
    theirs = (
        authority.certificate.dump()
        for authority in registry.known_certificate_authorities
        for one in registry.applicable_service_definitions(authority, None)
        if one.base_info.valid_until is None
    )
    services, errors = read_services(parse_list(text))
    ours = (der for one in services if one.periods[0].status == GRANTED for der in one.certificates)
    assert identities(ours) == identities(theirs)
    assert errors == ()


def test_a_certificate_in_a_real_list_that_no_library_takes_is_named():
    services, errors = read_services(parse_list(to_text(xml("2023-cz-141.xml"))))
    assert len(services) == 28
    assert [error for error in errors if "cannot be read" in error] == [errors[0]]


def test_a_list_that_ended_is_known_and_not_believed():
    netherlands = trust(IN_2026).list_of("NL")
    assert netherlands is not None
    assert netherlands.services
    (case,) = (one for one in CASES if "06-ulster" in one["file"])
    assert judge(case, trust(IN_2023)) == "psd2_nca_not_eea"
    ended = msgspec.structs.replace(
        netherlands, head=msgspec.structs.replace(netherlands.head, next_update=IN_2019)
    )
    snapshot = msgspec.structs.replace(trust(IN_2023), lists=(ended,))
    assert judge(case, snapshot) == "trust_list_unavailable"
