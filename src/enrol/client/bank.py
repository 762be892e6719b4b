"""A bank as a TPP knows it: where its registration desk is, and what it wants with each call."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final

import httpx
import msgspec

from enrol.client.bank_seal import BankSeal
from enrol.client.pem import read_certificates
from enrol.errors import ConfigurationError

PREFIX: Final = "/stet/setting/v1"
TOKEN_ENDPOINT: Final = "/stet/psd2/oauth/token"  # noqa: S105 - a path
GENERIC_CLIENT_ID: Final = "PSD2_TPPRegister"
VISIBLE: Final = re.compile(r"[\x21-\x7e]{1,1024}")

_PATH: Final = re.compile(r"(/[A-Za-z0-9._~-]+)*")
_BANK_URL: Final = re.compile(
    r"https://(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])"
    r"(?::(?P<port>[0-9]{1,5}))?/?"
)


class Bearer(StrEnum):
    """A bearer token a call brings: of the token endpoint, of the registration itself, or none."""

    MANAGE_REGISTRATION = "manage_registration"
    REGISTRATION_ACCESS_TOKEN = "registration_access_token"  # noqa: S105 - a name
    NONE = "none"


REGISTRATION_TOKENS: Final[tuple[Bearer, ...]] = (Bearer.MANAGE_REGISTRATION, Bearer.NONE)


@dataclass(frozen=True, slots=True)
class Bank:
    """Where a bank's registration desk is.

    `url` is https and has no path; `prefix` and `token_endpoint` are paths on it; `client_id` is
    the one that tokens are asked with. `registration_endpoint` is a path too, where it is not
    ``/register`` below the prefix. `ca` is the PEM file of the CAs trusted for the bank's TLS
    end, those of the system by default. `seal` are the certificates it signs its answers with.
    `registration_token` goes with a registration, `management_token` with the calls after it;
    `update_members` are members with the values that the bank wants back in each update.
    """

    url: str
    prefix: str = PREFIX
    token_endpoint: str = TOKEN_ENDPOINT
    client_id: str = GENERIC_CLIENT_ID
    ca: Path | None = None
    seal: BankSeal | None = None
    registration_endpoint: str | None = None
    registration_token: Bearer = Bearer.MANAGE_REGISTRATION
    management_token: Bearer = Bearer.MANAGE_REGISTRATION
    update_members: Mapping[str, str] = field(default_factory=dict)


class BankTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``[bank]`` of a profile, as written."""

    url: str
    prefix: str = PREFIX
    token_endpoint: str = TOKEN_ENDPOINT
    client_id: str = GENERIC_CLIENT_ID
    ca: str | None = None
    seal: str | None = None
    seal_required: bool = False
    registration_endpoint: str | None = None
    registration_token: str = Bearer.MANAGE_REGISTRATION.value
    management_token: str = Bearer.MANAGE_REGISTRATION.value
    update_members: dict[str, str] = {}


def bank_of(table: BankTable, *, folder: Path, bank_url: str | None) -> Bank:
    """Return the bank of a table, files counted from `folder`; raises `ConfigurationError`.

    `bank_url` stands in for its url.
    """
    for name in ("prefix", "token_endpoint", "registration_endpoint"):
        value = getattr(table, name) or ""
        check_text(
            _PATH, f"[bank] {name}", value, "a path such as /stet/setting/v1, without / at its end"
        )
    check_text(VISIBLE, "[bank] client_id", table.client_id, "1 to 1024 visible ASCII characters")
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
        _bearer("registration_token", table.registration_token, among=REGISTRATION_TOKENS),
        _bearer("management_token", table.management_token, among=tuple(Bearer)),
        table.update_members,
    )


def _bearer(name: str, value: str, *, among: tuple[Bearer, ...]) -> Bearer:
    for bearer in among:
        if value == bearer.value:
            return bearer
    raise ConfigurationError(
        "profile_member",
        f"[bank] {name} must be one of {', '.join(bearer.value for bearer in among)}.",
    )


def _bank_seal(table: BankTable, folder: Path) -> BankSeal | None:
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


def check_text(grammar: re.Pattern[str], name: str, value: str, words: str) -> None:
    """Raise `ConfigurationError` ``profile_member`` unless `value` has the grammar."""
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
