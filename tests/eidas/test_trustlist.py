"""What trusted lists say: qualified now and when issued, for this use (checks 6, 8 and 9)."""

from datetime import timedelta

import msgspec
import pytest

from eidas.listing import anchors, head, period, qualified, service, snapshot
from eidas.minting import AT, DAY, mint, mint_authority, mint_seal
from eidas.refusals import refusal_of
from enrol.eidas.certificate import parse_certificate
from enrol.eidas.revocation import RevocationEvidence
from enrol.eidas.rules import CertificateRules, CertificateUse
from enrol.eidas.trust import TrustAnchors
from enrol.eidas.trustlist import (
    Criteria,
    KeyUsageCriterion,
    ListedUse,
    decode_snapshot,
    encode_snapshot,
)
from enrol.eidas.validate import validate

RULES = CertificateRules(revocation_required=False, verdict_lifetime=timedelta(days=365))
POLICY, OTHER_POLICY = "2.23.140.1.1", "1.2.3.4"
EVERYTHING = Criteria(key_usages=(KeyUsageCriterion(present=("digital_signature",)),))
NOTHING = Criteria(policies=((OTHER_POLICY,),))
UNKNOWN = Criteria(is_understood=False)


def judge(der: bytes, trust: TrustAnchors, *, use=CertificateUse.QWAC, at=AT, intermediates=()):
    return validate(
        parse_certificate(der),
        use=use,
        at=at,
        trust=trust,
        revocation=RevocationEvidence(),
        intermediates=intermediates,
        rules=RULES,
    )


def refusal(der: bytes, trust: TrustAnchors, **values) -> str | None:
    return refusal_of(judge, der, trust, **values)


# Check 8: the status, now and when issued


def test_a_service_granted_now_and_at_issue_is_believed(qtsp):
    assert refusal(mint(qtsp), anchors(service(qtsp))) is None


def test_a_ca_that_is_not_listed_is_refused(qtsp):
    stranger = mint_authority("Stranger")
    assert refusal(mint(stranger), anchors(service(qtsp))) == "cert_issuer_not_listed"


@pytest.mark.parametrize("status", ["withdrawn", "not understood", "undersupervision"])
def test_a_service_not_granted_now_is_refused(qtsp, status):
    periods = (period(AT - DAY, status), period())
    trust = anchors(service(qtsp, periods=periods))
    assert refusal(mint(qtsp), trust) == "cert_not_qualified_at_now"


def test_a_service_granted_only_after_the_issue_is_refused(qtsp):
    periods = (period(AT - 10 * DAY), period(AT - 40 * DAY, "withdrawn"))
    trust = anchors(service(qtsp, periods=periods))
    assert refusal(mint(qtsp), trust) == "cert_not_qualified_at_issue"


def test_before_its_first_period_a_service_was_nothing(qtsp):
    trust = anchors(service(qtsp, periods=(period(AT - 10 * DAY),)))
    assert refusal(mint(qtsp), trust) == "cert_not_qualified_at_issue"


def test_history_makes_an_older_certificate_qualified(qtsp):
    periods = (period(AT - 10 * DAY), period(AT - 400 * DAY))
    assert refusal(mint(qtsp), anchors(service(qtsp, periods=periods))) is None


def test_a_withdrawal_of_tomorrow_is_none_today_and_ends_the_verdict(qtsp):
    periods = (period(AT + DAY, "withdrawn"), period())
    trust = anchors(service(qtsp, periods=periods))
    assert judge(mint(qtsp), trust).recheck_at == AT + DAY
    assert refusal(mint(qtsp), trust, at=AT + DAY) == "cert_not_qualified_at_now"


def test_another_certificate_of_the_same_name_and_key_is_the_same_ca(qtsp):
    renewed = mint_authority(private_key=qtsp.key)
    listed = service(renewed, periods=(period(AT - DAY, "withdrawn"), period()))
    trust = anchors(service(qtsp, name="former"), listed)
    verdicts = {refusal(mint(qtsp), trust), refusal(mint(renewed), trust)}
    assert verdicts == {None}  # one of its two services is granted


def test_a_withdrawn_ca_under_a_granted_root_is_withdrawn(qtsp):
    root = mint_authority("Root", path_length=1)
    below = mint_authority("Below", issuer=root, path_length=0)
    withdrawn = service(below, periods=(period(AT - DAY, "withdrawn"), period()))
    trust = anchors(service(root), withdrawn)
    code = refusal(mint(below), trust, intermediates=(below.der,))
    assert code == "cert_not_qualified_at_now"
    assert refusal(mint(below), anchors(service(root)), intermediates=(below.der,)) is None


# Check 9: the use


