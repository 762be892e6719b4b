"""Qualifications of a service: which certificates it says more about (TS 119 612 §5.5.9.2)."""

import re
from collections.abc import Iterator
from typing import Final, Literal

from enrol.adapters.trustlists.document import Element
from enrol.eidas.trustlist import Criteria, KeyUsageCriterion, Qualification

_OID: Final = re.compile(r"(?:urn:oid:)?([0-2](?:\.(?:0|[1-9][0-9]{0,38})){1,127})", re.IGNORECASE)
_CAPITAL: Final = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]")
_BOOLEANS: Final = {"true": True, "1": True, "false": False, "0": False}
_COMBINATIONS: Final[dict[str, Literal["all", "atLeastOne", "none"]]] = {
    "all": "all",
    "atLeastOne": "atLeastOne",
    "none": "none",
}
_TOO_DEEP: Final = 20


class _NotUnderstoodError(Exception):
    """A criterion says something that is not known here."""


def qualifications_of(element: Element) -> Iterator[Qualification]:
    """Yield the qualifications of the extension; without criteria, whom one means is unknown."""
    for each in element.iterfind("{*}QualificationElement"):
        uris = [one.get("uri", "").strip() for one in each.iterfind("{*}Qualifiers/{*}Qualifier")]
        criteria = each.find("{*}CriteriaList")
        yield Qualification(
            qualifiers=tuple(uri.rpartition("/")[2] or "unknown" for uri in uris),
            criteria=Criteria(is_understood=False) if criteria is None else _criteria(criteria),
        )


def _criteria(element: Element, depth: int = 0) -> Criteria:
    policies, usages, extended, subjects = [], [], [], []
    nested: list[Criteria] = []
    combine = _COMBINATIONS.get(element.get("assert", "").strip())
    is_understood = combine is not None and depth < _TOO_DEEP
    for kind, child in _children(element):
        try:
            match kind:
                case "Description":
                    continue
                case "PolicySet":
                    policies.append(_oids(child, "PolicyIdentifier"))
                case "KeyUsage":
                    usages.append(_key_usage(child))
                case "CriteriaList" if depth < _TOO_DEEP:
                    nested.append(_criteria(child, depth + 1))
                case "ExtendedKeyUsage":
                    extended.append(_oids(child, "KeyPurposeId"))
                case "CertSubjectDNAttribute":
                    subjects.append(_oids(child, "AttributeOID"))
                case _:
                    is_understood = False
        except _NotUnderstoodError:
            is_understood = False
    return Criteria(
        combine=combine or "all",
        policies=tuple(policies),
        key_usages=tuple(usages),
        extended_key_usages=tuple(extended),
        subject_attributes=tuple(subjects),
        nested=tuple(nested),
        is_understood=is_understood,
    )


def _children(element: Element) -> Iterator[tuple[str, Element]]:
    """Yield the criteria by local name, those in otherCriteriaList among them."""
    for child in element:
        kind = str(child.tag).rpartition("}")[2]
        if kind == "otherCriteriaList":
            yield from _children(child)
        else:
            yield kind, child


def _oids(element: Element, kind: str) -> tuple[str, ...]:
    """Return the OIDs of a criterion, of which there must be some and nothing else."""
    found = []
    for each in element:
        identifier = each.find("{*}Identifier")
        text = "" if identifier is None else (identifier.text or "").strip()
        match = _OID.fullmatch(text)
        if str(each.tag).rpartition("}")[2] != kind or match is None:
            raise _NotUnderstoodError
        found.append(match[1])
    if not found:
        raise _NotUnderstoodError
    return tuple(found)


def _key_usage(element: Element) -> KeyUsageCriterion:
    bits: dict[bool, list[str]] = {True: [], False: []}
    for each in element.iterfind("{*}KeyUsageBit"):
        name = _CAPITAL.sub(lambda found: f"_{found[0].lower()}", each.get("name", ""))
        value = _BOOLEANS.get((each.text or "").strip())
        if value is None:
            raise _NotUnderstoodError
        bits[value].append(name)
    if not any(bits.values()):
        raise _NotUnderstoodError
    return KeyUsageCriterion(present=tuple(bits[True]), absent=tuple(bits[False]))
