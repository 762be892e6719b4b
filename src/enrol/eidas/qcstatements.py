# mypy: disallow-subclassing-any=False
# (asn1crypto carries no types)
"""The qcStatements extension: what EN 319 412-5 and TS 119 495 write into a certificate."""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Final

from asn1crypto import core

from enrol.eidas.der import check_der
from enrol.errors import UnreadableCertificateError

QC_STATEMENTS: Final = "1.3.6.1.5.5.7.1.3"

QC_COMPLIANCE: Final = "0.4.0.1862.1.1"
QC_SSCD: Final = "0.4.0.1862.1.4"
QC_PDS: Final = "0.4.0.1862.1.5"
QC_TYPE: Final = "0.4.0.1862.1.6"
QC_LEGISLATION: Final = "0.4.0.1862.1.7"
PSD2_STATEMENT: Final = "0.4.0.19495.2"

QC_TYPE_OIDS: Final = {
    "esign": "0.4.0.1862.1.6.1",
    "eseal": "0.4.0.1862.1.6.2",
    "web": "0.4.0.1862.1.6.3",
}
"""The name `QcStatementFacts.qc_types` uses, and its OID (EN 319 412-5 §4.2.3)."""

MAXIMUM_TEXT: Final = 256
"""The upper bound of every string of the PSD2 statement, in characters (TS 119 495 annex A)."""


class PspRole(StrEnum):
    """What a payment service provider may do (TS 119 495 §5.2.2, RTS art. 34(3)(a))."""

    PSP_AS = "PSP_AS"
    PSP_PI = "PSP_PI"
    PSP_AI = "PSP_AI"
    PSP_IC = "PSP_IC"

    @property
    def oid(self) -> str:
        """Return the OID that decides, whatever name stands beside it."""
        return ROLE_OIDS[self]


ROLE_OIDS: Final = {
    PspRole.PSP_AS: "0.4.0.19495.1.1",
    PspRole.PSP_PI: "0.4.0.19495.1.2",
    PspRole.PSP_AI: "0.4.0.19495.1.3",
    PspRole.PSP_IC: "0.4.0.19495.1.4",
}
UNSPECIFIED_ROLE_OID: Final = "0.4.0.19495.1.0"
UNSPECIFIED_ROLE_NAME: Final = "Unspecified"

ROLES_MALFORMED: Final = "psd2_roles_malformed"
"""The deviation of several roles inside one RoleOfPSP."""
ROLE_MISMATCH: Final = "psd2_role_mismatch"
"""The deviation of a role name that belongs to another OID, or to none."""

_KNOWN: Final = frozenset({QC_COMPLIANCE, QC_SSCD, QC_PDS, QC_TYPE, QC_LEGISLATION, PSD2_STATEMENT})
_ROLES: Final = {oid: role for role, oid in ROLE_OIDS.items()}
_QC_TYPES: Final = {oid: name for name, oid in QC_TYPE_OIDS.items()}


class RoleOfPSP(core.Sequence):
    """``RoleOfPSP ::= SEQUENCE { roleOfPspOid, roleOfPspName }``."""

    _fields: ClassVar = [("oid", core.ObjectIdentifier), ("name", core.UTF8String)]


class RolesOfPSP(core.SequenceOf):
    """``RolesOfPSP ::= SEQUENCE OF RoleOfPSP``."""

    _child_spec: ClassVar = RoleOfPSP


class PSD2QcType(core.Sequence):
    """``PSD2QcType ::= SEQUENCE { rolesOfPSP, nCAName, nCAId }`` (TS 119 495 annex A)."""

    _fields: ClassVar = [
        ("roles", RolesOfPSP),
        ("nca_name", core.UTF8String),
        ("nca_id", core.UTF8String),
    ]


class QcTypeIds(core.SequenceOf):
    """``QcType ::= SEQUENCE OF OBJECT IDENTIFIER`` (EN 319 412-5 §4.2.3)."""

    _child_spec: ClassVar = core.ObjectIdentifier


class QcLegislations(core.SequenceOf):
    """``QcCClegislation ::= SEQUENCE OF CountryName`` (EN 319 412-5 §4.2.4)."""

    _child_spec: ClassVar = core.PrintableString


class PdsLocation(core.Sequence):
    """``PdsLocation ::= SEQUENCE { url IA5String, language PrintableString }``."""

    _fields: ClassVar = [("url", core.IA5String), ("language", core.PrintableString)]


class PdsLocations(core.SequenceOf):
    """``QcEuPDS ::= SEQUENCE OF PdsLocation`` (EN 319 412-5 §4.3.4)."""

    _child_spec: ClassVar = PdsLocation


class QcStatement(core.Sequence):
    """``QCStatement ::= SEQUENCE { statementId, statementInfo OPTIONAL }`` (RFC 3739 §3.2.6)."""

    _fields: ClassVar = [("id", core.ObjectIdentifier), ("info", core.Any, {"optional": True})]


class QcStatements(core.SequenceOf):
    """``QCStatements ::= SEQUENCE OF QCStatement``, the value of the extension."""

    _child_spec: ClassVar = QcStatement


class _Items(core.SequenceOf):
    _child_spec: ClassVar = core.Any


class _FlatRoles(core.SequenceOf):
    _child_spec: ClassVar = _Items


@dataclass(frozen=True, slots=True)
class Psd2Statement:
    """Roles and authority of a PSP; `roles` holds those that carry a right."""

    roles: frozenset[PspRole]
    nca_name: str
    nca_id: str


