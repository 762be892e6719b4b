"""The profile of a TPP: which bank, which certificates, which metadata (``profile.toml``)."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import httpx
import msgspec
from cryptography.x509 import load_der_x509_certificate

from enrol.client.bank_seal import BankSeal
from enrol.client.metadata import check_metadata
from enrol.client.pem import (
    read_certificates,
    read_file,
    read_pair,
    validity_warning,
)
from enrol.client.seal import Seal, make_seal
from enrol.errors import ConfigurationError, SignatureError

PREFIX: Final = "/stet/setting/v1"
TOKEN_ENDPOINT: Final = "/stet/psd2/oauth/token"  # noqa: S105 - a path
GENERIC_CLIENT_ID: Final = "PSD2_TPPRegister"

_PATH: Final = re.compile(r"(/[A-Za-z0-9._~-]+)*")
_BANK_URL: Final = re.compile(
    r"https://(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])"
    r"(?::(?P<port>[0-9]{1,5}))?/?"
)
_VISIBLE: Final = re.compile(r"[\x21-\x7e]{1,1024}")
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
class Bank:
    """Where a bank's registration desk is.

    `url` is https and has no path; `prefix` and `token_endpoint` are paths on it; `client_id` is
    the one that tokens are asked with. `registration_endpoint` is a path too, where it is not
    ``/register`` below the prefix. `ca` is the PEM file of the CAs trusted for the bank's TLS
    end, those of the system by default. `seal` are the certificates it signs its answers with.
    """

    url: str
    prefix: str = PREFIX
    token_endpoint: str = TOKEN_ENDPOINT
    client_id: str = GENERIC_CLIENT_ID
    ca: Path | None = None
    seal: BankSeal | None = None
    registration_endpoint: str | None = None


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


class _BankTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    url: str
    prefix: str = PREFIX
    token_endpoint: str = TOKEN_ENDPOINT
    client_id: str = GENERIC_CLIENT_ID
    ca: str | None = None
    seal: str | None = None
    seal_required: bool = False
    registration_endpoint: str | None = None


class _TppTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    qwac: str
    qwac_key: str
    qsealc: str
    qsealc_key: str
    kid: str | None = None


class _Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    bank: _BankTable
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
    bank = _bank(document.bank, path.parent, bank_url)  # (2)
    tpp, folder = document.tpp, path.parent  # (3)
    if tpp.kid is not None:
        _check(_VISIBLE, "[tpp] kid", tpp.kid, "1 to 1024 visible ASCII characters")
    qwac, qwac_key = folder / tpp.qwac, folder / tpp.qwac_key
    web, _ = read_pair(qwac, qwac_key, "qwac")
    seal = load_seal(folder / tpp.qsealc, folder / tpp.qsealc_key, kid=tpp.kid)
    moment = at or datetime.now(UTC)
    warnings = (
        validity_warning(web[0], "qwac", at=moment),
        validity_warning(load_der_x509_certificate(seal.certificates[0]), "qsealc", at=moment),
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


def _read(path: Path) -> _Document:
    try:
        text = read_file(path, "profile").decode("utf-8")
        return msgspec.convert(tomllib.loads(text), _Document)
    except msgspec.ValidationError as exc:
        raise ConfigurationError("profile_member", f"{path}: {_in_words(str(exc))}") from exc
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise ConfigurationError(
            "profile_malformed", f"{path}: this is no TOML text: {exc}."
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


def _bank(table: _BankTable, folder: Path, bank_url: str | None) -> Bank:
    for name in ("prefix", "token_endpoint", "registration_endpoint"):
        value = getattr(table, name) or ""
        _check(
            _PATH, f"[bank] {name}", value, "a path such as /stet/setting/v1, without / at its end"
        )
    _check(_VISIBLE, "[bank] client_id", table.client_id, "1 to 1024 visible ASCII characters")
    ca = None if table.ca is None else folder / table.ca
    if ca is not None:
        read_certificates(ca, "[bank] ca")
    return Bank(
        check_bank_url(bank_url or table.url),
        table.prefix,
        table.token_endpoint,
        table.client_id,
        ca,
        _bank_seal(table, folder),
        table.registration_endpoint,
    )


def _bank_seal(table: _BankTable, folder: Path) -> BankSeal | None:
    """Return the seal of the bank; raises `ConfigurationError` where it is demanded and not told.

    A certificate that is not valid is found out when an answer is signed with it.
    """
    if table.seal is not None:
        certificates = read_certificates(folder / table.seal, "[bank] seal")
        return BankSeal(certificates, required=table.seal_required)
    if table.seal_required:
        raise ConfigurationError(
            "profile_member",
            "[bank] seal_required needs [bank] seal: the PEM file of the certificates that the "
            "bank signs its answers with.",
        )
    return None


def _check(grammar: re.Pattern[str], name: str, value: str, words: str) -> None:
    if not grammar.fullmatch(value):
        raise ConfigurationError("profile_member", f"{name} must be {words}.")


def check_bank_url(text: str) -> str:
    """Return the address of a bank: https, a host, perhaps a port, and nothing else.

    Raises `ConfigurationError` ``bank_url``.
    """
    refusal = ConfigurationError(
        "bank_url",
        "The bank's url must be https with a host and no path, such as https://bank.example or "
        "https://127.0.0.1:8443.",
    )
    match = _BANK_URL.fullmatch(text)
    if match is None or int(match["port"] or 443) > 65535:
        raise refusal
    try:
        return f"https://{httpx.URL(text).netloc.decode('ascii')}"
    except httpx.InvalidURL as exc:
        raise refusal from exc
