"""Settings: one TOML file, overrides from ``ENROL_…`` variables, checked whole at start."""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal, get_args, get_origin
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta, structs

from enrol.adapters.dialects import is_path, load_dialect
from enrol.adapters.fetch import FetchPolicy
from enrol.adapters.inquiry import InquiryPolicy
from enrol.adapters.outbound import Reach
from enrol.adapters.register.source import EBA_METADATA
from enrol.adapters.telemetry import LogFormat
from enrol.adapters.trustlists.job import EU_LOTL, RefreshJob
from enrol.eidas.rules import CertificateRules
from enrol.errors import ConfigurationError
from enrol.httpsig.policy import STET as STET_SIGNATURES
from enrol.httpsig.policy import STRICT as STRICT_SIGNATURES
from enrol.httpsig.policy import Mode, Quirk
from enrol.oauth.types import ClientId
from enrol.registration.desk_settings import DeskSettings
from enrol.registration.dialect import Dialect, Operation, Presence
from enrol.registration.entitlement import EntitlementRules, RegisterMode
from enrol.registration.grants import GrantSettings
from enrol.registration.ratelimit import Rate
from enrol.registration.signatures import SignaturePolicies
from enrol.registration.software import OnDuplicate
from enrol.server.app import Paths
from enrol.server.call import RequestLimits

_PREFIX = "ENROL_"
_MINUTE = timedelta(minutes=1)
_SECRET_BYTES = 32

Port = Annotated[int, Meta(ge=0, le=65535)]
Count = Annotated[int, Meta(ge=1)]
Seconds = Annotated[float, Meta(gt=0)]
KeyId = Annotated[str, Meta(pattern=r"\A[\x21-\x7e]{1,1024}\Z")]
Modes = Annotated[tuple[Mode, ...], Meta(min_length=1)]
UrlPath = Annotated[str, Meta(pattern=r"\A(/[A-Za-z0-9._~-]+)+\Z")]


