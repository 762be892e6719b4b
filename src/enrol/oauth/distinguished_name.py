"""Distinguished names: read from the text of RFC 4514, and compared by what they hold.

Two are the same where they have the same attributes in the same order, whichever string form each
was written in; values are compared as RFC 5280 §7.1 prepares them.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Final

from asn1crypto.core import (
    BMPString,
    IA5String,
    PrintableString,
    TeletexString,
    UniversalString,
    UTF8String,
    load,
)
from cryptography import x509

LONGEST: Final = 2048

Rdn = tuple[tuple[str, str], ...]
"""The attributes of one relative name, sorted: OID in dots, and value as prepared."""

DistinguishedName = tuple[Rdn, ...]
"""The relative names as a certificate has them: the last of a text first (RFC 4514 §2.1)."""

_TYPES: Final[Mapping[str, str]] = {
    "cn": "2.5.4.3",
    "sn": "2.5.4.4",
    "surname": "2.5.4.4",
    "serialnumber": "2.5.4.5",
    "c": "2.5.4.6",
    "l": "2.5.4.7",
    "st": "2.5.4.8",
    "street": "2.5.4.9",
    "o": "2.5.4.10",
    "ou": "2.5.4.11",
    "title": "2.5.4.12",
    "businesscategory": "2.5.4.15",
    "postalcode": "2.5.4.17",
    "givenname": "2.5.4.42",
    "gn": "2.5.4.42",
    "organizationidentifier": "2.5.4.97",
    "dc": "0.9.2342.19200300.100.1.25",
    "uid": "0.9.2342.19200300.100.1.1",
    "emailaddress": "1.2.840.113549.1.9.1",
    "e": "1.2.840.113549.1.9.1",
    "jurisdictionc": "1.3.6.1.4.1.311.60.2.1.3",
    "jurisdictioncountryname": "1.3.6.1.4.1.311.60.2.1.3",
}
"""The names of RFC 4514 §3 and those that certificates of businesses need; others go by OID."""

_STRINGS: Final = (
    *(UTF8String, PrintableString, IA5String),
    *(TeletexString, BMPString, UniversalString),
)
_TYPE: Final = re.compile(r" *(?:([A-Za-z][A-Za-z0-9-]{0,63})|([0-9]+(?:\.[0-9]+){1,20})) *=")
_PAIR: Final = re.compile(r'\\(?:([0-9A-Fa-f]{2})|([ "#+,;<=>\\]))')
_PLAIN: Final = re.compile(r'[^\\"+,;<>\0]')
_HEX: Final = re.compile(r" *#((?:[0-9A-Fa-f]{2})+) *")
_BLANKS: Final = re.compile(r" +")


class DistinguishedNameError(ValueError):
    """A text is no distinguished name that can be read in one way."""


def parse_distinguished_name(text: str) -> DistinguishedName:
    """Return the name that a text of RFC 4514 means; blanks around separators are let pass.

    Raises `DistinguishedNameError`, also for a type of attribute that is known by its OID alone
    here, a quoted value (RFC 1779), and the form that begins with a slash.
    """
    if not 0 < len(text) <= LONGEST:
        raise DistinguishedNameError
    names: list[Rdn] = []
    attributes: list[tuple[str, str]] = []
    position, separator = 0, ","
    while separator:
        attribute, position = _parse_attribute(text, position)
        attributes.append(attribute)
        separator = text[position : position + 1]
        position += 1
        if separator == "+":
            continue
        names.append(tuple(sorted(attributes)))
        attributes = []
    return tuple(reversed(names))


def distinguished_name_of(name: x509.Name) -> DistinguishedName:
    """Return the name in a certificate; a value that is no text is the same as no other."""
    return tuple(
        [
            tuple(sorted([(each.oid.dotted_string, _prepared(each.value)) for each in rdn]))
            for rdn in name.rdns
        ]
    )


def _parse_attribute(text: str, position: int) -> tuple[tuple[str, str], int]:
    """Return one attribute, and where the separator behind it stands."""
    match = _TYPE.match(text, position)
    if match is None:
        raise DistinguishedNameError
    oid = match[2] or _TYPES.get(match[1].lower())
    if oid is None:
        raise DistinguishedNameError
    encoded = _HEX.match(text, match.end())
    if encoded is not None:
        value, position = _decode(bytes.fromhex(encoded[1])), encoded.end()
    else:
        octets, position = _parse_value(text, match.end())
        try:
            value = octets.decode()
        except UnicodeDecodeError as exc:
            raise DistinguishedNameError from exc
    if text[position : position + 1] not in ("", ",", "+") or not value:
        raise DistinguishedNameError
    return (oid, _prepared(value)), position


def _parse_value(text: str, position: int) -> tuple[bytes, int]:
    """Return the octets of a value, without the blanks around it that are not escaped."""
    octets, kept = b"", 0
    while position < len(text):
        if pair := _PAIR.match(text, position):
            octets += bytes.fromhex(pair[1]) if pair[1] else pair[2].encode()
            kept, position = len(octets), pair.end()
        elif plain := _PLAIN.match(text, position):
            if plain[0] == "#" and not octets:
                raise DistinguishedNameError
            if plain[0] != " " or octets:
                octets += plain[0].encode("utf-8", "surrogatepass")
            kept, position = len(octets) if plain[0] != " " else kept, plain.end()
        else:
            break
    return octets[:kept], position


def _decode(der: bytes) -> str:
    """Return the text in the DER of a value (RFC 4514 §2.4)."""
    try:
        value = load(der, strict=True)
        text = value.native if isinstance(value, _STRINGS) else None
    except (ValueError, TypeError) as exc:
        raise DistinguishedNameError from exc
    if not isinstance(text, str):
        raise DistinguishedNameError
    return text


def _prepared(value: str | bytes) -> str:
    """Return a value as it is compared: letters of one case, one form, single blanks inside."""
    if isinstance(value, bytes):
        return "\0"
    folded = "".join(_mapped(unicodedata.normalize("NFKC", value).casefold()))
    return _BLANKS.sub(" ", unicodedata.normalize("NFKC", folded)).strip(" ")


def _mapped(text: str) -> Iterator[str]:
    """Yield characters as RFC 4518 §2.2 maps them: spaces to blanks, the invisible to nothing."""
    for character in text:
        category = unicodedata.category(character)
        if category in ("Zs", "Zl", "Zp") or character in "\t\n\v\f\r\x85":
            yield " "
        elif category not in ("Cc", "Cf"):
            yield character
