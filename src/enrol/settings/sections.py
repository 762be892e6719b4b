"""The tables of the settings file, each with what may be in it."""

from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from enrol.adapters.register.source import EBA_METADATA
from enrol.adapters.telemetry import LogFormat
from enrol.adapters.trustlists.job import EU_LOTL
from enrol.adapters.webhooks import is_receiver
from enrol.httpsig.policy import Mode, Quirk
from enrol.registration.audit import EventType
from enrol.registration.client_events import CLIENT_EVENTS
from enrol.registration.dialect import Operation
from enrol.registration.entitlement import RegisterMode
from enrol.registration.software import OnDuplicate

Port = Annotated[int, Meta(ge=0, le=65535)]
Count = Annotated[int, Meta(ge=1)]
Seconds = Annotated[float, Meta(gt=0)]
KeyId = Annotated[str, Meta(pattern=r"\A[\x21-\x7e]{1,1024}\Z")]
Modes = Annotated[tuple[Mode, ...], Meta(min_length=1)]
_REDIS_HOST = r"([A-Za-z0-9._-]+@)?(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:[0-9]{1,5})?(/[0-9]{1,5})?"
RedisUrl = Annotated[str, Meta(pattern=rf"\A(rediss?://{_REDIS_HOST}|unix:///[!-~]+)\Z")]
UrlPath = Annotated[str, Meta(pattern=r"\A(/[A-Za-z0-9._~-]+)+\Z")]


class Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A table of the file; an unknown name in it is an error."""


class ServerSection(Section, frozen=True):
    """``[server]``: where it listens, under which name and with which keys.

    `public_url` is what clients see; it defaults to https://host:port. `prefix` stands before the
    last segment of the registration endpoint; without it the path is that of the dialect.
    `introspection_path` and `revocation_path` are ``introspect`` and ``revoke`` beside
    `token_path`, unless they are set.
    `certificate` and `key` are required unless a proxy comes over a Unix socket. `operators` is
    the group of the accounts that may use `enrol admin` beside root and the server's own.
    """

    secret: Path
    certificate: Path | None = None
    key: Path | None = None
    host: str = "127.0.0.1"
    port: Port = 8443
    public_url: str | None = None
    prefix: UrlPath | None = None
    token_path: UrlPath = "/stet/psd2/oauth/token"  # noqa: S105 - a path
    introspection_path: UrlPath | None = None
    revocation_path: UrlPath | None = None
    openapi: bool = True
    operators: str | None = None


class ProxySection(Section, frozen=True):
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


class TrustSection(Section, frozen=True):
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


class RegisterSection(Section, frozen=True):
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


class RevocationSection(Section, frozen=True):
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


class StorageSection(Section, frozen=True):
    """``[storage]``: where the register is: a SQLite file `path`, or PostgreSQL at `url`.

    SQLite is for one server. Several servers share a register in PostgreSQL:
    ``postgresql://role@host[,host]/database``, the first host that writes. A password is best kept
    in the file that `PGPASSFILE` names. The role of `url` reads and writes rows only; the tables
    belong to the role of `migration_url`, which `enrol migrate` and `enrol restore` use.
    `state` is the folder of the files that are this machine's own: trust snapshot, copy of the
    register of payment institutions, end of the audit trail as it was seen last, socket for
    commands. It is the folder of `path` where that is
    set, and must be set with `url`.
    """

    path: Path | None = None
    url: str | None = None
    migration_url: str | None = None
    state: Path | None = None


class RegistrationSection(Section, frozen=True):
    """``[registration]``: the dialect spoken and the operations offered.

    `dialect` is a name of `enrol dialect list` or the path of a file such as ``./mybank.toml``.
    Only operations that the dialect has can be offered. `on_duplicate` is for a POST of software
    that the organisation has registered before: the same ``software_id``, else ``client_name``,
    agent and certificates. ``"new"`` makes another client, as RFC 7591 has it; ``"return"`` answers
    with the client that stands, as it stands and with the status of a registration; ``"refuse"``
    answers 400. With `listing`, which goes beyond the contract of STET, GET on the registration
    endpoint lists the clients of the caller.
    `explain_refusals` puts into the answer to a refused signature every rule, what became of it,
    and the signing string computed; it is for test systems, where TPPs find their mistakes.
    """

    dialect: str = "stet"
    operations: tuple[Operation, ...] = tuple(Operation)
    on_duplicate: OnDuplicate = OnDuplicate.NEW
    listing: bool = False
    explain_refusals: bool = False


class ClientSignatures(Section, frozen=True):
    """What is accepted of one caller; what is not named here is as for everyone."""

    modes: Modes | None = None
    quirks: tuple[Quirk, ...] | None = None


class SignaturesSection(Section, frozen=True):
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


class TokensSection(Section, frozen=True):
    """``[tokens]``: the client_id that works before any client exists; lifetimes in seconds.

    A ``client_secret`` is issued in dialects whose clients may use one. With `secret_lifetime` it
    expires so long after it was issued, half of it at the earliest; whoever reads or updates the
    registration is given the next before. 0 is never; a lifetime that is set or changed counts for
    secrets that were issued before, too.
    """

    client_id: str = "PSD2_TPPRegister"
    lifetime: Count = 3600
    secret_lifetime: Annotated[int, Meta(ge=0)] = 0


class IntrospectionSection(Section, frozen=True):
    """``[introspection]``: the bank's gateways, which ask whether a token is active (RFC 7662).

    Without `secrets` and `certificates` nobody may. A gateway brings one of `secrets`, files with
    32 characters or more, as bearer; where `certificates` (PEM files) are set it also shows one of
    them, exactly, which a listener of our own takes from CAs of its TPPs only.
    `requests_per_minute` counts all gateways together.
    """

    secrets: tuple[Path, ...] = ()
    certificates: tuple[Path, ...] = ()
    requests_per_minute: Count = 60_000


class WebhooksSection(Section, frozen=True):
    """``[webhooks]``: where events of clients are told, where `url` is set.

    `url` is https, or http on this machine. `secrets` are files with one ``whsec_…`` each, as
    Standard Webhooks has them; while they rotate there are two, and every message is signed with
    both. `events` are the types that are told; see the reference of events. The receiver has
    `timeout` seconds to answer with 2xx. What it does not take is sent again for `retry_hours`,
    then it is given up and holds up later events of its client until an operator decides.
    `ca` is a PEM file of CAs that are believed beside those of the system.
    """

    url: str | None = None
    secrets: tuple[Path, ...] = ()
    events: Annotated[tuple[EventType, ...], Meta(min_length=1)] = CLIENT_EVENTS
    timeout: Annotated[float, Meta(gt=0, le=60)] = 15
    retry_hours: Annotated[float, Meta(gt=0, le=720)] = 72
    ca: Path | None = None

    def __post_init__(self) -> None:
        """Refuse a receiver that cannot be told safely, and events that are nobody's."""
        if not set(self.events) <= set(CLIENT_EVENTS):
            raise ValueError("events has one that is not of a client")
        if self.url is None:
            return
        if not self.secrets:
            raise ValueError("secrets is empty, so no receiver could believe a message")
        if not is_receiver(self.url):
            raise ValueError("url must be https://…, or http://… on this machine")


