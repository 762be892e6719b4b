"""Services are read one by one: what is odd costs one service, and is never granted."""

import base64
import itertools
from functools import cache

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from adapters.lists import authority
from enrol.adapters.trustlists.document import parse_list
from enrol.adapters.trustlists.errors import ListRefusedError
from enrol.adapters.trustlists.services import read_services
from enrol.eidas.trustlist import Criteria, KeyUsageCriterion, ListedUse, Service

BASE = "http://uri.etsi.org/TrstSvc"
SIE = "http://uri.etsi.org/TrstSvc/SvcInfoExt/eSigDir-1999-93-EC-TrustedList/#"
XADES = "http://uri.etsi.org/01903/v1.3.2#"
GRANTED = f"{BASE}/TrustedList/Svcstatus/granted"


@cache
def certificate() -> str:
    der = authority().issuing.certificate.public_bytes(Encoding.DER)
    return base64.b64encode(der).decode()


def extension(content: str, critical: str = "true") -> str:
    return f'<Extension Critical="{critical}">{content}</Extension>'


def use(name: str) -> str:
    uri = f"{BASE}/TrustedList/SvcInfoExt/{name}"
    return extension(
        f"<AdditionalServiceInformation><URI>{uri}</URI></AdditionalServiceInformation>"
    )


def state(
    *,
    kind: str = f"{BASE}/Svctype/CA/QC",
    status: str = GRANTED,
    start: str = "2020-01-01T00:00:00Z",
    identity: str | None = None,
    extensions: str = use("ForeSeals"),
) -> str:
    identity = identity or f"<X509Certificate>{certificate()}</X509Certificate>"
    return (
        f"<ServiceTypeIdentifier>{kind}</ServiceTypeIdentifier><ServiceName><Name>CA</Name></ServiceName>"
        f"<ServiceDigitalIdentity><DigitalId>{identity}</DigitalId></ServiceDigitalIdentity>"
        f"<ServiceStatus>{status}</ServiceStatus><StatusStartingTime>{start}</StatusStartingTime>"
        f"<ServiceInformationExtensions>{extensions}</ServiceInformationExtensions>"
    )


def listed(*services: str, next_update: str = "<dateTime>2027-01-01T00:00:00Z</dateTime>") -> str:
    each = "".join(f"<TSPService>{one}</TSPService>" for one in services)
    return (
        '<TrustServiceStatusList xmlns="http://uri.etsi.org/02231/v2#"><SchemeInformation>'
        "<TSLSequenceNumber> 7 </TSLSequenceNumber><SchemeTerritory>FR</SchemeTerritory>"
        "<ListIssueDateTime>2026-01-01T00:00:00.123+01:00</ListIssueDateTime>"
        f"<NextUpdate>{next_update}</NextUpdate></SchemeInformation><TrustServiceProviderList>"
        "<TrustServiceProvider><TSPInformation><TSPName><Name>TSP</Name></TSPName></TSPInformation>"
        f"<TSPServices>{each}</TSPServices></TrustServiceProvider></TrustServiceProviderList>"
        "</TrustServiceStatusList>"
    )


def service(now: str, *former: str) -> str:
    history = "".join(f"<ServiceHistoryInstance>{one}</ServiceHistoryInstance>" for one in former)
    return (
        f"<ServiceInformation>{now}</ServiceInformation><ServiceHistory>{history}</ServiceHistory>"
    )


def read(*services: str) -> tuple[tuple[Service, ...], tuple[str, ...]]:
    return read_services(parse_list(listed(*services)))


def only(*services: str) -> Service:
    (found,), _ = read(*services)
    return found


GOOD = service(state())
UNREADABLE = {
    "a certificate that is no base64": state(identity="<X509Certificate>?</X509Certificate>"),
    "a certificate that is none": state(identity="<X509Certificate>MAA=</X509Certificate>"),
    "a key alone": state(identity="<X509SKI>MAA=</X509SKI>"),
    "no time": state(start=""),
    "a time that is none": state(start="yesterday"),
}


@pytest.mark.parametrize("bad", UNREADABLE.values(), ids=UNREADABLE)
def test_a_service_that_cannot_be_read_is_left_out_and_named(bad):
    services, errors = read(service(bad), GOOD)
    assert len(services) == 1
    assert errors
    assert all(error.startswith("TSP: CA: ") for error in errors)


def test_services_of_other_types_are_not_looked_at():
    assert read(service(state(kind=f"{BASE}/Svctype/TSA/QTST"))) == ((), ())


