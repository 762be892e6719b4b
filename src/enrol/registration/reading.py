"""The document a client sends, in the form of the standards."""

from enrol.oauth.strict_json import JsonObject
from enrol.registration.dialect import Reading


def read_document(document: JsonObject, reading: Reading) -> JsonObject:
    """Return `document` with the forms that a dialect reads turned into those of the standards.

    What has another type than a dialect foresees stays as it is, for the parser to refuse.
    """
    if reading.is_plain:
        return document
    changed: JsonObject = {
        name: _lower(document[name]) for name in reading.any_case if name in document
    }
    if "jwks" in document:
        changed["jwks"] = _read_key_set(document["jwks"], reading)
    return document | changed


def _lower(values: object) -> object:
    """Return a list with its texts in small letters, where they are in capitals alone."""
    if not isinstance(values, list):
        return values
    return [v.lower() if isinstance(v, str) and v.isascii() and v.isupper() else v for v in values]


def _read_key_set(jwks: object, reading: Reading) -> object:
    if reading.jwks_array and isinstance(jwks, list):
        jwks = {"keys": jwks}
    keys = jwks.get("keys") if isinstance(jwks, dict) else None
    if not isinstance(jwks, dict) or not isinstance(keys, list):
        return jwks
    read = [_read_key(key, reading) if isinstance(key, dict) else key for key in keys]
    return jwks | {"keys": read}


def _read_key(key: JsonObject, reading: Reading) -> JsonObject:
    changed: JsonObject = {}
    if reading.x5c_text and isinstance(key.get("x5c"), str):
        changed["x5c"] = [key["x5c"]]
    kty = key.get("kty")
    if isinstance(kty, str) and kty in reading.kty_aliases:
        changed["kty"] = reading.kty_aliases[kty]
    return key | changed
