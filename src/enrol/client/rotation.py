"""A new QSealC in a profile: which lines change, and changing them and nothing else."""

import json
import re
import tomllib
from pathlib import Path
from typing import Final

from enrol.client.pem import read_file
from enrol.client.registrations import replace_file
from enrol.errors import ConfigurationError

_TABLE: Final = re.compile(r"\s*\[\s*([A-Za-z0-9_.\"'-]+)\s*\]\s*(?:#.*)?")
_PAIR: Final = re.compile(r"(\s*(qsealc|qsealc_key|kid)\s*=\s*)(\"[^\"\\]*\"|'[^']*')(.*)")


def rotation_values(profile: Path, *, qsealc: Path, qsealc_key: Path, kid: str) -> dict[str, str]:
    """Return the keys of ``[tpp]`` that must change for a new QSealC, with their new values.

    Files below the profile's folder are named from there, others absolutely; `kid` only counts
    where the profile has one. Raises `ConfigurationError`.
    """
    values = {
        "qsealc": _from_folder(qsealc, profile.parent),
        "qsealc_key": _from_folder(qsealc_key, profile.parent),
    }
    return values | ({"kid": kid} if "kid" in tomllib.loads(_text(profile))["tpp"] else {})


def write_rotation(profile: Path, values: dict[str, str]) -> None:
    """Write new values into ``[tpp]`` of a profile, line by line; all else stays as it is.

    Raises `ConfigurationError` ``profile_not_rewritable`` where the file would not come out as
    meant; it is then untouched.
    """
    refusal = ConfigurationError(
        "profile_not_rewritable", f"{profile} cannot be changed line by line. Edit it yourself."
    )
    text = _text(profile)
    wanted = tomllib.loads(text)
    wanted["tpp"] |= values
    changed = _replace_values(text, values)
    try:
        came_out = tomllib.loads(changed)
    except tomllib.TOMLDecodeError as exc:
        raise refusal from exc
    if came_out != wanted:
        raise refusal
    try:
        replace_file(profile, changed.encode("utf-8"))
    except OSError as exc:
        raise refusal from exc


def _replace_values(text: str, new: dict[str, str]) -> str:
    table, lines = "", []
    for line in text.splitlines(keepends=True):
        bare = line.rstrip("\r\n")
        if match := _TABLE.fullmatch(bare):
            table = match[1]
        match = _PAIR.fullmatch(bare) if table == "tpp" else None
        if match and match[2] in new:
            value = json.dumps(new[match[2]], ensure_ascii=False)
            lines.append(match[1] + value + match[4] + line[len(bare) :])
        else:
            lines.append(line)
    return "".join(lines)


def _text(profile: Path) -> str:
    return read_file(profile, "profile").decode("utf-8")


def _from_folder(path: Path, folder: Path) -> str:
    absolute, base = path.resolve(), folder.resolve()
    return str(absolute.relative_to(base) if absolute.is_relative_to(base) else absolute)
