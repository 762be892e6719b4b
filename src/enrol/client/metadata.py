"""The metadata a TPP registers: where they come from, and the body they are sent in."""

import json
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Final, get_type_hints

import msgspec

from enrol.client.pem import read_file
from enrol.client.seal import Seal, jwks_of
from enrol.errors import ClientMetadataError, ConfigurationError
from enrol.oauth.metadata import (
    ISSUED_MEMBERS,
    MEMBERS,
    ClientMetadata,
    parse_client_metadata,
)
from enrol.oauth.strict_json import JsonObject, parse_json_object

_NOT_YOURS: Final = (*ISSUED_MEMBERS, "client_id", "client_secret")
_LISTS: Final = frozenset(
    name for name, hint in get_type_hints(ClientMetadata).items() if "tuple" in str(hint)
)
_NAME: Final = re.compile(r"[A-Za-z0-9_#-]{1,64}")


def read_metadata(path: Path) -> JsonObject:
    """Return the metadata in a file: JSON where its name ends in ``.json``, else TOML.

    Raises `ConfigurationError` ``file_missing`` or ``metadata_malformed``.
    """
    raw = read_file(path, "metadata")
    try:
        if path.suffix.lower() == ".json":
            return parse_json_object(raw)
        return tomllib.loads(raw.decode("utf-8"))
    except ClientMetadataError as exc:
        raise ConfigurationError(
            "metadata_malformed", f"{path}: this is no JSON object with one meaning ({exc.code})."
        ) from exc
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise ConfigurationError(
            "metadata_malformed", f"{path}: this is no TOML text: {exc}."
        ) from exc


def own_metadata(document: Mapping[str, object]) -> JsonObject:
    """Return the metadata in a registration: no keys, no nulls, and nothing the bank issued."""
    left_out = {*_NOT_YOURS, "jwks"}
    return {name: value for name, value in document.items() if name not in left_out and value}


def check_metadata(metadata: Mapping[str, object]) -> tuple[str, ...]:
    """Refuse metadata that cannot be sent, and return warnings about the rest.

    What is good metadata is for the bank to say. Raises `ConfigurationError` ``metadata_member``
    for members that the bank issues or that are made of the QSealC, and for wrong types.
    """
    for name in _NOT_YOURS:
        if name in metadata:
            raise ConfigurationError(
                "metadata_member", f"metadata: {name} is issued by the bank. Remove it."
            )
    if "jwks" in metadata:
        raise ConfigurationError(
            "metadata_member", "metadata: jwks is made of [tpp] qsealc. Remove it."
        )
    try:
        parse_client_metadata(dict(metadata))
    except ClientMetadataError as exc:
        member = exc.findings[0].member or "a member"
        kind = (
            "a list of texts" if member in _LISTS else "a table" if member == "contact" else "text"
        )
        raise ConfigurationError("metadata_member", f"metadata: {member} must be {kind}.") from exc
    return tuple(
        f"metadata: {name} is no member of the STET contract; it is sent as it is."
        for name in metadata
        if name not in MEMBERS
    )


def apply_settings(metadata: Mapping[str, object], settings: tuple[str, ...]) -> JsonObject:
    """Return metadata changed by ``NAME=VALUE`` settings, in their order.

    VALUE is JSON where it begins with ``[`` or ``{``, else text; nothing removes the member. For
    a list, the first setting replaces it and each further one adds a value. Raises
    `ConfigurationError` ``setting_malformed``.
    """
    changed: JsonObject = dict(metadata)
    begun: dict[str, tuple[object, ...]] = {}
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals or not _NAME.fullmatch(name):
            raise ConfigurationError("setting_malformed", "--set takes NAME=VALUE.")
        value = _value(name, text)
        if text == "":
            changed.pop(name, None)
        elif name in _LISTS and not isinstance(value, list):
            begun[name] = (*begun.get(name, ()), value)
            changed[name] = list(begun[name])
        else:
            changed[name] = value
    return changed


def _value(name: str, text: str) -> object:
    if not text.startswith(("[", "{")):
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise ConfigurationError(
            "setting_malformed", f"--set {name}: the value begins like JSON and is none."
        ) from exc


def registration_body(
    metadata: Mapping[str, object],
    *seals: Seal,
    client_id: str | None = None,
    sent_back: Mapping[str, str] | None = None,
) -> bytes:
    """Return the JSON of a registration, or with `client_id` of an update (RFC 7592 §2.2).

    It holds all metadata and the keys of `seals`, and none of what a bank issues but the
    client_id, and in an update `sent_back`. The same arguments always give the same bytes.
    """
    own = {name: value for name, value in metadata.items() if name not in _NOT_YOURS}
    issued = {} if client_id is None else {"client_id": client_id, **(sent_back or {})}
    return msgspec.json.encode(issued | own | {"jwks": jwks_of(*seals)})