@pytest.mark.parametrize(
    ("uses", "web", "eseal"),
    [
        ((ListedUse.WEB,), None, "service_not_for_eseal"),
        ((ListedUse.ESEAL,), "service_not_for_web", None),
        ((ListedUse.ESIGN,), "service_not_for_web", "service_not_for_eseal"),
        ((), "service_not_for_web", "service_not_for_eseal"),
    ],
    ids=["websites", "seals", "signatures", "no use named"],
)
def test_a_service_is_for_the_uses_it_names(qtsp, uses, web, eseal):
    trust = anchors(service(qtsp, periods=(period(uses=uses),)))
    assert refusal(mint(qtsp), trust) == web
    assert refusal(mint_seal(qtsp), trust, use=CertificateUse.QSEALC) == eseal


def test_the_use_must_be_named_when_issued_too(qtsp):
    periods = (period(AT - DAY), period(uses=(ListedUse.ESIGN,)))
    assert refusal(mint(qtsp), anchors(service(qtsp, periods=periods))) == "service_not_for_web"


def test_one_of_several_services_of_a_ca_is_enough(qtsp):
    seals = service(qtsp, periods=(period(uses=(ListedUse.ESEAL,)),), name="seals")
    websites = service(qtsp, periods=(period(uses=(ListedUse.WEB,)),), name="websites")
    trust = anchors(seals, websites)
    assert refusal(mint(qtsp), trust) is None
    assert refusal(mint_seal(qtsp), trust, use=CertificateUse.QSEALC) is None


WEB, SIGN = (ListedUse.WEB,), (ListedUse.ESIGN,)
QUALIFICATIONS = {
    "not qualified, and it is meant": (
        "NotQualified",
        EVERYTHING,
        WEB,
        "cert_not_qualified_at_now",
    ),
    "not qualified, another is meant": ("NotQualified", NOTHING, WEB, None),
    "not qualified, who knows whom": ("NotQualified", UNKNOWN, WEB, "cert_not_qualified_at_now"),
    "a qualifier never heard of": ("QCForRobots", EVERYTHING, WEB, "cert_not_qualified_at_now"),
    "such a qualifier for others": ("QCForRobots", NOTHING, WEB, None),
    "for signatures": ("QCForESig", EVERYTHING, WEB, "service_not_for_web"),
    "for signatures, others": ("QCForESig", NOTHING, WEB, None),
    "for signatures, perhaps": ("QCForESig", UNKNOWN, WEB, "service_not_for_web"),
    "for websites, use named": ("QCForWSA", EVERYTHING, WEB, None),
    "for websites, no use named": ("QCForWSA", EVERYTHING, (), None),
    "for websites, perhaps": ("QCForWSA", UNKNOWN, (), "service_not_for_web"),
    "for websites, another use named": ("QCForWSA", EVERYTHING, SIGN, "service_not_for_web"),
    "a word on seal devices": ("QCWithQSCD", EVERYTHING, WEB, None),
    "qualified by the list": ("QCStatement", EVERYTHING, WEB, None),
}


@pytest.mark.parametrize(
    ("qualifier", "criteria", "uses", "expected"), QUALIFICATIONS.values(), ids=QUALIFICATIONS
)
def test_qualifications_take_and_give(qtsp, qualifier, criteria, uses, expected):
    one = period(uses=uses, qualifications=(qualified(qualifier, criteria=criteria),))
    assert refusal(mint(qtsp), anchors(service(qtsp, periods=(one,)))) == expected


def test_the_list_does_not_make_up_for_a_certificate_that_claims_nothing(qtsp):
    one = period(qualifications=(qualified("QCStatement", criteria=EVERYTHING),))
    der = mint(qtsp, with_qc=False)
    assert refusal(der, anchors(service(qtsp, periods=(one,)))) == "qcstatements_missing"


def has(*names: str) -> Criteria:
    return Criteria(key_usages=(KeyUsageCriterion(present=names),))


def lacks(*names: str) -> Criteria:
    return Criteria(key_usages=(KeyUsageCriterion(absent=names),))


YES, NO = has("digital_signature"), has("non_repudiation")
CRITERIA = {
    "a usage it has": (YES, True),
    "a usage it has not": (NO, False),
    "a usage it must not have, and has not": (lacks("non_repudiation"), True),
    "a usage it must not have, and has": (lacks("digital_signature"), False),
    "a usage nobody knows": (has("time_travel"), None),
    "an attribute of its subject": (Criteria(subject_attributes=(("2.5.4.97",),)), True),
    "an attribute its subject has not": (Criteria(subject_attributes=(("2.5.4.5",),)), False),
    "an extended usage": (Criteria(extended_key_usages=(("1.3.6.1.5.5.7.3.2",),)), True),
    "an extended usage it has not": (Criteria(extended_key_usages=(("1.2",),)), False),
    "all, one not": (Criteria(combine="all", nested=(YES, NO)), False),
    "all, one unknown": (Criteria(combine="all", nested=(YES, UNKNOWN)), None),
    "all, one not and one unknown": (Criteria(combine="all", nested=(NO, UNKNOWN)), False),
    "one, and there is one": (Criteria(combine="atLeastOne", nested=(YES, UNKNOWN)), True),
    "one, and perhaps": (Criteria(combine="atLeastOne", nested=(NO, UNKNOWN)), None),
    "one, and there is none": (Criteria(combine="atLeastOne", nested=(NO, NO)), False),
    "none, and there is one": (Criteria(combine="none", nested=(YES, UNKNOWN)), False),
    "none, and perhaps": (Criteria(combine="none", nested=(NO, UNKNOWN)), None),
    "none, and there is none": (Criteria(combine="none", nested=(NO, NO)), True),
    "none of no criteria": (Criteria(combine="none"), None),
}


