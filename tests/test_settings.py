"""Settings are checked whole, and a mistake is named."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from enrol.errors import ConfigurationError
from enrol.httpsig import STET, Mode
from enrol.httpsig.policy import ALIASES
from enrol.registration.approval import AT_ONCE, ApprovalMode
from enrol.registration.audit import EventType
from enrol.registration.client_events import CLIENT_EVENTS
from enrol.registration.dialect import Operation
from enrol.settings import load_settings, read_secret
from enrol.settings.sections import OperationsSection, WebhooksSection

MINIMAL = """
[server]
certificate = "server.pem"
key = "server.key"
secret = "enrol.secret"
[trust]
source = "sandbox"
anchors = ["ca.pem"]
[storage]
path = "enrol.db"
"""


def write(folder: Path, text: str = MINIMAL) -> Path:
    path = folder / "enrol.toml"
    path.write_text(text)
    return path


def test_paths_are_those_of_the_files_folder(tmp_path: Path) -> None:
    settings = load_settings(write(tmp_path), {})
    assert settings.storage.path == tmp_path / "enrol.db"
    assert settings.trust.anchors == (tmp_path / "ca.pem",)


def test_without_a_source_of_trust_nobody_is_trusted(tmp_path: Path) -> None:
    text = MINIMAL.replace('source = "sandbox"\nanchors = ["ca.pem"]\n', "").replace("[trust]", "")
    settings = load_settings(write(tmp_path, text), {})
    assert settings.trust.source == "none"
    assert settings.refresh_job is None


def test_revocation_is_required_and_asked_for_online(tmp_path: Path) -> None:
    settings = load_settings(write(tmp_path), {})
    assert settings.certificate_rules.revocation_required
    assert settings.revocation.online
    policy = settings.inquiry_policy
    assert (policy.deadline, policy.reach.allowed_hosts) == (5, {})
    assert (policy.ocsp_kept_for, policy.list_kept_for) == (timedelta(hours=1), timedelta(days=1))


def test_revocation_may_be_let_pass_and_hosts_be_elsewhere(tmp_path: Path) -> None:
    variables = {
        "ENROL_REVOCATION_MODE": "warn",
        "ENROL_REVOCATION_HOSTS": '{"OCSP.qtsp.example" = "10.0.0.7:8080"}',
        "ENROL_REVOCATION_DEADLINE_SECONDS": "2.5",
    }
    settings = load_settings(write(tmp_path), variables)
    assert not settings.certificate_rules.revocation_required
    policy = settings.inquiry_policy
    assert policy.reach.allowed_hosts == {"ocsp.qtsp.example": ("10.0.0.7", 8080)}
    assert (policy.deadline, policy.ocsp_timeout) == (2.5, 1.25)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MODE", "soft"),
        ("DEADLINE_SECONDS", "11"),
        ("OCSP_MINUTES", "1441"),
        ("LIST_HOURS", "25"),
        ("LIST_BYTES", "0"),
        ("PARALLEL", "0"),
    ],
)
def test_revocation_has_its_bounds(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match="revocation"):
        load_settings(write(tmp_path), {f"ENROL_REVOCATION_{name}": value})


@pytest.mark.parametrize("section", ["key_urls", "revocation"])
def test_a_host_elsewhere_needs_address_and_port(tmp_path: Path, section: str) -> None:
    settings = load_settings(
        write(tmp_path, f'{MINIMAL}[{section}]\nhosts = {{ "a.b" = "c" }}'), {}
    )
    policy = "fetch_policy" if section == "key_urls" else "inquiry_policy"
    with pytest.raises(ConfigurationError, match=f"{section}.hosts: a.b must be address:port"):
        getattr(settings, policy)


def test_lists_go_into_a_snapshot_beside_the_database(tmp_path: Path) -> None:
    text = MINIMAL.replace('"sandbox"\nanchors = ["ca.pem"]', '"directory"\ndirectory = "lists"')
    job = load_settings(write(tmp_path, text), {}).refresh_job
    assert job is not None
    assert job.snapshot == str(tmp_path / "trust.snapshot")
    assert job.directory == str(tmp_path / "lists")
    assert not job.plain_http


def test_what_is_not_set_has_a_safe_default(tmp_path: Path) -> None:
    settings = load_settings(write(tmp_path), {})
    assert settings.has_rates
    assert settings.desk.quota == 100
    assert settings.desk.dialect.name == "stet"
    assert settings.public_url == "https://127.0.0.1:8443"


def test_a_variable_overrides_a_setting(tmp_path: Path) -> None:
    environment = {
        "ENROL_SERVER_PORT": "9443",
        "ENROL_SERVER_OPENAPI": "false",
        "ENROL_REGISTRATION_OPERATIONS": "read,delete",
        "ENROL_KEY_URLS_FETCH": "false",
        "ENROL_DEADLINES_BODY": "0.5",
    }
    settings = load_settings(write(tmp_path), environment)
    assert settings.server.port == 9443
    assert settings.server.openapi is False
    assert settings.desk.offered == {Operation.READ, Operation.DELETE}
    assert settings.key_urls.fetch is False
    assert settings.request_limits.body_deadline == 0.5


SIGNATURES = """
[signatures]
modes = ["cavage", "rfc9421"]
quirks = ["empty_headers"]
[signatures.clients."PSDFR-ACPR-12345"]
modes = ["rfc9421"]
[signatures.clients.0123abcd]
quirks = ["stripped_prefix"]
"""


def test_a_caller_has_what_its_table_names_and_the_rest_of_everyone(tmp_path: Path) -> None:
    policies = load_settings(write(tmp_path, MINIMAL + SIGNATURES), {}).signature_policies
    organization, client = (policies.of_callers[n] for n in ("PSDFR-ACPR-12345", "0123abcd"))
    assert policies.general.modes == client.modes == (Mode.CAVAGE, Mode.RFC9421)
    assert organization.modes == (Mode.RFC9421,)
    assert (policies.general.empty_headers, organization.empty_headers) == (True, True)
    assert (client.empty_headers, client.stripped_prefix) == (False, b"/stet/setting/v1")


def test_signatures_are_strict_about_mistakes_unless_told(tmp_path: Path) -> None:
    settings = load_settings(write(tmp_path), {})
    assert settings.signature_policies.general == STET
    assert settings.signature_policies.of_callers == {}
    assert settings.signatures.response_key is None


def test_rfc9421_signs_the_public_authority_where_it_is_set(tmp_path: Path) -> None:
    environment = {"ENROL_SERVER_PUBLIC_URL": "https://psd2.bank.example:8443"}
    policy = load_settings(write(tmp_path), environment).signature_policies.general
    assert policy.authority == "psd2.bank.example:8443"


def test_variables_set_modes_quirks_and_callers(tmp_path: Path) -> None:
    environment = {
        "ENROL_SIGNATURES_PROFILE": "strict",
        "ENROL_SIGNATURES_MODES": "rfc9421",
        "ENROL_SIGNATURES_QUIRKS": "put_signed_as_post,algorithm_alias",
        "ENROL_SIGNATURES_CLIENTS": '{"PSDFR-ACPR-1" = {modes = ["cavage"], quirks = []}}',
        "ENROL_SIGNATURES_RESPONSE_KEY": "seal.key",
        "ENROL_SIGNATURES_RESPONSE_CERTIFICATE": "seal.pem",
        "ENROL_SIGNATURES_RESPONSE_KEY_ID": "https://bank.example/seal.pem",
    }
    settings = load_settings(write(tmp_path), environment)
    general, caller = (
        settings.signature_policies.general,
        settings.signature_policies.of_callers["PSDFR-ACPR-1"],
    )
    assert (general.coverage.name, general.modes) == ("strict", (Mode.RFC9421,))
    assert (general.put_signed_as_post, dict(general.algorithm_aliases)) == (True, ALIASES)
    assert (caller.modes, caller.put_signed_as_post) == ((Mode.CAVAGE,), False)
    assert settings.signatures.response_key == tmp_path / "seal.key"


def test_a_variable_that_is_no_table_is_refused_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="ENROL_KEY_URLS_HOSTS: not a table"):
        load_settings(write(tmp_path), {"ENROL_KEY_URLS_HOSTS": "tpp.example:443"})


MISTAKES = {
    "no TOML": ("[server", "settings_malformed", "not TOML"),
    "an unknown name": (MINIMAL + "sync = true\n", "settings_invalid", "sync"),
    "an unknown table": (MINIMAL + "[databse]\n", "settings_invalid", "databse"),
    "a missing name": (MINIMAL.replace('path = "enrol.db"', ""), "settings_invalid", "path"),
    "a wrong type": (MINIMAL + '[limits]\nbody_bytes = "much"\n', "settings_invalid", "body_bytes"),
    "a number out of range": (
        MINIMAL + "[limits]\nin_flight = 0\n",
        "settings_invalid",
        "in_flight",
    ),
    "a sandbox without trust": (
        MINIMAL.replace('["ca.pem"]', "[]"),
        "trust_source_invalid",
        "set anchors, or directory and lotl_anchors",
    ),
    "anchors beside the EU's lists": (
        MINIMAL.replace('"sandbox"', '"eu"'),
        "trust_source_invalid",
        "trust.anchors",
    ),
    "a directory without its name": (
        MINIMAL.replace('"sandbox"', '"directory"').replace('["ca.pem"]', "[]"),
        "trust_source_invalid",
        "trust.directory",
    ),
    "more grace than may be": (
        MINIMAL.replace('"sandbox"', '"sandbox"\ngrace_days = 8'),
        "settings_invalid",
        "grace_days",
    ),
    "no modes": (MINIMAL + "[signatures]\nmodes = []\n", "settings_invalid", "signatures.modes"),
    "no modes of a caller": (
        MINIMAL + "[signatures.clients.a]\nmodes = []\n",
        "settings_invalid",
        "signatures.clients",
    ),
    "an unknown quirk": (
        MINIMAL + '[signatures]\nquirks = ["lenient"]\n',
        "settings_invalid",
        "signatures.quirks",
    ),
    "half a seal": (
        MINIMAL + '[signatures]\nresponse_key = "seal.key"\n',
        "settings_invalid",
        "response_certificate",
    ),
    "a keyId with a blank": (
        MINIMAL + '[signatures]\nresponse_key_id = "a b"\n',
        "settings_invalid",
        "response_key_id",
    ),
    "an unknown dialect": (
        MINIMAL + '[registration]\ndialect = "obie"\n',
        "dialect_unknown",
        "rfc7591, stet",
    ),
    "a public URL with a path": (
        MINIMAL.replace("[trust]", 'public_url = "https://bank.example/api"\n[trust]'),
        "public_url_invalid",
        "public_url",
    ),
    "a public URL without TLS": (
        MINIMAL.replace("[trust]", 'public_url = "http://bank.example"\n[trust]'),
        "public_url_invalid",
        "public_url",
    ),
}


@pytest.mark.parametrize(("text", "code", "named"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_refused_and_named(tmp_path: Path, text: str, code: str, named: str) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        load_settings(write(tmp_path, text), {})
    assert refusal.value.code == code
    assert named in refusal.value.detail


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load_settings(tmp_path / "absent.toml", {})


@pytest.mark.parametrize(
    ("text", "mode", "code"),
    [
        ("x" * 48, 0o644, "secret_exposed"),
        ("x" * 31, 0o600, "secret_short"),
        (None, 0o600, "secret_unreadable"),
    ],
)
def test_a_secret_is_long_and_private(
    tmp_path: Path, text: str | None, mode: int, code: str
) -> None:
    path = tmp_path / "secret"
    if text is not None:
        path.write_text(text)
        path.chmod(mode)
    with pytest.raises(ConfigurationError) as refusal:
        read_secret(path)
    assert refusal.value.code == code


PROXY = """
[server]
public_url = "https://psd2.bank.example"
secret = "enrol.secret"
[storage]
path = "enrol.db"
[proxy]
"""


def test_a_proxy_by_a_unix_socket_needs_no_tls(tmp_path: Path) -> None:
    hop = 'hop = "socket"\nsocket = "s"\nsecrets = ["hop.secret"]'
    settings = load_settings(write(tmp_path, PROXY + hop), {})
    assert settings.proxy.socket == tmp_path / "s"
    assert settings.server.certificate is None


@pytest.mark.parametrize(
    ("hop", "said"),
    [
        ('hop = "socket"\nsocket = "s"', "secrets is empty"),
        ('hop = "socket"\nsecrets = ["x"]', "socket is set where hop"),
        ('hop = "tls"\nsecrets = ["x"]', "certificates are set where hop"),
        ('hop = "tls"\nsecrets = ["x"]\ncertificates = ["p"]\nsocket = "s"', "socket is set"),
        ('hop = "tls"\nsecrets = ["x"]\ncertificates = ["p"]', r"server\.certificate and"),
        ('hop = "header"', "Invalid enum"),
    ],
)
def test_half_a_hop_is_refused(tmp_path: Path, hop: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        load_settings(write(tmp_path, PROXY + hop), {})


def test_behind_a_proxy_the_public_url_must_be_said(tmp_path: Path) -> None:
    text = PROXY.replace('public_url = "https://psd2.bank.example"\n', "")
    hop = 'hop = "socket"\nsocket = "s"\nsecrets = ["x"]'
    with pytest.raises(ConfigurationError, match="public_url"):
        load_settings(write(tmp_path, text + hop), {})


# Operations


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "10.1.2.3", "192.168.7.1", "fd00::1"])
def test_operators_ask_at_an_address_of_their_own_network(host: str) -> None:
    assert OperationsSection(host=host, port=9464).host == host


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "8.8.8.8", "localhost", "bank.test", ""])
def test_operations_are_not_open_to_strangers(host: str) -> None:
    with pytest.raises(ValueError, match="loopback or private"):
        OperationsSection(host=host)


def test_nobody_can_ask_for_metrics_unless_it_is_set() -> None:
    assert OperationsSection().port is None


def test_registrations_are_approved_by_the_rules_and_count_at_once(tmp_path: Path) -> None:
    settings = load_settings(write(tmp_path), {})
    assert settings.desk.approval == AT_ONCE
    assert settings.desk.approval.is_plain


def test_people_approve_and_working_days_count_where_that_is_set(tmp_path: Path) -> None:
    text = MINIMAL + '[approval]\neffective = "next_working_day"\nholidays = [2026-12-25]\n'
    variables = {"ENROL_APPROVAL_MODE": "manual", "ENROL_APPROVAL_FOUR_EYES": "true"}
    approval = load_settings(write(tmp_path, text), variables).desk.approval
    assert (approval.mode, approval.four_eyes) == (ApprovalMode.MANUAL, True)
    received = datetime(2026, 12, 24, 12, tzinfo=UTC)
    assert approval.working_days is not None
    assert approval.working_days.effective_at(received) == datetime(2026, 12, 28, 13, tzinfo=UTC)


@pytest.mark.parametrize(
    "variables",
    [
        pytest.param({"ENROL_APPROVAL_FOUR_EYES": "true"}, id="two people where nobody approves"),
        pytest.param({"ENROL_APPROVAL_TIME": "09:00"}, id="a day that begins before its cut-off"),
        pytest.param({"ENROL_APPROVAL_CUT_OFF": "25:00"}, id="no time of the day"),
        pytest.param({"ENROL_APPROVAL_HOLIDAYS": "25.12.2026"}, id="no date"),
        pytest.param(
            {"ENROL_APPROVAL_EFFECTIVE": "next_working_day", "ENROL_APPROVAL_ZONE": "Paris"},
            id="no time zone",
        ),
    ],
)
def test_an_approval_that_cannot_work_is_refused(tmp_path: Path, variables: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError) as refused:
        load_settings(write(tmp_path), variables)
    assert refused.value.code == "settings_invalid"
    assert "approval" in str(refused.value)


def telling(folder: Path, **variables: str) -> WebhooksSection:
    """Load settings with a secret and these variables of ``[webhooks]``."""
    given = {"SECRETS": "webhook.secret"} | variables
    environment = {f"ENROL_WEBHOOKS_{name}": value for name, value in given.items()}
    return load_settings(write(folder), environment).webhooks


def test_nobody_is_told_or_may_ask_unless_it_is_set(tmp_path: Path) -> None:
    settings = load_settings(write(tmp_path), {})
    assert (settings.webhooks.url, settings.introspection.secrets) == (None, ())


def test_a_receiver_is_told_of_every_event_of_a_client_or_of_some(tmp_path: Path) -> None:
    url = "https://provisioner.bank.test/events"
    assert telling(tmp_path, URL=url).events == CLIENT_EVENTS
    some = telling(tmp_path, URL=url, EVENTS="client.deleted,client.suspended")
    assert some.events == (EventType.CLIENT_DELETED, EventType.CLIENT_SUSPENDED)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8500/e?x=1", "http://[::1]/", "http://localhost", "https://a.test:9/"]
)
def test_a_receiver_is_encrypted_or_on_this_machine(tmp_path: Path, url: str) -> None:
    assert telling(tmp_path, URL=url).url == url


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"URL": "http://provisioner.bank.test/"}, "url must be"),
        ({"URL": "http://127.0.0.1.bank.test/"}, "url must be"),
        ({"URL": "https://user:password@bank.test/"}, "url must be"),
        ({"URL": "https://bank.test/#part"}, "url must be"),
        ({"URL": "https://bank.test:99999/"}, "url must be"),
        ({"URL": "ftp://127.0.0.1/"}, "url must be"),
        ({"URL": "https://"}, "url must be"),
        ({"URL": "https://bank.test/", "SECRETS": ""}, "secrets is empty"),
        ({"EVENTS": "token.issued"}, "not of a client"),
        ({"EVENTS": "client.unheard_of"}, "Invalid enum value"),
        ({"EVENTS": ""}, "length >= 1"),
        ({"TIMEOUT": "61"}, "timeout"),
    ],
)
def test_who_cannot_be_told_safely_is_not(
    tmp_path: Path, variables: dict[str, str], said: str
) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        telling(tmp_path, **variables)
    assert said in str(refusal.value)


def test_tokens_are_asked_about_and_revoked_beside_the_token_endpoint(tmp_path: Path) -> None:
    paths = load_settings(write(tmp_path), {"ENROL_SERVER_TOKEN_PATH": "/as/token.oauth2"}).paths
    assert (paths.introspection, paths.revocation) == ("/as/introspect", "/as/revoke")
    own = {
        "ENROL_SERVER_INTROSPECTION_PATH": "/internal/ask",
        "ENROL_SERVER_REVOCATION_PATH": "/as/end",
    }
    paths = load_settings(write(tmp_path), own).paths
    assert (paths.introspection, paths.revocation) == ("/internal/ask", "/as/end")
