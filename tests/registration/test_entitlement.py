"""What follows from the register: nothing, a doubt, or a refusal."""

from datetime import UTC, datetime, timedelta

import pytest

from eidas.refusals import refusal_of
from enrol.eidas.entity import parse_entity
from enrol.eidas.organization import OrganizationIdentifier
from enrol.eidas.qcstatements import PspRole
from enrol.errors import UnavailableError
from enrol.registration.entitlement import Entitlement, EntitlementRules, Licence, RegisterMode
from enrol.registration.ports import RegisterAnswer
from register_file import entity

AT = datetime(2026, 11, 24, 12, tzinfo=UTC)
AI, PI = PspRole.PSP_AI, PspRole.PSP_PI
BOTH = frozenset({AI, PI})
ACME, BANK, VAT = map(
    OrganizationIdentifier, ("PSDFR-ACPR-12345", "PSDFR-ACPR-30004", "VATES-B12345678")
)
ENTRIES = tuple(
    filter(
        None,
        (
            parse_entity(entity()),
            parse_entity(entity("FR_ACPR!999", reference=None, services={"FR": "PS_080"})),
            parse_entity(
                entity("ES_BE!6950", reference=None, changes=("2019-01-01", "2020-01-01"))
            ),
        ),
    )
)


class Register:
    def __init__(self, *, made_at=AT, is_there=True):
        self.made_at, self.is_there = made_at, is_there

    def numbered(self, number):
        return self._answer(tuple(entry for entry in ENTRIES if number in entry.numbers))

    def coded(self, code):
        return self._answer(tuple(entry for entry in ENTRIES if entry.code == code))

    def _answer(self, entries):
        if not self.is_there:
            raise UnavailableError("register_unavailable")
        return RegisterAnswer(entries, self.made_at)


def judge(identifier, mode=RegisterMode.ENFORCE, *, register=None, roles=BOTH, **rules):
    entitlement = Entitlement(register or Register(), EntitlementRules(mode, **rules))
    return entitlement.judge(OrganizationIdentifier(identifier), roles, at=AT)


def test_an_authorised_psp_keeps_its_roles():
    assert judge(ACME) == Licence(BOTH)


def test_roles_without_their_service_are_taken_away():
    assert judge("PSDFR-ACPR-999") == Licence(frozenset({AI}))


CASES = [
    pytest.param("psp_not_in_register", BANK, {}, id="no entry"),
    pytest.param("psp_not_authorised", "PSDES-BDE-6950", {}, id="withdrawn"),
    pytest.param("role_insufficient", "PSDFR-ACPR-999", {"roles": frozenset({PI})}, id="service"),
    pytest.param("psp_not_in_register", BANK, {"mapped": {BANK: "FR_ACPR!1"}}, id="mapped amiss"),
    pytest.param(
        "register_unavailable", ACME, {"register": Register(is_there=False)}, id="no register"
    ),
    pytest.param(
        "register_unavailable",
        ACME,
        {"register": Register(made_at=AT - timedelta(days=7, seconds=1))},
        id="register too old",
    ),
]


@pytest.mark.parametrize(("code", "identifier", "others"), CASES)
def test_whom_the_register_does_not_license_is_refused_where_it_is_enforced(
    code, identifier, others
):
    assert refusal_of(judge, identifier, **others) == code


@pytest.mark.parametrize(("code", "identifier", "others"), CASES)
def test_a_warning_keeps_the_roles_and_says_the_doubt(code, identifier, others):
    licence = judge(identifier, RegisterMode.WARN, **others)
    assert licence == Licence(others.get("roles", BOTH), code)


def test_a_warning_also_says_that_one_of_the_roles_is_missing():
    assert judge("PSDFR-ACPR-999", RegisterMode.WARN) == Licence(BOTH, "role_insufficient")


def test_a_psp_that_also_is_an_aspsp_is_no_doubt():
    roles = BOTH | {PspRole.PSP_AS}
    assert judge(ACME, RegisterMode.WARN, roles=roles) == Licence(roles)


def test_without_the_register_nothing_is_asked():
    gone = Register(is_there=False)
    assert judge(BANK, RegisterMode.OFF, register=gone) == Licence(BOTH)


def test_a_credit_institution_on_the_list_needs_no_entry():
    gone = Register(is_there=False)
    assert judge(BANK, allow=frozenset({BANK}), register=gone) == Licence(BOTH)


def test_a_mapped_identifier_is_judged_by_its_entry():
    assert judge(VAT, mapped={VAT: "FR_ACPR!12345"}) == Licence(BOTH)
    assert refusal_of(judge, VAT, mapped={VAT: "ES_BE!6950"}) == "psp_not_authorised"


@pytest.mark.parametrize("mode", RegisterMode)
def test_an_identifier_of_another_form_is_refused_unless_it_is_known(mode):
    assert refusal_of(judge, VAT, mode) == "psp_not_mapped"
    assert judge(VAT, mode, allow=frozenset({VAT})) == Licence(BOTH)


def test_a_register_of_seven_days_still_counts():
    assert judge(ACME, register=Register(made_at=AT - timedelta(days=7))) == Licence(BOTH)
