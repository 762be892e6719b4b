"""Settings: one TOML file, overrides from ``ENROL_…`` variables, checked whole at start."""

import os
import tomllib
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal, get_origin
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from enrol.adapters.fetch import FetchPolicy
from enrol.adapters.telemetry import LogFormat
from enrol.errors import ConfigurationError
from enrol.httpsig.policy import STET as STET_SIGNATURES
from enrol.httpsig.policy import STRICT as STRICT_SIGNATURES
from enrol.httpsig.policy import SignaturePolicy
from enrol.oauth.types import ClientId
from enrol.registration.dialect import DIALECTS
from enrol.registration.grants import GrantSettings
from enrol.registration.ratelimit import Rate
from enrol.registration.service import DeskSettings, Operation
from enrol.server.app import Paths
from enrol.server.call import RequestLimits

_PREFIX = "ENROL_"
_MINUTE = timedelta(minutes=1)
_SECRET_BYTES = 32

Port = Annotated[int, Meta(ge=0, le=65535)]
Count = Annotated[int, Meta(ge=1)]
Seconds = Annotated[float, Meta(gt=0)]
UrlPath = Annotated[str, Meta(pattern=r"\A(/[A-Za-z0-9._~-]+)+\Z")]


class _Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A table of the file; an unknown name in it is an error."""


class ServerSection(_Section, frozen=True):
    """``[server]``: where it listens, under which name and with which keys.

    `public_url` is what clients see; it defaults to https://host:port.
    """

    certificate: Path
    key: Path
    secret: Path
    host: str = "127.0.0.1"
    port: Port = 8443
    public_url: str | None = None
    prefix: UrlPath = "/stet/setting/v1"
    token_path: UrlPath = "/stet/psd2/oauth/token"  # noqa: S105 - a path
    openapi: bool = True


class TrustSection(_Section, frozen=True):
    """``[trust]``: PEM files of issuing CAs, PEM or DER files of their revocation lists."""

    anchors: tuple[Path, ...]
    revocation_lists: tuple[Path, ...] = ()


class StorageSection(_Section, frozen=True):
    """``[storage]``: the SQLite database file."""

    path: Path


class RegistrationSection(_Section, frozen=True):
    """``[registration]``: the dialect spoken and the operations offered."""

    dialect: str = "stet"
    operations: tuple[Operation, ...] = tuple(Operation)
    signature_profile: Literal["stet", "strict"] = "stet"


class TokensSection(_Section, frozen=True):
    """``[tokens]``: the client_id that works before any client exists; lifetime in seconds."""

    client_id: str = "PSD2_TPPRegister"
    lifetime: Count = 3600


class KeyUrlsSection(_Section, frozen=True):
    """``[key_urls]``: whether certificates are fetched from the URL in a keyId.

    `hosts` maps a host name to the ``address:port`` it is reached at instead of what DNS says;
    `ca` is a PEM file of further CAs for the TLS of those hosts. Both are for tests.
    """

    fetch: bool = True
    hosts: dict[str, str] = {}
    ca: Path | None = None


class LimitsSection(_Section, frozen=True):
    """``[limits]``: sizes in bytes, counts, and rates a minute; ``rates = "off"`` lifts those."""

    rates: Literal["on", "off"] = "on"
    registrations_per_minute: Count = 10
    requests_per_minute: Count = 60
    failures_per_minute: Count = 20
    clients_per_organization: Count = 100
    body_bytes: Count = 262_144
    request_line_bytes: Count = 4096
    header_bytes: Count = 16_384
    header_fields: Count = 64
    connections: Count = 1000
    in_flight: Count = 64


class DeadlinesSection(_Section, frozen=True):
    """``[deadlines]``: how long is waited, in seconds."""

    handshake: Seconds = 5
    headers: Seconds = 5
    body: Seconds = 10
    request: Seconds = 15
    idle: Seconds = 10
    write: Seconds = 10
    drain: Seconds = 20


class LogSection(_Section, frozen=True):
    """``[log]``: one JSON object a line, or lines for people."""

    format: LogFormat = LogFormat.JSON


class Settings(_Section, frozen=True):
    """Everything that can be set."""

    server: ServerSection
    trust: TrustSection
    storage: StorageSection
    registration: RegistrationSection = RegistrationSection()
    tokens: TokensSection = TokensSection()
    key_urls: KeyUrlsSection = KeyUrlsSection()
    limits: LimitsSection = LimitsSection()
    deadlines: DeadlinesSection = DeadlinesSection()
    log: LogSection = LogSection()

    @property
    def public_url(self) -> str:
        """The URL of the server as clients see it, without a slash at its end."""
        return self.server.public_url or f"https://{self.server.host}:{self.server.port}"

    @property
    def paths(self) -> Paths:
        """Where the entry points are."""
        return Paths(prefix=self.server.prefix, token=self.server.token_path)

    @property
    def desk(self) -> DeskSettings:
        """What the desk does and for how many."""
        return DeskSettings(
            dialect=DIALECTS[self.registration.dialect],
            offered=frozenset(self.registration.operations),
            quota=self.limits.clients_per_organization if self.has_rates else None,
        )

    @property
    def grants(self) -> GrantSettings:
        """What the token endpoint grants."""
        return GrantSettings(
            generic_client_id=ClientId(self.tokens.client_id),
            lifetime=timedelta(seconds=self.tokens.lifetime),
        )

    @property
    def signatures(self) -> SignaturePolicy:
        """What a signature must cover and when it must have been made."""
        strict = self.registration.signature_profile == "strict"
        return STRICT_SIGNATURES if strict else STET_SIGNATURES

    @property
    def fetch_policy(self) -> FetchPolicy:
        """Where certificates may be fetched from; raises `ConfigurationError` for a bad host."""
        hosts = {name: _endpoint(name, text) for name, text in self.key_urls.hosts.items()}
        return FetchPolicy(allowed_hosts=hosts, ca_file=self.key_urls.ca)

    @property
    def request_limits(self) -> RequestLimits:
        """What one request may cost."""
        return RequestLimits(
            body=self.limits.body_bytes,
            body_deadline=self.deadlines.body,
            request_deadline=self.deadlines.request,
            in_flight=self.limits.in_flight,
        )

    @property
    def has_rates(self) -> bool:
        """Whether callers are counted."""
        return self.limits.rates == "on"

    def rate(self, per_minute: int) -> Rate | None:
        """Return a rate a minute, or None where rates are off."""
        return Rate(per_minute, _MINUTE) if self.has_rates else None


def load_settings(path: Path, environment: Mapping[str, str] = os.environ) -> Settings:
    """Return the settings in a TOML file with the overrides of the environment.

    ``ENROL_SERVER_PORT=9443`` sets ``port`` of ``[server]``; a comma separates list values.
    Relative paths are those of the file's folder. Raises `ConfigurationError`, which names the
    setting.
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
    _check(settings, path)
    return settings


