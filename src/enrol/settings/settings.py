"""The settings as a whole, and what they mean to each part."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from msgspec import structs

from enrol.adapters.dialects import load_dialect
from enrol.adapters.fetch import FetchPolicy
from enrol.adapters.inquiry import InquiryPolicy
from enrol.adapters.location import Location, PostgresUrl
from enrol.adapters.outbound import Reach
from enrol.adapters.trustlists.job import RefreshJob
from enrol.eidas.rules import CertificateRules
from enrol.errors import ConfigurationError
from enrol.httpsig.policy import STET as STET_SIGNATURES
from enrol.httpsig.policy import STRICT as STRICT_SIGNATURES
from enrol.oauth.types import ClientId
from enrol.registration.desk_settings import DeskSettings
from enrol.registration.dialect import Dialect, Presence
from enrol.registration.entitlement import EntitlementRules
from enrol.registration.grants import GrantSettings
from enrol.registration.ratelimit import Rate
from enrol.registration.signatures import SignaturePolicies
from enrol.server.app import Paths
from enrol.server.call import RequestLimits
from enrol.settings.approval import ApprovalSection
from enrol.settings.sections import (
    DeadlinesSection,
    IntrospectionSection,
    KeyUrlsSection,
    LimitsSection,
    LogSection,
    OperationsSection,
    ProxySection,
    RegisterSection,
    RegistrationSection,
    RevocationSection,
    Section,
    ServerSection,
    SignaturesSection,
    StorageSection,
    TokensSection,
    TrustSection,
    WebhooksSection,
)
from enrol.settings.software_statements import SoftwareStatementsSection

_MINUTE = timedelta(minutes=1)


class Settings(Section, frozen=True):
    """Everything that can be set."""

    server: ServerSection
    storage: StorageSection
    proxy: ProxySection = ProxySection()
    trust: TrustSection = TrustSection()
    revocation: RevocationSection = RevocationSection()
    register: RegisterSection = RegisterSection()
    registration: RegistrationSection = RegistrationSection()
    approval: ApprovalSection = ApprovalSection()
    signatures: SignaturesSection = SignaturesSection()
    tokens: TokensSection = TokensSection()
    introspection: IntrospectionSection = IntrospectionSection()
    webhooks: WebhooksSection = WebhooksSection()
    key_urls: KeyUrlsSection = KeyUrlsSection()
    software_statements: SoftwareStatementsSection = SoftwareStatementsSection()
    limits: LimitsSection = LimitsSection()
    deadlines: DeadlinesSection = DeadlinesSection()
    operations: OperationsSection = OperationsSection()
    log: LogSection = LogSection()

    @property
    def location(self) -> Location:
        """Where the register is."""
        given = self.storage
        return given.path if given.path is not None else PostgresUrl(given.url or "")

    @property
    def is_shared(self) -> bool:
        """Whether several processes may serve the register at a time."""
        return self.storage.path is None

    @property
    def migration_location(self) -> Location:
        """Where the register is, for who may change its tables; raises `ConfigurationError`."""
        if self.storage.path is not None:
            return self.storage.path
        if self.storage.migration_url is None:
            raise ConfigurationError(
                "settings_invalid",
                "storage.migration_url must be set: the role that the tables belong to.",
            )
        return PostgresUrl(self.storage.migration_url)

    @property
    def state_folder(self) -> Path:
        """The folder of the files that are this machine's own."""
        given = self.storage
        return given.state or (given.path or Path()).parent

    @property
    def premises(self) -> Path:
        """What belongs to the account of the server: the file of SQLite, else its folder."""
        return self.storage.path or self.state_folder

    @property
    def seen_head(self) -> Path:
        """The file of the end of the audit trail as this machine saw it last."""
        register = self.storage.path or Path("register")
        return self.state_folder / f"{register.name}.head"

    @property
    def public_url(self) -> str:
        """The URL of the server as clients see it, without a slash at its end."""
        return self.server.public_url or f"https://{self.server.host}:{self.server.port}"

    @property
    def paths(self) -> Paths:
        """Where the entry points are."""
        own, prefix = self.dialect.register_path, self.server.prefix
        register = own if prefix is None else f"{prefix}/{own.rpartition('/')[2]}"
        given = self.server
        beside = given.token_path.rpartition("/")[0]
        return Paths(
            register=register,
            token=given.token_path,
            introspection=given.introspection_path or f"{beside}/introspect",
            revocation=given.revocation_path or f"{beside}/revoke",
        )

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
            snapshot=str(given.snapshot or self.state_folder / "trust.snapshot"),
            lotl_url=given.lotl_url,
            directory=None if folder is None or given.source == "eu" else str(folder),
            lotl_anchors=None if anchors is None else str(anchors),
            grace=given.grace_days,
            plain_http=given.source == "sandbox",
        )

    @property
    def register_path(self) -> Path:
        """Where the register of payment institutions is kept."""
        return self.register.path or self.state_folder / "register.db"

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
            approval=self.approval.rules,
        )

    @property
    def client_secret_lifetime(self) -> timedelta | None:
        """How long a client's secret holds, None where it never expires."""
        seconds = self.tokens.secret_lifetime
        return timedelta(seconds=seconds) if seconds else None

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
    def statement_reach(self) -> Reach:
        """Where keys of issuers are fetched from; raises `ConfigurationError` for a bad host."""
        given = self.software_statements
        hosts = _endpoints("software_statements.hosts", given.hosts)
        return Reach(allowed_hosts=hosts, ca_file=given.ca)

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
        )

    @property
    def has_rates(self) -> bool:
        """Whether callers are counted."""
        return self.limits.rates == "on"

    def rate(self, per_minute: int) -> Rate | None:
        """Return a rate a minute, or None where rates are off."""
        return Rate(per_minute, _MINUTE) if self.has_rates else None


def _endpoints(setting: str, hosts: Mapping[str, str]) -> dict[str, tuple[str, int]]:
    """Return address and port of each host, which are ``address:port`` in the setting."""
    return {name.lower(): _endpoint(f"{setting}: {name}", text) for name, text in hosts.items()}


def _endpoint(name: str, text: str) -> tuple[str, int]:
    address, _, port = text.rpartition(":")
    if not address or not port.isdecimal():
        raise ConfigurationError("host_address_invalid", f"{name} must be address:port")
    return address, int(port)