@pytest.mark.parametrize(("criteria", "met"), CRITERIA.values(), ids=CRITERIA)
def test_criteria_are_met_or_not_or_it_cannot_be_said(qtsp, criteria, met):
    def with_qualifier(qualifier: str, uses) -> str | None:
        one = period(uses=uses, qualifications=(qualified(qualifier, criteria=criteria),))
        return refusal(mint(qtsp), anchors(service(qtsp, periods=(one,))))

    taken = with_qualifier("NotQualified", WEB) is not None
    given = with_qualifier("QCForWSA", ()) is None
    assert (taken, given) == (met is not False, met is True)


# Check 6: lists that ended, or were never had


def test_a_list_past_its_next_update_cannot_decide(qtsp):
    trust = anchors(service(qtsp), territory=head(next_update=AT - DAY))
    assert refusal(mint(qtsp), trust) == "trust_list_unavailable"


def test_a_list_that_ended_does_not_touch_other_territories(qtsp):
    other = mint_authority("Other")
    late = snapshot(service(qtsp), territory=head(next_update=AT - DAY))
    good = snapshot(service(other), territory=head("DE"))
    together = msgspec.structs.replace(good, lists=(*late.lists, *good.lists))
    trust = TrustAnchors.from_snapshot(together)
    assert refusal(mint(other), trust) is None
    assert refusal(mint(qtsp), trust) == "trust_list_unavailable"


def test_a_list_of_the_lists_past_its_next_update_ends_all(qtsp):
    trust = anchors(service(qtsp), lotl=head("EU", next_update=AT - DAY))
    assert refusal(mint(qtsp), trust) == "trust_list_unavailable"


@pytest.mark.parametrize("ended", ["EU", "FR"])
def test_a_grace_lengthens_lists(qtsp, ended):
    late = head(ended, next_update=AT - DAY)
    made = snapshot(service(qtsp), **{"lotl" if ended == "EU" else "territory": late})
    for days, expected in ((1, None), (0, "trust_list_unavailable")):
        trust = TrustAnchors.from_snapshot(made, grace=timedelta(days=days))
        assert refusal(mint(qtsp), trust) == expected


def test_a_closed_list_grants_nothing_any_more(qtsp):
    trust = anchors(service(qtsp), territory=head(next_update=None))
    assert refusal(mint(qtsp), trust) == "cert_not_qualified_at_now"


@pytest.mark.parametrize(
    ("missing", "expected"),
    [("FR", "trust_list_unavailable"), ("DE", "cert_issuer_not_listed")],
)
def test_an_issuer_that_may_be_on_a_missing_list_is_not_refused(qtsp, missing, expected):
    stranger = mint_authority("Stranger")  # of France
    assert refusal(mint(stranger), anchors(service(qtsp), missing=(missing,))) == expected


def test_greece_is_spelled_as_certificates_spell_it(qtsp):
    trust = anchors(service(qtsp), missing=("EL",))
    assert trust.listing is not None
    assert trust.listing.missing == {"GR"}


def test_the_verdict_ends_with_the_list(qtsp):
    trust = anchors(service(qtsp), territory=head(next_update=AT + DAY))
    assert judge(mint(qtsp), trust).recheck_at == AT + DAY


# The snapshot


def test_a_certificate_that_no_library_reads_is_left_out_alone(qtsp):
    good = service(qtsp)
    bad = type(good)(
        provider="P", name="bad", certificates=(b"\x30\x00", qtsp.der[:-1]), periods=(period(),)
    )
    trust = anchors(bad, good)
    assert trust.certificates == (qtsp.certificate,)
    assert refusal(mint(qtsp), trust) is None


def test_a_snapshot_is_read_as_it_was_written(qtsp):
    one = period(
        qualifications=(qualified("QCForESig", criteria=CRITERIA["none, and perhaps"][0]),)
    )
    made = snapshot(service(qtsp, periods=(one, period(AT - 990 * DAY))), missing=("DE",))
    assert decode_snapshot(encode_snapshot(made)) == made


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b'{"version":2}'])
def test_what_is_no_snapshot_is_refused(data):
    with pytest.raises(ValueError):  # noqa: PT011 - msgspec's own
        decode_snapshot(data)
