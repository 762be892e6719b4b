"""What the register says of a PSP, and whom a certificate means by its number."""

from datetime import UTC, date, datetime

import pytest

from eidas.refusals import refusal_of
from enrol.eidas.authorities import AUTHORITIES, is_same_authority
from enrol.eidas.entity import parse_entity
from enrol.eidas.qcstatements import PspRole
from enrol.eidas.register import EntityType, entries_named, licensed_roles
from enrol.eidas.rules import EEA_COUNTRIES
from register_file import agent, entity

AT = datetime(2026, 11, 24, 12, tzinfo=UTC)
AI, PI, IC, AS = PspRole.PSP_AI, PspRole.PSP_PI, PspRole.PSP_IC, PspRole.PSP_AS


def read(*args, **changes):
    entry = parse_entity(entity(*args, **changes))
    assert entry is not None
    return entry


def test_an_entity_is_read_as_the_file_writes_it():
    entry = read(
        "IE_CBI!C58301", kind="PSD_EMI", name="Fire", services={"AT": ["PS_070", "PS_080"]}
    )
    assert (entry.authority, entry.code, entry.name) == ("IE_CBI", "IE_CBI!C58301", "Fire")
    assert entry.entity_type is EntityType.E_MONEY_INSTITUTION
    assert entry.status_changes == (date(2019, 1, 7),)
    assert entry.services == (("AT", frozenset({"PS_070", "PS_080"})),)


@pytest.mark.parametrize(
    ("changes", "services"),
    [
        pytest.param({"changes": "2019-01-07"}, None, id="a day for a list of days"),
        pytest.param({}, {"FR": "PS_080"}, id="a service for a list of services"),
        pytest.param({"name": ["Acme", "ACME"]}, None, id="several names"),
        pytest.param({"reference": 898123456}, None, id="a number for a text"),
        pytest.param({"reference": None}, None, id="no reference"),
    ],
)
def test_values_are_one_or_a_list_of_them(changes, services):
    assert read(services=services, **changes).is_authorised(AT.date())


def test_only_institutions_authorised_themselves_are_entries():
    kinds = ("PSD_AG", "PSD_BR", "PSD_EXC", "PSD_ENL", "PSD_EPI", "PSD_EEMI", "CRD_CRE_INS")
    assert [parse_entity(entity(kind=kind)) for kind in kinds] == [None] * len(kinds)
    assert parse_entity(agent(1)) is None
    assert parse_entity("an entity") is None


@pytest.mark.parametrize(
    "bent",
    [
        pytest.param({"EntityCode": 5}, id="code of another type"),
        pytest.param({"CA_OwnerID": None}, id="no authority"),
        pytest.param({"Properties": {"ENT_NAM": "Acme"}}, id="properties in an object"),
        pytest.param({"Properties": [{"ENT_AUT": "1"}]}, id="no day"),
        pytest.param({"Properties": [{"ENT_AUT": "2019-13-01"}]}, id="no month"),
        pytest.param(
            {"Properties": [{"ENT_AUT": "2019-01-01"}, {"ENT_AUT": "2020-01-01"}]}, id="name twice"
        ),
        pytest.param({"Services": [{"France": ["PS_070"]}]}, id="no country"),
        pytest.param({"Services": ["PS_070"]}, id="services without a country"),
    ],
)
def test_an_institution_written_otherwise_is_not_guessed_at(bent):
    with pytest.raises(ValueError, match=r"."):
        parse_entity(entity() | bent)


@pytest.mark.parametrize(
    ("changes", "authorised"),
    [
        pytest.param((), False, id="never"),
        pytest.param(("2019-01-07",), True, id="authorised"),
        pytest.param(("2019-01-07", "2026-11-24"), False, id="withdrawn today"),
        pytest.param(("2019-01-07", "2026-11-25"), True, id="withdrawn from tomorrow"),
        pytest.param(("2019-01-07", "2020-01-01", "2021-01-01"), True, id="authorised again"),
        pytest.param(("2026-11-25",), False, id="authorised from tomorrow"),
    ],
)
def test_an_entity_is_authorised_after_an_odd_number_of_changes(changes, authorised):
    assert read(changes=changes).is_authorised(AT.date()) is authorised


