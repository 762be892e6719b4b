"""The profile of a TPP: which bank, which certificates, which metadata (``profile.toml``)."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec
from cryptography.x509 import load_der_x509_certificate

from enrol.client.bank import VISIBLE, Bank, BankTable, bank_of, check_bank_url, check_text
from enrol.client.metadata import check_metadata
from enrol.client.pem import exposure_warning, read_pair, validity_warning
from enrol.client.seal import Seal, make_seal
from enrol.errors import ConfigurationError, SignatureError

_UNKNOWN: Final = re.compile(r"Object contains unknown field `([^`]*)`(?: - at `\$\.(.*)`)?")
_MISSING: Final = re.compile(r"Object missing required field `([^`]*)`(?: - at `\$\.(.*)`)?")
_WRONG_TYPE: Final = re.compile(r"Expected `([^`]*)`, got `([^`]*)` - at `\$\.(.*)`")
_TYPES: Final = {
    "str": "text",
    "object": "a table",
    "str | null": "text",
    "bool": "true or false",
}


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a TPP proves itself with: QWAC and its key (PEM files) for TLS, QSealC to sign."""

    qwac: Path
    qwac_key: Path
    seal: Seal


@dataclass(frozen=True, slots=True)
class Profile:
    """A profile that was read; `warnings` are sentences for the one who runs the command."""

    path: Path
    bank: Bank
    credentials: Credentials
    metadata: Mapping[str, object] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


class _TppTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    qwac: str
    qwac_key: str
    qsealc: str
    qsealc_key: str
    kid: str | None = None


class _Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    bank: BankTable
    tpp: _TppTable
    metadata: dict[str, object] = {}


def load_profile(path: Path, *, at: datetime | None = None, bank_url: str | None = None) -> Profile:
    """Return the profile in a TOML file with everything it names read and checked.

    1. the document: every key known, every value of its type;
    2. where the bank is, `bank_url` standing in for ``[bank] url``;
    3. certificates and keys, by paths from the profile's folder, each key its certificate's;
    4. the metadata, as far as they can be judged without the bank.

    `at` (aware UTC, now by default) is when certificates are looked at: one that is not valid is
    a warning, for the bank has the say. Raises `ConfigurationError`.
    """
    document = _read(path)  # (1)
    bank = bank_of(document.bank, folder=path.parent, bank_url=bank_url)  # (2)
    tpp, folder = document.tpp, path.parent  # (3)
    if tpp.kid is not None:
        check_text(VISIBLE, "[tpp] kid", tpp.kid, "1 to 1024 visible ASCII characters")
    qwac, qwac_key = folder / tpp.qwac, folder / tpp.qwac_key
    web, _ = read_pair(qwac, qwac_key, "qwac")
    seal = load_seal(folder / tpp.qsealc, folder / tpp.qsealc_key, kid=tpp.kid)
    moment = at or datetime.now(UTC)
    warnings = (
        validity_warning(web[0], "qwac", at=moment),
        validity_warning(load_der_x509_certificate(seal.certificates[0]), "qsealc", at=moment),
        exposure_warning(qwac_key, "qwac_key"),
        exposure_warning(folder / tpp.qsealc_key, "qsealc_key"),
        *check_metadata(document.metadata),  # (4)
    )
    return Profile(
        path,
        bank,
        Credentials(qwac, qwac_key, seal),
        document.metadata,
        tuple(warning for warning in warnings if warning is not None),
    )


def load_seal(
    certificate: Path, key: Path, *, kid: str | None = None, name: str = "qsealc"
) -> Seal:
    """Return the seal in two PEM files; raises `ConfigurationError`."""
    certificates, private_key = read_pair(certificate, key, name)
    try:
        return make_seal(certificates, private_key, kid=kid)
    except SignatureError as exc:
        raise ConfigurationError(
            "key_weak",
            f"{name}: this key cannot sign requests. RSA of 2048 to 8192 bits, P-256, P-384, "
            "P-521 and Ed25519 can.",
        ) from exc


def profile_bank_url(path: Path, bank_url: str | None = None) -> str:
    """Return the url of the bank of a profile, or `bank_url`; no other file is read.

    Raises `ConfigurationError`.
    """
    return check_bank_url(bank_url or _read(path).bank.url)


def _read(path: Path) -> _Document:
    try:
        text = _text(path)
        return msgspec.convert(tomllib.loads(text), _Document)
    except msgspec.ValidationError as exc:
        raise ConfigurationError("profile_member", f"{path}: {_in_words(str(exc))}") from exc
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise ConfigurationError(
            "profile_malformed", f"{path}: this is no TOML text: {exc}."
        ) from exc


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except OSError as exc:
        reason = "is not there" if isinstance(exc, FileNotFoundError) else "cannot be read"
        raise ConfigurationError(
            "file_missing",
            f"--profile: {path} {reason}. Write the path of your profile, a TOML file with [bank], "
            "[tpp] and [metadata]; enrol sandbox init DIR makes one in DIR/tpp/profile.toml.",
        ) from exc


def _in_words(message: str) -> str:
    """Return what a decoder says of a profile, in the words of a profile."""
    if match := _UNKNOWN.fullmatch(message):
        table = f"[{match[2]}] has" if match[2] else "the profile has"
        return f"{table} no key {match[1]!r}. Remove it, or check its spelling."
    if match := _MISSING.fullmatch(message):
        what = f"[{match[2]}] lacks" if match[2] else "the profile lacks"
        return f"{what} {match[1]!r}. Add it."
    if match := _WRONG_TYPE.fullmatch(message):
        expected = _TYPES.get(match[1], match[1])
        return f"{match[3].replace('.', ': ', 1)} must be {expected}, not {match[2]}."
    return f"{message}."