@dataclass(frozen=True, slots=True)
class QcStatementFacts:
    """What the extension says, believed or not.

    `qc_types` holds ``esign``, ``eseal``, ``web``, or the OID of a type unknown here;
    `legislations` the countries of QcCClegislation, which EU qualified certificates lack;
    `pds` pairs of URL and language. `deviations` are codes of what was written against the
    standard and could still be read without guessing: ``psd2_role_mismatch``,
    ``psd2_roles_malformed``, ``qccompliance_with_info``, ``qcsscd_with_info``, ``pds_malformed``.
    """

    compliance: bool
    qscd: bool
    qc_types: tuple[str, ...]
    legislations: tuple[str, ...]
    psd2: Psd2Statement | None
    pds: tuple[tuple[str, str], ...] = ()
    deviations: tuple[str, ...] = ()


def parse_qcstatements(der: bytes) -> QcStatementFacts:
    """Read the DER value of the extension; unknown statements are passed over.

    Raises UnreadableCertificateError ``qcstatements_malformed`` where a known statement is not
    framed as its standard says, stands twice, or names a role that does not exist.
    """
    try:
        check_der(der)
        return _facts(_statements(der))
    except Exception as exc:  # asn1crypto decodes late, and not always into a ValueError
        raise UnreadableCertificateError("qcstatements_malformed") from exc


def _statements(der: bytes) -> dict[str, bytes | None]:
    """Return the DER of each known statement's info, None where it has none, by OID."""
    found: dict[str, bytes | None] = {}
    for statement in QcStatements.load(der, strict=True):
        oid = str(statement["id"].native)
        if oid in found:
            raise ValueError("a statement stands twice")
        if oid in _KNOWN:
            info = statement["info"]
            found[oid] = info.dump() if isinstance(info, core.Any) else None
    return found


def _facts(found: dict[str, bytes | None]) -> QcStatementFacts:
    psd2, deviations = _psd2(found)
    pds, pds_deviations = _pds(found)
    without_info = {QC_COMPLIANCE: "qccompliance_with_info", QC_SSCD: "qcsscd_with_info"}
    return QcStatementFacts(
        compliance=QC_COMPLIANCE in found,
        qscd=QC_SSCD in found,
        qc_types=tuple(_QC_TYPES.get(oid, oid) for oid in _texts(found, QC_TYPE, QcTypeIds)),
        legislations=_texts(found, QC_LEGISLATION, QcLegislations),
        psd2=psd2,
        pds=pds,
        deviations=(
            *(code for oid, code in without_info.items() if found.get(oid) is not None),
            *deviations,
            *pds_deviations,
        ),
    )


def _load(found: dict[str, bytes | None], oid: str, spec: type[core.Asn1Value]) -> core.Asn1Value:
    """Return the info of the statement `oid` as `spec`, which must be there."""
    info = found[oid]
    if info is None:
        raise ValueError("a statement without its info")
    return spec.load(info, strict=True)


def _texts(found: dict[str, bytes | None], oid: str, spec: type[core.Asn1Value]) -> tuple[str, ...]:
    """Return the strings of a statement that is a list, () only where it is absent."""
    if oid not in found:
        return ()
    texts = tuple(_load(found, oid, spec).native)
    if not texts:
        raise ValueError("an empty list")
    return texts


def _pds(found: dict[str, bytes | None]) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...]]:
    """Return the PDS locations; nothing depends on them, so one that cannot be read is noted."""
    if QC_PDS not in found:
        return (), ()
    try:
        locations = _load(found, QC_PDS, PdsLocations).native
    except (ValueError, TypeError):
        return (), ("pds_malformed",)
    return tuple((item["url"], item["language"]) for item in locations), ()


def _psd2(found: dict[str, bytes | None]) -> tuple[Psd2Statement | None, tuple[str, ...]]:
    if PSD2_STATEMENT not in found:
        return None, ()
    statement = _load(found, PSD2_STATEMENT, PSD2QcType)
    nca_name, nca_id = str(statement["nca_name"].native), str(statement["nca_id"].native)
    if max(len(nca_name), len(nca_id)) > MAXIMUM_TEXT:
        raise ValueError("a string longer than its bound")
    entries = [tuple(entry) for entry in _FlatRoles.load(statement["roles"].dump(), strict=True)]
    pairs = [pair for entry in entries for pair in _role_pairs(entry)]
    deviations = []
    if any(len(entry) != 2 for entry in entries):
        deviations.append(ROLES_MALFORMED)
    if any(name != _role_name(oid) for oid, name in pairs):
        deviations.append(ROLE_MISMATCH)
    roles = frozenset(_ROLES[oid] for oid, _ in pairs if oid != UNSPECIFIED_ROLE_OID)
    return Psd2Statement(roles, nca_name, nca_id), tuple(deviations)


def _role_pairs(entry: tuple[core.Any, ...]) -> list[tuple[str, str]]:
    """Return OID and name of each role in one RoleOfPSP, which should hold exactly one."""
    if not entry or len(entry) % 2:
        raise ValueError("a role without its name")
    oids = (core.ObjectIdentifier.load(item.dump(), strict=True) for item in entry[::2])
    names = (core.UTF8String.load(item.dump(), strict=True) for item in entry[1::2])
    return [(str(oid.native), str(name.native)) for oid, name in zip(oids, names, strict=True)]


def _role_name(oid: str) -> str:
    """Return the name that belongs to a role; raises KeyError for an OID that is none."""
    return UNSPECIFIED_ROLE_NAME if oid == UNSPECIFIED_ROLE_OID else _ROLES[oid].value
