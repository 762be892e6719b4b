"""Texts of metadata: names that people can read, addresses they can be reached at, images."""

import re
import unicodedata
from base64 import b64decode
from binascii import Error as BinasciiError

from enrol.registration import redirect_uri

_EMAIL = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}"
)
_PHONE = re.compile(r"\+?[0-9][0-9 ().-]{3,30}")
_IMAGE = re.compile(r"data:(?P<type>image/[a-z]+);base64,(?P<data>[A-Za-z0-9+/]+={0,2})")
_LONGEST_TEXT = 140
_LONGEST_LOGO = 32_768
_LONGEST_ADDRESS = 254
_MOST_COMBINING = 8


def is_plain_text(text: str) -> bool:
    """Tell whether people can read `text` as it is: no controls, no marks that hide or reorder."""
    return (
        1 <= len(text) <= _LONGEST_TEXT
        and text.isprintable()
        and bool(text.strip())
        and (text.isascii() or sum(map(bool, map(unicodedata.combining, text))) <= _MOST_COMBINING)
    )


def is_email(text: str) -> bool:
    """Tell whether `text` is one e-mail address of plain ASCII."""
    return len(text) <= _LONGEST_ADDRESS and _EMAIL.fullmatch(text) is not None


def is_phone_number(text: str) -> bool:
    """Tell whether `text` is a phone number as people write it."""
    return _PHONE.fullmatch(text) is not None


def is_reachable(text: str) -> bool:
    """Tell whether a contact is an e-mail address or an https page (RFC 7591 §2)."""
    return is_email(text) or redirect_uri.is_https_uri(text)


def is_base64(text: str) -> bool:
    """Tell whether `text` is base64 of at most 32 kB."""
    try:
        b64decode(text, validate=True)
    except (BinasciiError, ValueError):
        return False
    return len(text) <= _LONGEST_LOGO


def is_image(uri: str, types: frozenset[str]) -> bool:
    """Tell whether `uri` is a ``data:`` URI of an image of one of the media types (RFC 2397)."""
    if not types or len(uri) > _LONGEST_LOGO:
        return False
    match = _IMAGE.fullmatch(uri)
    return match is not None and match["type"] in types and is_base64(match["data"])