def test_a_certificate_may_be_wrapped_as_anybody_likes():
    text = f"\n-----BEGIN CERTIFICATE-----\n{certificate()}\n-----END CERTIFICATE-----\n"
    found = only(service(state(identity=f"<X509Certificate>{text}</X509Certificate>")))
    assert len(found.certificates) == 1


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (GRANTED, "granted"),
        (f"  {GRANTED}\n", "granted"),
        (f"{BASE}/TrustedList/Svcstatus/withdrawn", "withdrawn"),
        ("http://example.org/granted", "not understood"),
        ("granted", "not understood"),
        ("", "unknown"),
    ],
)
def test_granted_is_one_uri(status, expected):
    assert only(service(state(status=status))).periods[0].status == expected


def test_periods_are_sorted_whatever_their_order():
    found = only(
        service(
            state(start="2024-01-01T00:00:00Z"),
            state(start="2018-01-01T00:00:00Z"),
            state(start="2021-01-01T00:00:00Z"),
        )
    )
    assert [period.start.year for period in found.periods] == [2024, 2021, 2018]


def test_of_two_periods_of_one_moment_the_present_one_counts():
    same = "2016-06-30T22:00:00Z"
    withdrawn = state(status=f"{BASE}/TrustedList/Svcstatus/withdrawn", start=same)
    assert only(service(withdrawn, state(start=same))).periods[0].status == "withdrawn"


@pytest.mark.parametrize(("spelled", "read"), [("GR", "EL"), ("el", "EL"), ("GB", "UK")])
def test_territories_are_spelled_in_one_way(spelled, read):
    text = listed(GOOD).replace("Territory>FR<", f"Territory>{spelled}<")
    assert parse_list(text).head.territory == read


def pointer(mime: str, location: str = "https://lists.example/a.xml") -> str:
    information = (
        "<OtherInformation><SchemeTerritory>DE</SchemeTerritory></OtherInformation>"
        f"<OtherInformation>{mime}</OtherInformation>"
    )
    return listed().replace(
        "<ListIssueDateTime>",
        f"<PointersToOtherTSL><OtherTSLPointer><TSLLocation>{location}</TSLLocation>"
        f"<AdditionalInformation>{information}</AdditionalInformation></OtherTSLPointer>"
        "</PointersToOtherTSL><ListIssueDateTime>",
    )


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (pointer("<MimeType>application/vnd.etsi.tsl+xml</MimeType>"), ["DE"]),
        (pointer("<MimeType>application/pdf</MimeType>"), []),
        (pointer(""), ["DE"]),
        (pointer("", "https://lists.example/a.pdf"), []),
    ],
    ids=["XML", "PDF", "unsaid, by its name XML", "unsaid"],
)
def test_pointers_to_lists_in_xml_are_followed(text, found):
    assert [one.territory for one in parse_list(text).pointers] == found


def test_a_history_with_a_gap_is_not_believed_at_all():
    former = (state(start="2018-01-01T00:00:00Z"), state(start="?"))
    services, errors = read(service(state(), *former))
    assert len(services[0].periods) == 1
    assert "history" in errors[0]


def test_a_former_period_of_another_type_is_not_granted():
    former = state(kind=f"{BASE}/Svctype/CA/PKC", start="2018-01-01T00:00:00Z")
    assert only(service(state(), former)).periods[1].status == "of another type"


def test_a_critical_extension_nobody_knows_takes_the_grant():
    services, errors = read(service(state(extensions=extension("<Surprise/>"))))
    assert services[0].periods[0].status == "not understood"
    assert "Surprise" in errors[0]


@pytest.mark.parametrize(
    "content",
    [extension("<Surprise/>", "false"), extension("<TakenOverBy/>"), use("RootCA-QC")],
    ids=["not critical", "taken over", "another word"],
)
def test_what_says_nothing_of_qualification_changes_nothing(content):
    found = only(service(state(extensions=use("ForWebSiteAuthentication") + content)))
    assert found.periods[0].status == "granted"
    assert found.periods[0].uses == (ListedUse.WEB,)


def criteria(content: str, combine: str = 'assert="all"') -> Criteria:
    qualifications = extension(
        f'<Qualifications xmlns="{SIE}" xmlns:x="{XADES}"><QualificationElement><Qualifiers>'
        f'<Qualifier uri="{BASE}/TrustedList/SvcInfoExt/NotQualified"/></Qualifiers>'
        f"<CriteriaList {combine}>{content}</CriteriaList></QualificationElement></Qualifications>"
    )
    (one,) = only(service(state(extensions=qualifications))).periods[0].qualifications
    assert one.qualifiers == ("NotQualified",)
    return one.criteria