def _override(tables: dict[str, object], environment: Mapping[str, str]) -> None:
    """Put the values of ``ENROL_SECTION_NAME`` variables into the tables."""
    for section in msgspec.structs.fields(Settings):
        for field in msgspec.structs.fields(section.type):
            value = environment.get(f"{_PREFIX}{section.name}_{field.name}".upper())
            table = tables.setdefault(section.name, {})
            if value is not None and isinstance(table, dict):
                is_list = get_origin(field.type) is tuple
                table[field.name] = value.split(",") if is_list else value


def _check(settings: Settings, path: Path) -> None:
    """Refuse values that have the right type and cannot work."""
    if settings.registration.dialect not in DIALECTS:
        known = ", ".join(sorted(DIALECTS))
        raise ConfigurationError(
            "dialect_unknown", f"{path}: registration.dialect must be one of {known}"
        )
    if not settings.trust.anchors:
        raise ConfigurationError(
            "anchors_missing", f"{path}: trust.anchors is empty, so nobody could register"
        )
    url = urlsplit(settings.public_url)
    if url.scheme != "https" or not url.netloc or url.path or url.query or url.fragment:
        raise ConfigurationError(
            "public_url_invalid", f"{path}: server.public_url must be https://host[:port]"
        )


def _endpoint(name: str, text: str) -> tuple[str, int]:
    """Return address and port in ``address:port``."""
    address, _, port = text.rpartition(":")
    if not address or not port.isdecimal():
        raise ConfigurationError(
            "key_url_host_invalid", f"key_urls.hosts: {name} must be address:port"
        )
    return address, int(port)


def read_secret(path: Path) -> bytes:
    """Return the server's secret: at least 32 characters in a file that nobody else can read.

    Raises `ConfigurationError`.
    """
    try:
        mode = path.stat().st_mode
        secret = path.read_bytes().strip()
    except OSError as exc:
        raise ConfigurationError("secret_unreadable", f"{path}: cannot be read ({exc})") from exc
    if mode & 0o077:
        raise ConfigurationError(
            "secret_exposed", f"{path}: others can read it; run chmod 600 {path}"
        )
    if len(secret) < _SECRET_BYTES:
        raise ConfigurationError(
            "secret_short",
            f"{path}: shorter than 32 characters; make one with: openssl rand -base64 48",
        )
    return secret
