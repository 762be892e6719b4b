"""Dialects on disk: those that come with Enrol, and those an operator wrote."""

from functools import lru_cache
from importlib.resources import files
from pathlib import Path

from enrol.errors import ConfigurationError
from enrol.registration.dialect import Dialect
from enrol.registration.dialect_parser import parse_dialect

_SUFFIX = ".toml"
_OWN = files("enrol") / "dialects"


def dialect_names() -> tuple[str, ...]:
    """Return the names of the dialects that come with Enrol, sorted."""
    return tuple(
        sorted(
            entry.name.removesuffix(_SUFFIX)
            for entry in _OWN.iterdir()
            if entry.name.endswith(_SUFFIX)
        )
    )


def is_path(name: str) -> bool:
    """Tell whether a dialect is named by a file: its name has a slash, or ends in ``.toml``."""
    return "/" in name or name.endswith(_SUFFIX)


def read_dialect(name: str) -> str:
    """Return the TOML text of a dialect, by its name or by a path.

    Raises `ConfigurationError` ``dialect_unknown`` or ``dialect_unreadable``.
    """
    if not is_path(name):
        if name not in dialect_names():
            known = ", ".join(dialect_names())
            raise ConfigurationError(
                "dialect_unknown", f"registration.dialect must be one of {known}, or a file"
            )
        return (_OWN / f"{name}{_SUFFIX}").read_text("utf-8")
    try:
        return Path(name).read_text("utf-8")
    except (OSError, UnicodeError) as exc:
        raise ConfigurationError("dialect_unreadable", f"{name}: cannot be read ({exc})") from exc


@lru_cache(maxsize=16)
def load_dialect(name: str) -> Dialect:
    """Return the dialect of a name or a path, checked; raises `ConfigurationError`.

    A file is read once in the life of a process: what was checked at start is what is spoken.
    """
    source = name if is_path(name) else f"dialect {name}"
    return parse_dialect(read_dialect(name), source=source)
