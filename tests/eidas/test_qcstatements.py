from typing import ClassVar

import pytest
from asn1crypto import core
from hypothesis import given
from hypothesis import strategies as st

from eidas.minting import qc_statements
from eidas.refusals import refusal_of
from enrol.eidas.qcstatements import (
    PSD2_STATEMENT,
    QC_COMPLIANCE,
    QC_LEGISLATION,
    QC_PDS,
    QC_SSCD,
    QC_TYPE,
    QC_TYPE_OIDS,
    UNSPECIFIED_ROLE_OID,
    PdsLocations,
    PSD2QcType,
    Psd2Statement,
    PspRole,
    QcLegislations,
    QcStatement,
    QcStatementFacts,
    QcStatements,
    QcTypeIds,
    parse_qcstatements,
)

AI, PI = (PspRole.PSP_AI.oid, "PSP_AI"), (PspRole.PSP_PI.oid, "PSP_PI")
texts = st.text(max_size=40)


class Items(core.SequenceOf):
    _child_spec: ClassVar = core.Any


class FlatPsd2(core.Sequence):
    _fields: ClassVar = [
        ("roles", Items),
        ("nca_name", core.UTF8String),
        ("nca_id", core.UTF8String),
    ]


def flat_roles(*entries: list[core.Asn1Value]) -> bytes:
    """Return qcStatements whose RoleOfPSP hold what is given."""
    roles = Items([Items(entry) for entry in entries])
    info = FlatPsd2({"roles": roles, "nca_name": "ACPR", "nca_id": "FR-ACPR"})
    return QcStatements([QcStatement({"id": PSD2_STATEMENT, "info": info})]).dump()


def role(oid: str, name: str) -> list[core.Asn1Value]:
    return [core.ObjectIdentifier(oid), core.UTF8String(name)]


@given(
    compliance=st.booleans(),
    qscd=st.booleans(),
    types=st.lists(st.sampled_from(sorted(QC_TYPE_OIDS)), min_size=1, max_size=3).map(tuple),
    psd2=st.builds(Psd2Statement, st.frozensets(st.sampled_from(PspRole)), texts, texts),
)
def test_what_is_written_is_read_back(compliance, qscd, types, psd2):
    der = qc_statements(
        compliance=compliance,
        types=types,
        roles=[(role.oid, role.value) for role in psd2.roles],
        nca_name=psd2.nca_name,
        nca_id=psd2.nca_id,
        extra=[QcStatement({"id": QC_SSCD})] if qscd else [],
    )
    assert parse_qcstatements(der) == QcStatementFacts(compliance, qscd, types, (), psd2)


def test_absent_statements_are_absent():
    facts = parse_qcstatements(QcStatements([]).dump())
    assert not facts.compliance
    assert not facts.qscd
    assert (facts.qc_types, facts.legislations, facts.pds, facts.psd2) == ((), (), (), None)


def test_unknown_statements_are_passed_over():
    unknown = QcStatement({"id": "1.3.6.1.5.5.7.11.2", "info": core.Integer(7)})
    assert parse_qcstatements(qc_statements(extra=[unknown])).compliance


def test_unknown_qctype_is_its_oid():
    facts = parse_qcstatements(qc_statements(types=("web", "0.4.0.1862.1.6.9")))
    assert facts.qc_types == ("web", "0.4.0.1862.1.6.9")


def test_legislation_and_pds_are_recorded():
    facts = parse_qcstatements(
        qc_statements(
            extra=[
                QcStatement({"id": QC_LEGISLATION, "info": QcLegislations(["CH"])}),
                QcStatement(
                    {
                        "id": QC_PDS,
                        "info": PdsLocations([{"url": "https://q.example/pds", "language": "en"}]),
                    }
                ),
            ]
        )
    )
    assert facts.legislations == ("CH",)
    assert facts.pds == (("https://q.example/pds", "en"),)


def test_the_oid_decides_the_role_and_another_name_is_a_deviation():
    facts = parse_qcstatements(qc_statements(roles=[(AI[0], "Account Information"), PI]))
    assert facts.psd2 is not None
    assert facts.psd2.roles == {PspRole.PSP_AI, PspRole.PSP_PI}
    assert facts.deviations == ("psd2_role_mismatch",)


def test_unspecified_carries_no_right():
    facts = parse_qcstatements(qc_statements(roles=[(UNSPECIFIED_ROLE_OID, "Unspecified")]))
    assert facts.psd2 is not None
    assert facts.psd2.roles == frozenset()
    assert facts.deviations == ()


