"""A list as XML: read without entities, network or huge trees (TS 119 612 annex B)."""

import base64
import binascii
import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final

from lxml import etree

from enrol.adapters.trustlists.errors import ListRefusedError
from enrol.eidas.trustlist import ListHead

LARGEST: Final = 8 * 1024 * 1024
"""How long a list may be, in bytes."""

Element = Any
"""An element of lxml, which has no types."""

_NAMESPACE: Final = "http://uri.etsi.org/02231/v2#"
_LOTL_TYPE: Final = "http://uri.etsi.org/TrstSvc/TrustedList/TSLType/EUlistofthelists"
_LOTL_RULES: Final = "http://uri.etsi.org/TrstSvc/TrustedList/schemerules/EUlistofthelists"
_XML_LIST: Final = "application/vnd.etsi.tsl+xml"
_SPELLED: Final = {"GR": "EL", "GB": "UK"}
_DECLARATION: Final = re.compile(r"\A\s*<\?xml\s[^>]*\?>", re.ASCII)
_ENCODING: Final = re.compile(rb"""\A\s*<\?xml\s[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})""")
_PEM_MARK: Final = re.compile(r"-----[A-Z ]+-----")
_LANGUAGE: Final = "{http://www.w3.org/XML/1998/namespace}lang"
_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True, slots=True)
class Pointer:
    """Where a list is, and the certificates (DER) one of which signed it."""

    territory: str
    location: str
    signers: tuple[bytes, ...]
    is_lotl: bool


@dataclass(frozen=True, slots=True)
class Document:
    """A list that was parsed; whether it is believed is for those who verified its bytes.

    `information` holds the URIs of the scheme, the newest first: of a LOTL, its pivots and the
    notice in the Official Journal.
    """

    head: ListHead
    is_lotl: bool
    information: tuple[str, ...]
    root: Element

    @property
    def pointers(self) -> Iterator[Pointer]:
        """The lists in XML that this one points to."""
        for each in self.root.iterfind(".//{*}PointersToOtherTSL/{*}OtherTSLPointer"):
            pointer = _pointer(each)
            if pointer is not None:
                yield pointer


def to_text(data: bytes) -> str:
    """Return a list as text without its XML declaration, whatever it was encoded in.

    Raises ListRefusedError.
    """
    if len(data) > LARGEST:
        raise ListRefusedError("list_too_large", f"it is longer than {LARGEST} bytes")
    declared = _ENCODING.match(data)
    encoding = declared[1].decode("ascii") if declared else "utf-8"
    encoding = next((name for bom, name in _BOMS if data.startswith(bom)), encoding)
    try:
        text = data.decode(encoding)
    except (UnicodeDecodeError, LookupError) as exc:
        raise ListRefusedError("list_malformed", f"it is not text in {encoding}") from exc
    return _DECLARATION.sub("", text, count=1).strip()


def parse_list(text: str, *, location: str = "", source: bytes = b"") -> Document:
    """Read a list; `source` are the bytes it came as. Raises ListRefusedError."""
    root = _parse(text)
    scheme = root.find("{*}SchemeInformation")
    if root.tag != f"{{{_NAMESPACE}}}TrustServiceStatusList" or scheme is None:
        raise ListRefusedError("list_malformed", "it is not a TrustServiceStatusList")
    number = text_of(scheme, "TSLSequenceNumber")
    next_update = scheme.find("{*}NextUpdate")
    if not number.isdecimal() or len(number) > 9 or next_update is None:
        raise ListRefusedError("list_malformed", "sequence number or next update is missing")
    ends = text_of(next_update, "dateTime") or (next_update.text or "").strip()
    head = ListHead(
        territory=_territory(text_of(scheme, "SchemeTerritory")),
        sequence_number=int(number),
        issued=moment(text_of(scheme, "ListIssueDateTime")),
        next_update=moment(ends) if ends else None,
        operator=name_of(scheme.find("{*}SchemeOperatorName")),
        location=location,
        sha256=sha256(source or text.encode()).digest(),
    )
    uris = scheme.iterfind("{*}SchemeInformationURI/{*}URI")
    is_lotl = text_of(scheme, "TSLType") == _LOTL_TYPE
    return Document(head, is_lotl, tuple((uri.text or "").strip() for uri in uris), root)


def _parse(text: str) -> Element:
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(text, parser)
    except (etree.XMLSyntaxError, ValueError) as exc:
        raise ListRefusedError("list_malformed", f"it is not XML: {exc}") from exc
    if root.getroottree().docinfo.doctype:
        raise ListRefusedError("list_malformed", "it has a document type")
    return root


def text_of(parent: Element, path: str) -> str:
    """Return the stripped text of the child at `path`, empty where there is none."""
    child = parent.find("/".join(f"{{*}}{step}" for step in path.split("/")))
    return "" if child is None else (child.text or "").strip()


def name_of(names: Element | None) -> str:
    """Return an international name in English, or as it stands first."""
    found = [] if names is None else [each for each in names if (each.text or "").strip()]
    english = [each for each in found if each.get(_LANGUAGE) == "en"]
    return " ".join((english or found)[0].text.split()) if found else ""


def moment(text: str) -> datetime:
    """Return an xsd:dateTime as aware UTC; one without zone is UTC. Raises ListRefusedError."""
    try:
        read = datetime.fromisoformat(text)
        return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
    except (ValueError, OverflowError) as exc:
        raise ListRefusedError("list_malformed", "a time in it cannot be read") from exc


def certificates_of(identity: Element) -> Iterator[bytes]:
    """Yield the certificates (DER) of a digital identity; what is not base64 is left out."""
    for each in identity.iterfind("{*}DigitalId/{*}X509Certificate"):
        text = "".join(_PEM_MARK.sub("", each.text or "").split())
        try:
            der = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            continue
        if der:
            yield der


def _pointer(element: Element) -> Pointer | None:
    location = text_of(element, "TSLLocation")
    information = element.find("{*}AdditionalInformation")
    if not location or information is None:
        return None
    mime = "".join(each.text or "" for each in information.iterfind(".//{*}MimeType")).strip()
    territory = "".join(
        each.text or "" for each in information.iterfind(".//{*}SchemeTerritory")
    ).strip()
    is_xml = mime == _XML_LIST or (not mime and location.lower().endswith((".xml", ".xtsl")))
    if not is_xml or not territory:
        return None
    rules = {
        (each.text or "").strip()
        for each in information.iterfind(".//{*}SchemeTypeCommunityRules/{*}URI")
    }
    kind = "".join(each.text or "" for each in information.iterfind(".//{*}TSLType")).strip()
    signers = tuple(
        der
        for identity in element.iterfind("{*}ServiceDigitalIdentities/{*}ServiceDigitalIdentity")
        for der in certificates_of(identity)
    )
    is_lotl = kind == _LOTL_TYPE or _LOTL_RULES in rules
    return Pointer(_territory(territory), location, signers, is_lotl)


def _territory(text: str) -> str:
    """Return a territory as the lists spell it (TS 119 612 §5.3.10)."""
    return _SPELLED.get(text.upper(), text.upper())