def policy(*oids: str) -> str:
    each = "".join(
        f"<PolicyIdentifier><x:Identifier>{oid}</x:Identifier></PolicyIdentifier>" for oid in oids
    )
    return f"<PolicySet>{each}</PolicySet>"


BITS = (
    '<KeyUsage><KeyUsageBit name="nonRepudiation">true</KeyUsageBit>'
    '<KeyUsageBit name="crlSign">0</KeyUsageBit></KeyUsage>'
)
READ = {
    "policies": (policy("1.2.3", "urn:oid:1.2.4"), Criteria(policies=(("1.2.3", "1.2.4"),))),
    "key usages": (
        BITS,
        Criteria(
            key_usages=(KeyUsageCriterion(present=("non_repudiation",), absent=("crl_sign",)),)
        ),
    ),
    "a list in a list": (
        f'<CriteriaList assert="none">{policy("1.2")}</CriteriaList><Description>x</Description>',
        Criteria(nested=(Criteria(combine="none", policies=(("1.2",),)),)),
    ),
    "other criteria": (
        (
            "<otherCriteriaList><ExtendedKeyUsage><KeyPurposeId><x:Identifier>1.3</x:Identifier>"
            "</KeyPurposeId></ExtendedKeyUsage></otherCriteriaList>"
        ),
        Criteria(extended_key_usages=(("1.3",),)),
    ),
}


@pytest.mark.parametrize(("content", "expected"), READ.values(), ids=READ)
def test_criteria_are_read(content, expected):
    assert criteria(content) == expected


NOT_UNDERSTOOD = {
    "a policy that is no OID": policy("policy one"),
    "an empty set": "<PolicySet/>",
    "a usage neither true nor false": (
        '<KeyUsage><KeyUsageBit name="crlSign">maybe</KeyUsageBit></KeyUsage>'
    ),
    "no usages": "<KeyUsage/>",
    "something new": policy("1.2") + "<Phase>full moon</Phase>",
    "something new among others": "<otherCriteriaList><Phase/></otherCriteriaList>",
}


@pytest.mark.parametrize("content", NOT_UNDERSTOOD.values(), ids=NOT_UNDERSTOOD)
def test_criteria_that_say_more_than_is_known_say_so(content):
    assert not criteria(content).is_understood


@pytest.mark.parametrize("combine", ["", 'assert="most"'])
def test_criteria_without_a_known_combination_are_not_understood(combine):
    assert not criteria(policy("1.2"), combine).is_understood


def test_criteria_nested_without_end_are_not_understood():
    deep = policy("1.2")
    for _ in range(60):
        deep = f'<CriteriaList assert="all">{deep}</CriteriaList>'
    one = criteria(deep)
    depth = 0
    while one.nested:
        one, depth = one.nested[0], depth + 1
    assert depth <= 20
    assert not one.is_understood


@pytest.mark.parametrize("ends", ["", "<dateTime/>"])
def test_a_list_whose_next_update_is_empty_is_closed(ends):
    assert parse_list(listed(GOOD, next_update=ends)).head.next_update is None


@pytest.mark.parametrize(
    "text",
    [
        listed(GOOD).replace("NextUpdate", "LastUpdate"),
        listed(GOOD).replace("> 7 <", "> VII <"),
        listed(GOOD).replace("2026-01-01T00", "2026-13-01T00"),
        listed(GOOD).replace("02231/v2#", "02231/v1#"),
        listed(GOOD).replace("SchemeInformation", "Scheme"),
    ],
    ids=["no next update", "no number", "no date", "another namespace", "no scheme"],
)
def test_a_list_without_its_head_is_refused(text):
    with pytest.raises(ListRefusedError, match="list_malformed"):
        parse_list(text)


ENTITIES = "".join(f'<!ENTITY {b} "{f"&{a};" * 50}">' for a, b in itertools.pairwise("abcdefgh"))
BOMBS = {
    "entities in text": f'<!DOCTYPE l [<!ENTITY a "ha">{ENTITIES}]><l>&h;</l>',
    "entities in an attribute": f'<!DOCTYPE l [<!ENTITY a "ha">{ENTITIES}]><l a="&h;"/>',
    "a document type alone": listed(GOOD).replace("<Trust", "<!DOCTYPE x><Trust", 1),
    "nesting without end": "<l>" * 1_000_000,
    "an entity from outside": '<!DOCTYPE l [<!ENTITY a SYSTEM "file:///etc/hostname">]><l>&a;</l>',
}


@pytest.mark.parametrize("text", BOMBS.values(), ids=BOMBS)
def test_documents_made_to_hurt_are_refused(text):
    with pytest.raises(ListRefusedError, match="list_malformed"):
        parse_list(text)
