"""One entity of the EBA's register as its file writes it, read into a `RegisterEntry`.

``{"CA_OwnerID", "EntityCode", "EntityType", "Properties": [{name: value}], "Services": [{country:
codes}]}``: every value is a string or a list of strings, and nothing but the entity type tells an
institution from the agents around it.
"""

import re
from collections.abc import Mapping
from datetime import date
from typing import Final

from enrol.eidas.register import EntityType, RegisterEntry

_KEPT: Final = frozenset(EntityType)
_LONGEST: Final = 400
_MOST: Final = 200
_COUNTRY: Final = re.compile(r"[A-Z]{2}")
_SERVICE: Final = re.compile(r"[A-Z0-9_]{1,16}")
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def parse_entity(value: object) -> RegisterEntry | None:
    """Return the entry, None for what is no institution that is authorised itself.

    Raises ValueError for an institution that is not written as the register writes them.
    """
    if not isinstance(value, Mapping) or value.get("EntityType") not in _KEPT:
        return None
    properties = _named(value.get("Properties"))
    return RegisterEntry(
        authority=_text(value.get("CA_OwnerID")),
        code=_text(value.get("EntityCode")),
        entity_type=EntityType(value["EntityType"]),
        name=_first(properties, "ENT_NAM") or "",
        reference=_first(properties, "ENT_NAT_REF_COD"),
        status_changes=tuple(map(_day, properties.get("ENT_AUT", ()))),
        services=_services(value.get("Services")),
    )


def _services(value: object) -> tuple[tuple[str, frozenset[str]], ...]:
    services = _named(value)
    if not all(map(_COUNTRY.fullmatch, services)):
        raise ValueError("a host country is not two capitals")
    if not all(_SERVICE.fullmatch(code) for codes in services.values() for code in codes):
        raise ValueError("a service is not a code")
    return tuple((_country(host), frozenset(codes)) for host, codes in sorted(services.items()))


def _country(code: str) -> str:
    """Return the code of ISO 3166-1: the Union also writes Greece EL."""
    return "GR" if code == "EL" else code


def _named(value: object) -> dict[str, tuple[str, ...]]:
    """Read a list of objects, whose members are each named once in all of it."""
    if value is None:
        return {}
    if not isinstance(value, list) or len(value) > _MOST:
        raise ValueError("not a list of objects")
    found: dict[str, tuple[str, ...]] = {}
    for one in value:
        if not isinstance(one, Mapping) or not found.keys().isdisjoint(one):
            raise ValueError("not an object, or a name that stands twice")
        found.update({_text(name): _texts(content) for name, content in one.items()})
    return found


def _texts(value: object) -> tuple[str, ...]:
    """Read a string, or a list of strings."""
    values = value if isinstance(value, list) else [value]
    if len(values) > _MOST:
        raise ValueError("a list is too long")
    return tuple([str(each) for each in values if each is not None])


def _text(value: object) -> str:
    if not isinstance(value, str) or not 1 <= len(value) <= _LONGEST:
        raise ValueError("not a text, or too long")
    return value


def _first(properties: Mapping[str, tuple[str, ...]], name: str) -> str | None:
    values = properties.get(name, ())
    return values[0][:_LONGEST] if values else None


def _day(text: str) -> date:
    if _DAY.fullmatch(text) is None:
        raise ValueError("not a day")
    return date.fromisoformat(text)
