"""The two settings files of a sandbox folder."""

import json
from dataclasses import dataclass

from enrol.registration.dialect import Credential, Dialect
from enrol.sandbox.draft import QTSP_HOST
from enrol.sandbox.host import LOOPBACK, PORT, url_of
from enrol.sandbox.organization import Organization

_CONTACT = """
[metadata.contact]
contact_name = "Acme"
email = "psd2@tpp.example"
phone_number = "+33100000000"
"""


@dataclass(frozen=True, slots=True)
class Spoken:
    """The dialect a sandbox's bank speaks: what its settings call it, and its rules."""

    name: str
    rules: Dialect | None = None


STET = Spoken("stet")
"""What a bank speaks unless it is told otherwise."""


def settings_toml(*, host: str = LOOPBACK, port: int = PORT, dialect: Spoken = STET) -> str:
    """Return ``enrol.toml``, the server's settings; `host` is a checked name or address."""
    return f"""\
# A sandbox: nothing here is qualified. Made by `enrol sandbox init`.
[server]
host = "{host}"
port = {port}
certificate = "server.pem"
key = "server.key"
secret = "enrol.secret"

[trust]
source = "sandbox"
directory = "lists"
lotl_anchors = "scheme.pem"
revocation_lists = ["ca.crl"]

# The test QTSP's web site, by port 0: `enrol sandbox up` serves it wherever there is room.
[revocation]
hosts = {{ "{QTSP_HOST}" = "{LOOPBACK}:0" }}

[storage]
path = "enrol.db"

[registration]
dialect = {_text(dialect.name)}
explain_refusals = true

[limits]
rates = "off"

# Sign the answers of the registration endpoint; the TPP's profile knows this seal.
# [signatures]
# response_key = "bank/seal.key"
# response_certificate = "bank/seal.pem"
"""


def profile_toml(
    organization: Organization,
    *,
    kid: str,
    host: str = LOOPBACK,
    port: int = PORT,
    dialect: Spoken = STET,
) -> str:
    """Return ``tpp/profile.toml``, the TPP's settings; `kid` is the QSealC's decimal serial number.

    `organization` is one of the sandbox's own, whose name needs no escape in TOML.
    """
    return f"""\
# The TPP's side of the sandbox: where the bank is, who we are, what we register.
[bank]
url = "{url_of(host, port)}"
{_place(dialect)}
token_endpoint = "/stet/psd2/oauth/token"
client_id = "PSD2_TPPRegister"
{_tokens(dialect)}{_update_members(dialect)}ca = "../server-ca.pem"
seal = "../bank/seal.pem"

[tpp]
qwac = "qwac.pem"
qwac_key = "qwac.key"
qsealc = "qsealc.pem"
qsealc_key = "qsealc.key"
kid = "{kid}"

[metadata]
client_name = "{organization.name}"
redirect_uris = ["https://tpp.example/callback"]
grant_types = ["authorization_code", "refresh_token", "client_credentials"]
response_types = ["code"]
token_endpoint_auth_method = "tls_client_auth"
scope = "aisp pisp"
contacts = ["psd2@tpp.example"]
provider_legal_id = "{organization.identifier}"
{_further_members(dialect)}"""


def _place(dialect: Spoken) -> str:
    """Return where the registration endpoint is, as a line of a profile."""
    path = dialect.rules.register_path if dialect.rules else "/stet/setting/v1/register"
    prefix, _, last = path.rpartition("/")
    return f'prefix = "{prefix}"' if last == "register" else f'registration_endpoint = "{path}"'


def _tokens(dialect: Spoken) -> str:
    """Return which tokens go with calls, as lines of a profile; manage_registration is usual."""
    if dialect.rules is None:
        return ""
    credentials = dialect.rules.credentials
    wanted = {
        "registration_token": credentials.register,
        "management_token": credentials.manage,
    }
    return "".join(
        f'{name} = "{accepted[0] if accepted else "none"}"\n'
        for name, accepted in wanted.items()
        if Credential.MANAGE_REGISTRATION not in accepted
    )


def _update_members(dialect: Spoken) -> str:
    """Return what the bank wants back in an update, as a line of a profile."""
    constants = dialect.rules.metadata.update_constants if dialect.rules else {}
    pairs = ", ".join(f"{name} = {_text(value)}" for name, value in constants.items())
    return f"update_members = {{ {pairs} }}\n" if pairs else ""


def _further_members(dialect: Spoken) -> str:
    """Return the lines for what a dialect wants beside STET's members."""
    rules = dialect.rules.metadata if dialect.rules else None
    if rules is None:
        return ""
    lines = [f"{name} = {_text(value)}\n" for name, value in rules.constants.items()]
    if "description" in rules.required:
        lines.append('description = "A TPP of the sandbox"\n')
    if "contact" in rules.required:
        lines.append(_CONTACT)
    return "".join(lines)


def _text(value: str) -> str:
    """Return `value` as TOML writes a text."""
    return json.dumps(value, ensure_ascii=False)