class KeyUrlsSection(Section, frozen=True):
    """``[key_urls]``: whether certificates are fetched from the URL in a keyId.

    `hosts` maps a host name to the ``address:port`` it is reached at instead of what DNS says;
    `ca` is a PEM file of further CAs for the TLS of those hosts. Both are for tests.
    """

    fetch: bool = True
    hosts: dict[str, str] = {}
    ca: Path | None = None


class LimitsSection(Section, frozen=True):
    """``[limits]``: sizes in bytes, counts, and rates a minute; ``rates = "off"`` lifts those.

    Servers on one PostgreSQL tell each other every second what they let through. With `redis`, such
    as ``"redis://host:6379/0"``, ``"rediss://…"`` with TLS or ``"unix:///run/redis.sock"``, a Redis
    or Valkey counts for all of them, which the extra ``enrol[redis]`` is for. Its password is in
    the file `redis_password` (32 characters or more), its user in the URL; `redis_ca` is a PEM file
    of the CAs that are believed. While it does not answer, ``redis_failure = "local"`` has each
    server keep the rates by itself, ``"refuse"`` has it answer 503.
    """

    rates: Literal["on", "off"] = "on"
    redis: RedisUrl | None = None
    redis_password: Path | None = None
    redis_ca: Path | None = None
    redis_failure: Literal["local", "refuse"] = "local"
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


class DeadlinesSection(Section, frozen=True):
    """``[deadlines]``: how long is waited, in seconds."""

    handshake: Seconds = 5
    headers: Seconds = 5
    body: Seconds = 10
    request: Seconds = 15
    idle: Seconds = 10
    write: Seconds = 10
    drain: Seconds = 20


class OperationsSection(Section, frozen=True):
    """``[operations]``: metrics and health for operators, in plain HTTP, where `port` is set.

    `host` is an address of this machine that only its own network reaches: loopback or a private
    one. Port 0 takes a free one, which the log names. With `traces_url`, such as
    ``"http://127.0.0.1:4318/v1/traces"``, the share `traces_share` of the requests is traced to
    that collector by OpenTelemetry, which the extra ``enrol[otel]`` installs.
    """

    host: str = "127.0.0.1"
    port: Port | None = None
    traces_url: Annotated[str, Meta(pattern=r"\Ahttps?://[!-~]+\Z")] | None = None
    traces_share: Annotated[float, Meta(ge=0, le=1)] = 0.1

    def __post_init__(self) -> None:
        """Refuse an address that strangers reach, or may reach."""
        try:
            address = ip_address(self.host)
        except ValueError:
            address = None
        if address is None or address.is_unspecified or not address.is_private:
            raise ValueError("host must be a loopback or private address, such as 127.0.0.1")


class LogSection(Section, frozen=True):
    """``[log]``: one JSON object a line, or lines for people."""

    format: LogFormat = LogFormat.JSON