def test_several_roles_in_one_entry_are_a_deviation():
    facts = parse_qcstatements(flat_roles([*role(*AI), *role(*PI)]))
    assert facts.psd2 is not None
    assert facts.psd2.roles == {PspRole.PSP_AI, PspRole.PSP_PI}
    assert facts.deviations == ("psd2_roles_malformed",)


@pytest.mark.parametrize(
    ("extra", "compliance", "deviation"),
    [
        pytest.param(
            QcStatement({"id": QC_COMPLIANCE, "info": core.UTF8String("")}),
            False,
            "qccompliance_with_info",
            id="QcCompliance with an empty string",
        ),
        pytest.param(
            QcStatement({"id": QC_SSCD, "info": core.Null()}),
            True,
            "qcsscd_with_info",
            id="QcSSCD with NULL",
        ),
        pytest.param(
            QcStatement({"id": QC_PDS, "info": core.Integer(1)}),
            True,
            "pds_malformed",
            id="PDS that is a number",
        ),
    ],
)
def test_harmless_deviations_are_noted(extra, compliance, deviation):
    facts = parse_qcstatements(qc_statements(compliance=compliance, extra=[extra]))
    assert facts.compliance
    assert facts.deviations == (deviation,)


GOOD = qc_statements()


@pytest.mark.parametrize(
    "der",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\x05\x00", id="NULL"),
        pytest.param(QcStatement({"id": QC_COMPLIANCE}).dump(), id="one bare statement"),
        pytest.param(GOOD + b"\x00", id="octet after the end"),
        pytest.param(GOOD[:-1], id="cut short"),
        pytest.param(b"\x30\x80" + GOOD[2:] + b"\x00\x00", id="indefinite length"),
        pytest.param(
            qc_statements(extra=[QcStatement({"id": QC_COMPLIANCE})]), id="a statement twice"
        ),
        pytest.param(
            qc_statements(
                extra=[
                    QcStatement(
                        {
                            "id": PSD2_STATEMENT,
                            "info": PSD2QcType(
                                {"roles": [], "nca_name": "B", "nca_id": "DE-BAFIN"}
                            ),
                        }
                    )
                ]
            ),
            id="a second PSD2 statement",
        ),
        pytest.param(
            qc_statements(types=None, extra=[QcStatement({"id": QC_TYPE})]),
            id="QcType without info",
        ),
        pytest.param(
            qc_statements(
                types=None, extra=[QcStatement({"id": QC_TYPE, "info": core.Integer(3)})]
            ),
            id="QcType that is a number",
        ),
        pytest.param(
            qc_statements(types=None, extra=[QcStatement({"id": QC_TYPE, "info": QcTypeIds([])})]),
            id="QcType without types",
        ),
        pytest.param(
            qc_statements(extra=[QcStatement({"id": QC_LEGISLATION, "info": QcLegislations([])})]),
            id="legislation of no country",
        ),
        pytest.param(
            qc_statements(psd2=False, extra=[QcStatement({"id": PSD2_STATEMENT})]),
            id="PSD2 statement without info",
        ),
        pytest.param(qc_statements(roles=[("0.4.0.19495.1.5", "PSP_XX")]), id="unknown role"),
        pytest.param(
            qc_statements(roles=[("0.4.0.19495.1.3.1", "PSP_AI")]), id="role below PSP_AI"
        ),
        pytest.param(flat_roles([]), id="empty RoleOfPSP"),
        pytest.param(flat_roles(role(*AI)[:1]), id="role without name"),
        pytest.param(flat_roles([*role(*AI), core.Null()]), id="role and something else"),
        pytest.param(flat_roles(role(*AI)[::-1]), id="name before OID"),
        pytest.param(qc_statements(nca_name="A" * 257), id="authority of 257 characters"),
        pytest.param(qc_statements(nca_id="A" * 257), id="authority id of 257 characters"),
        pytest.param(GOOD.replace(b"FR-ACPR", b"FR-ACP\xff"), id="authority id not UTF-8"),
        pytest.param(
            GOOD.replace(b"\x0c\x07FR-ACPR", b"\x13\x07FR-ACPR"),
            id="PrintableString for UTF8String",
        ),
    ],
)
def test_what_cannot_be_read_without_guessing_is_refused(der):
    assert refusal_of(parse_qcstatements, der) == "qcstatements_malformed"


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_read_or_refused(data):
    assert refusal_of(parse_qcstatements, data) in {None, "qcstatements_malformed"}


@given(position=st.integers(0, len(GOOD) - 1), octet=st.integers(0, 255))
def test_a_changed_octet_is_read_or_refused(position, octet):
    changed = GOOD[:position] + bytes([octet]) + GOOD[position + 1 :]
    assert refusal_of(parse_qcstatements, changed) in {None, "qcstatements_malformed"}