class _Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A table of the file; an unknown name in it is an error."""


class ServerSection(_Section, frozen=True):
    """``[server]``: where it listens, under which name and with which keys.

    `public_url` is what clients see; it defaults to https://host:port. `prefix` stands before the
    last segment of the registration endpoint; without it the path is that of the dialect.
    `certificate` and `key` are required unless a proxy comes over a Unix socket.
    """

    secret: Path
    certificate: Path | None = None
    key: Path | None = None
    host: str = "127.0.0.1"
    port: Port = 8443
    public_url: str | None = None
    prefix: UrlPath | None = None
    token_path: UrlPath = "/stet/psd2/oauth/token"  # noqa: S105 - a path
    openapi: bool = True


class ProxySection(_Section, frozen=True):
    """``[proxy]``: TPPs connect to a proxy, which hands their certificates on in ``Client-Cert``.

    `hop` is how the proxy comes here: over the Unix socket `socket`, which owner and group may
    use, or over TLS to `server.host` with a client certificate of its own, one of the PEM files in
    `certificates`; in both cases every request carries one of `secrets`, files with 32 characters
    or more, in ``Enrol-Hop-Secret``. With `client_address` the proxy also names the address of the
    TPP in ``X-Real-IP``, and failures are counted by it; else they are by certificate.
    """

    hop: Literal["off", "socket", "tls"] = "off"
    socket: Path | None = None
    certificates: tuple[Path, ...] = ()
    secrets: tuple[Path, ...] = ()
    client_address: bool = False

    def __post_init__(self) -> None:
        """Refuse a hop that lacks what it is authenticated by."""
        if self.hop == "off":
            return
        if not self.secrets:
            raise ValueError("secrets is empty, so no request of a proxy could be believed")
        if (self.hop == "socket") != (self.socket is not None):
            raise ValueError('socket is set where hop is "socket", and only there')
        if (self.hop == "tls") != bool(self.certificates):
            raise ValueError('certificates are set where hop is "tls", and only there')


class TrustSection(_Section, frozen=True):
    """``[trust]``: whose certificates are believed. With ``source = "none"`` nobody can register.

    ``"eu"`` fetches the EU's trusted lists from `lotl_url` on, ``"directory"`` finds them in the
    folder `directory`; both verify them from the Official Journal, or from the certificates in
    `lotl_anchors` (PEM). ``"sandbox"`` believes what nobody qualified: the CAs in `anchors` (PEM)
    for everything, or the lists in `directory` or at `lotl_url` under `lotl_anchors`.
    What lists say goes into the file `snapshot`, by default ``trust.snapshot`` beside the
    database, every `refresh_hours`. A list is believed `grace_days` after its end. Registered
    clients are judged anew ten minutes after the start, and every `recheck_hours`.
    `revocation_lists` are PEM or DER files of CAs' revocation lists.
    """

    source: Literal["none", "eu", "directory", "sandbox"] = "none"
    anchors: tuple[Path, ...] = ()
    revocation_lists: tuple[Path, ...] = ()
    directory: Path | None = None
    lotl_url: str = EU_LOTL
    lotl_anchors: Path | None = None
    snapshot: Path | None = None
    refresh_hours: Annotated[float, Meta(ge=1, le=168)] = 6
    recheck_hours: Annotated[float, Meta(ge=1, le=24)] = 24
    grace_days: Annotated[int, Meta(ge=0, le=7)] = 0


class RegisterSection(_Section, frozen=True):
    """``[register]``: whether PSPs must be in the EBA's register of payment institutions.

    With `mode` ``"enforce"`` who is not authorised by it is refused, with ``"warn"`` the audit
    trail says so. `path` is the file that `enrol register import` writes, by default
    ``register.db`` beside the database. `allow` are the organizationIdentifiers of credit
    institutions, which the register does not hold. `mapped` has a table with the entry, such as
    ``"ES_BE!6950"``, of identifiers that do not lead to one; those of other forms than ``PSD…`` are
    accepted only if they are in either. With `country`, such as ``"FR"``, only services offered
    there count. `metadata_url` is where `enrol register refresh` begins.
    """

    mode: RegisterMode = RegisterMode.OFF
    path: Path | None = None
    allow: tuple[str, ...] = ()
    mapped: dict[str, str] = {}
    country: Annotated[str, Meta(pattern=r"\A[A-Z]{2}\Z")] | None = None
    metadata_url: str = EBA_METADATA


class RevocationSection(_Section, frozen=True):
    """``[revocation]``: how it is learnt whether a certificate was revoked.

    With ``mode = "require"`` whoever's status cannot be learnt is answered 503. ``"warn"`` lets
    them in UNCHECKED: every start says so, and the audit event has ``revocation_unchecked``; a
    certificate known to be revoked is refused all the same. `online` asks the OCSP responders and
    then the lists that certificates name, each at an address of the public internet; the files in
    `trust.revocation_lists` come first. `hosts` maps a host name to the ``address:port`` it is
    reached at instead of what DNS says, for tests and for responders inside the bank's network.
    `deadline_seconds` is for all that is asked about one certificate; an OCSP answer is kept for
    `ocsp_minutes`, a list for `list_hours`, neither beyond its own end. A list may have
    `list_bytes`.
    """

    mode: Literal["require", "warn"] = "require"
    online: bool = True
    hosts: dict[str, str] = {}
    deadline_seconds: Annotated[float, Meta(gt=0, le=10)] = 5
    ocsp_minutes: Annotated[float, Meta(gt=0, le=1440)] = 60
    list_hours: Annotated[float, Meta(gt=0, le=24)] = 24
    list_bytes: Annotated[int, Meta(ge=1024, le=64 * 1024 * 1024)] = 8 * 1024 * 1024
    parallel: Count = 16


class StorageSection(_Section, frozen=True):
    """``[storage]``: the SQLite database file."""

    path: Path


class RegistrationSection(_Section, frozen=True):
    """``[registration]``: the dialect spoken and the operations offered.

    `dialect` is a name of `enrol dialect list` or the path of a file such as ``./mybank.toml``.
    Only operations that the dialect has can be offered. `on_duplicate` is for a POST of software
    that the organisation has registered before: the same ``software_id``, else ``client_name``,
    agent and certificates. ``"new"`` makes another client, as RFC 7591 has it; ``"return"`` answers
    with the client that stands, as it stands and with the status of a registration; ``"refuse"``
    answers 400. With `listing`, GET on the registration endpoint lists the clients of the caller.
    `explain_refusals` puts into the answer to a refused signature every rule, what became of it,
    and the signing string computed; it is for test systems, where TPPs find their mistakes.
    """

    dialect: str = "stet"
    operations: tuple[Operation, ...] = tuple(Operation)
    on_duplicate: OnDuplicate = OnDuplicate.NEW
    listing: bool = True
    explain_refusals: bool = False


class ClientSignatures(_Section, frozen=True):
    """What is accepted of one caller; what is not named here is as for everyone."""

    modes: Modes | None = None
    quirks: tuple[Quirk, ...] | None = None


class SignaturesSection(_Section, frozen=True):
    """``[signatures]``: what must be signed, in which modes, and which known mistakes pass.

    `clients` has a table of `modes` and `quirks` for each client_id or organizationIdentifier that
    differs; that of a client counts before that of its organisation. Answers of the registration
    endpoint are signed where `response_key` and `response_certificate` (PEM files) are set;
    `response_key_id` is the keyId, by default the decimal serial number of the certificate.
    """

    profile: Literal["dialect", "stet", "strict"] = "dialect"
    modes: Modes = (Mode.CAVAGE,)
    quirks: tuple[Quirk, ...] = ()
    clients: dict[str, ClientSignatures] = {}
    response_key: Path | None = None
    response_certificate: Path | None = None
    response_key_id: KeyId | None = None

    def __post_init__(self) -> None:
        """Refuse half a pair of files."""
        if (self.response_key is None) != (self.response_certificate is None):
            raise ValueError("response_key and response_certificate are set together or not at all")


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
    storage: StorageSection
    proxy: ProxySection = ProxySection()
    trust: TrustSection = TrustSection()
    revocation: RevocationSection = RevocationSection()
    register: RegisterSection = RegisterSection()
    registration: RegistrationSection = RegistrationSection()
    signatures: SignaturesSection = SignaturesSection()
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
        own, prefix = self.dialect.register_path, self.server.prefix
        register = own if prefix is None else f"{prefix}/{own.rpartition('/')[2]}"
        return Paths(register=register, token=self.server.token_path)

    @property
    def dialect(self) -> Dialect:
        """The dialect spoken; a signature is always wanted where the settings say of what."""
        dialect = load_dialect(self.registration.dialect)
        if self.signatures.profile == "dialect":
            return dialect
        return structs.replace(
            dialect, signature=structs.replace(dialect.signature, presence=Presence.REQUIRED)
        )

    @property
    def refresh_job(self) -> RefreshJob | None:
        """How trusted lists are refreshed, None where trust does not come from lists."""
        given = self.trust
        if given.source == "none" or given.anchors:
            return None
        folder, anchors = given.directory, given.lotl_anchors
        return RefreshJob(
            snapshot=str(given.snapshot or self.storage.path.with_name("trust.snapshot")),
            lotl_url=given.lotl_url,
            directory=None if folder is None or given.source == "eu" else str(folder),
            lotl_anchors=None if anchors is None else str(anchors),
            grace=given.grace_days,
            plain_http=given.source == "sandbox",
        )

    @property
    def register_path(self) -> Path:
        """Where the register of payment institutions is kept."""
        return self.register.path or self.storage.path.with_name("register.db")

    @property
    def entitlement(self) -> EntitlementRules:
        """How PSPs are judged by the register of payment institutions."""
        given = self.register
        return EntitlementRules(
            given.mode, frozenset(given.allow), given.mapped, country=given.country
        )

    @property
    def desk(self) -> DeskSettings:
        """What the desk does and for how many."""
        dialect = self.dialect
        return DeskSettings(
            dialect=dialect,
            offered=dialect.operations.intersection(self.registration.operations),
            quota=self.limits.clients_per_organization if self.has_rates else None,
            on_duplicate=self.registration.on_duplicate,
        )

    @property
    def grants(self) -> GrantSettings:
        """What the token endpoint grants."""
        return GrantSettings(
            generic_client_id=ClientId(self.tokens.client_id),
            lifetime=timedelta(seconds=self.tokens.lifetime),
        )

    @property
    def signature_policies(self) -> SignaturePolicies:
        """What a signature must be, for everyone and for callers that differ.

        RFC 9421 signs the authority: that of `public_url` where it is set, else of Host.
        """
        given, prefix = self.signatures, self.paths.register.rpartition("/")[0].encode()
        own = self.dialect.signature
        known = given.quirks + (own.quirks if given.profile == "dialect" else ())
        profiles = {"dialect": own.policy, "stet": STET_SIGNATURES, "strict": STRICT_SIGNATURES}
        profile = profiles[given.profile]
        url = self.server.public_url
        everyone = replace(
            profile, modes=given.modes, authority=urlsplit(url).netloc if url else None
        ).with_quirks(known, prefix=prefix)
        callers = {
            name: replace(everyone, modes=theirs.modes or given.modes).with_quirks(
                known if theirs.quirks is None else theirs.quirks, prefix=prefix
            )
            for name, theirs in given.clients.items()
        }
        return SignaturePolicies(everyone, callers)

    @property
    def fetch_policy(self) -> FetchPolicy:
        """Where certificates may be fetched from; raises `ConfigurationError` for a bad host."""
        hosts = _endpoints("key_urls.hosts", self.key_urls.hosts)
        return FetchPolicy(allowed_hosts=hosts, ca_file=self.key_urls.ca)

    @property
    def inquiry_policy(self) -> InquiryPolicy:
        """How issuers are asked online; raises `ConfigurationError` for a bad host."""
        given = self.revocation
        return InquiryPolicy(
            reach=Reach(
                allowed_hosts=_endpoints("revocation.hosts", given.hosts),
                read_timeout=given.deadline_seconds,
            ),
            deadline=given.deadline_seconds,
            largest_list=given.list_bytes,
            parallel=given.parallel,
            ocsp_kept_for=timedelta(minutes=given.ocsp_minutes),
            list_kept_for=timedelta(hours=given.list_hours),
        )

    @property
    def certificate_rules(self) -> CertificateRules:
        """What every certificate must be."""
        return CertificateRules(revocation_required=self.revocation.mode == "require")

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

    ``ENROL_SERVER_PORT=9443`` sets ``port`` of ``[server]``; a comma separates list values, and a
    table is written as in TOML, between braces. Relative paths are those of the file's folder.
    Raises `ConfigurationError`, which names the setting.
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
            if name in environment and isinstance(table, dict):
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


def _endpoints(setting: str, hosts: Mapping[str, str]) -> dict[str, tuple[str, int]]:
    """Return address and port of each host, which are ``address:port`` in the setting."""
    return {name.lower(): _endpoint(f"{setting}: {name}", text) for name, text in hosts.items()}


def _endpoint(name: str, text: str) -> tuple[str, int]:
    address, _, port = text.rpartition(":")
    if not address or not port.isdecimal():
        raise ConfigurationError("host_address_invalid", f"{name} must be address:port")
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
