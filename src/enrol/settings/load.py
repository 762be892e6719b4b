"""Settings read from one TOML file, overridden by ``ENROL_…`` variables, checked whole."""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, get_args, get_origin
from urllib.parse import urlsplit

import msgspec
from msgspec import structs

from enrol.adapters.dialects import is_path, load_dialect
from enrol.adapters.trustlists.job import EU_LOTL
from enrol.errors import ConfigurationError
from enrol.settings.sections import StorageSection, TrustSection
from enrol.settings.settings import Settings

_PREFIX = "ENROL_"


def load_settings(path: Path, environment: Mapping[str, str] = os.environ) -> Settings:
    """Return the settings in a TOML file with the overrides of the environment.

    ``ENROL_SERVER_PORT=9443`` sets ``port`` of ``[server]``; a comma separates list values, and a
    table is written as in TOML, between braces; an empty value unsets what may be absent. Relative
    paths are those of the file's folder. Raises `ConfigurationError`, which names the setting.
    """
    try:
        tables = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeError) as exc:
        raise ConfigurationError("settings_unreadable", f"{path}: cannot be read ({exc})") from exc
    except tomllib.TOMLDecodeError as exc:
        raise ConfigurationError("settings_malformed", f"{path}: not TOML: {exc}") from exc
    _override(tables, environment)

    def in_folder(_type: type, text: object) -> Path:
        return (path.parent / str(text)).absolute()

    try:
        settings = msgspec.convert(tables, Settings, strict=False, dec_hook=in_folder)
    except msgspec.ValidationError as exc:
        raise ConfigurationError("settings_invalid", f"{path}: {exc}") from exc
    settings = _with_dialect_in_folder(settings, path.parent)
    _check(settings, path)
    return settings


def _with_dialect_in_folder(settings: Settings, folder: Path) -> Settings:
    """Return the settings with the path of a dialect, if it is one, from the file's folder."""
    given = settings.registration
    if not is_path(given.dialect):
        return settings
    name = str((folder / given.dialect).absolute())
    return structs.replace(settings, registration=structs.replace(given, dialect=name))


def _override(tables: dict[str, object], environment: Mapping[str, str]) -> None:
    """Put the values of ``ENROL_SECTION_NAME`` variables into the tables."""
    for section in msgspec.structs.fields(Settings):
        for field in msgspec.structs.fields(section.type):
            name = f"{_PREFIX}{section.name}_{field.name}".upper()
            table = tables.setdefault(section.name, {})
            if name not in environment or not isinstance(table, dict):
                continue
            if not environment[name] and field.default is None:
                table.pop(field.name, None)
            else:
                table[field.name] = _value(name, environment[name], field.type)


def _value(name: str, text: str, kind: object) -> object:
    """Return what the text of a variable stands for in a setting of this type."""
    if get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    if get_origin(kind) is tuple:
        return [part for part in text.split(",") if part]
    if get_origin(kind) is not dict:
        return text
    try:
        return tomllib.loads(f"table = {text}")["table"]
    except tomllib.TOMLDecodeError as exc:
        raise ConfigurationError(
            "settings_malformed", f"{name}: not a table of TOML between braces: {exc}"
        ) from exc


def _check(settings: Settings, path: Path) -> None:
    """Refuse values that have the right type and cannot work."""
    load_dialect(settings.registration.dialect)
    _check_trust(settings.trust, path)
    _check_storage(settings.storage, path)
    url = urlsplit(settings.public_url)
    if url.scheme != "https" or not url.netloc or url.path or url.query or url.fragment:
        raise ConfigurationError(
            "public_url_invalid", f"{path}: server.public_url must be https://host[:port]"
        )
    server, hop = settings.server, settings.proxy.hop
    if hop != "socket" and None in (server.certificate, server.key):
        raise ConfigurationError(
            "settings_invalid", f"{path}: server.certificate and server.key must be set"
        )
    if hop != "off" and server.public_url is None:
        raise ConfigurationError(
            "public_url_missing", f"{path}: behind a proxy server.public_url must be set"
        )


def _check_storage(storage: StorageSection, path: Path) -> None:
    """Refuse two places of a register, or none, and one that is shared without a folder beside."""
    problem = None
    if (storage.path is None) == (storage.url is None):
        problem = "set either path, a file of SQLite, or url, a database of PostgreSQL"
    elif storage.url is not None and storage.state is None:
        problem = "with url set state, the folder of this machine's own files"
    elif any(
        given is not None and not given.startswith("postgresql://")
        for given in (storage.url, storage.migration_url)
    ):
        problem = "url and migration_url begin with postgresql://"
    if problem is not None:
        raise ConfigurationError("settings_invalid", f"{path}: storage: {problem}.")


def _check_trust(trust: TrustSection, path: Path) -> None:
    """Refuse a source of trust that lacks what it needs, and anchors it would not look at."""
    lacks_lists = trust.directory is None and trust.lotl_url == EU_LOTL
    problem = None
    if trust.anchors and trust.source != "sandbox":
        problem = 'anchors are believed with trust.source = "sandbox" only'
    elif trust.source == "directory" and trust.directory is None:
        problem = 'source is "directory" and trust.directory is missing'
    elif (
        trust.source == "sandbox"
        and not trust.anchors
        and (lacks_lists or trust.lotl_anchors is None)
    ):
        problem = 'source is "sandbox": set anchors, or directory and lotl_anchors'
    if problem is not None:
        raise ConfigurationError("trust_source_invalid", f"{path}: trust.{problem}")