@pytest.mark.parametrize(
    ("code", "reference", "nca_id", "number"),
    [
        pytest.param("IE_CBI!C58301", "1234", "IE-CBI", "C58301", id="end of the code"),
        pytest.param("PSD_PI!PT_BP!8709", None, "PT-BP", "8709", id="kind before the authority"),
        pytest.param("CZ_CNB!X1", "03570967", "CZ-CNB", "03570967", id="national reference"),
        pytest.param("FI_FIN-FSA!X2", "0111027-9", "FI-FINFSA", "01110279", id="no separators"),
        pytest.param("MT_MFSA!A12345", None, "MT-MFSA", "A 12345", id="a separator more"),
        pytest.param("BE_NBB!1234567890", None, "BE-NBB", "1234.567.890", id="dots"),
        pytest.param("ES_BE!6950", None, "ES-BDE", "6950", id="an authority of another name"),
        pytest.param("LV_LV!LV40003", None, "LV-FCMC", "lv40003", id="small letters"),
    ],
)
def test_a_number_leads_to_its_entry(code, reference, nca_id, number):
    entry = read(code, reference=reference)
    assert entries_named([entry], nca_id=nca_id, number=number) == (entry,)


@pytest.mark.parametrize(
    ("nca_id", "number"),
    [
        pytest.param("DE-BAFIN", "12345", id="of another authority"),
        pytest.param("FR-ACPR", "2345", id="a part of a number"),
        pytest.param("FR-ACPR", "--", id="no letter and no digit"),
        pytest.param("FR-ACPR", "١٢٣٤٥", id="digits of another script"),
    ],
)
def test_another_number_leads_nowhere(nca_id, number):
    assert entries_named([read(reference=None)], nca_id=nca_id, number=number) == ()


def test_an_authority_of_the_same_letters_needs_no_row():
    assert is_same_authority("XX_NEW-ONE", "XX-NEWONE")
    assert not is_same_authority("XX_NEW-ONE", "YY-NEWONE")


def test_the_table_covers_the_eea_and_stays_within_a_country():
    assert {code[:2] for code in AUTHORITIES} == EEA_COUNTRIES
    assert all(nca[:2] == code[:2] for code, ncas in AUTHORITIES.items() for nca in ncas)


def licensed(*entries, roles=frozenset({AI, PI}), **others):
    return licensed_roles(entries, roles, at=AT, **others)


def test_roles_are_those_the_services_carry():
    everything = read(services={"FR": ["PS_070", "PS_080", "PS_05A", "PS_010"]})
    assert licensed(everything, roles=frozenset({AI, PI, IC, AS})) == {AI, PI, IC}
    assert licensed(read(services={"FR": "PS_080"})) == {AI}


@pytest.mark.parametrize("services", [{"FR": "PS_010"}, {}])
def test_without_a_service_no_role_is_left(services):
    assert licensed(read(services=services)) == frozenset()


def test_services_count_where_they_are_offered():
    entry = read(services={"FR": ["PS_070", "PS_080"], "DE": "PS_080", "EL": "PS_070"})
    assert licensed(entry, country="DE") == {AI}
    assert licensed(entry, country="GR") == {PI}
    assert licensed(entry) == {AI, PI}


def test_an_authorised_entry_counts_beside_a_withdrawn_one():
    withdrawn = read(changes=("2019-01-01", "2020-01-01"), services={"FR": "PS_070"})
    assert licensed(withdrawn, read(kind="PSD_EMI", services={"FR": "PS_080"})) == {AI}


@pytest.mark.parametrize(
    ("code", "entries"),
    [
        ("psp_not_in_register", ()),
        ("psp_not_authorised", (read(changes=("2019-01-01", "2020-01-01")),)),
        ("psp_not_authorised", (read(changes=()),)),
    ],
)
def test_who_is_not_licensed_is_refused(code, entries):
    assert refusal_of(licensed, *entries) == code
