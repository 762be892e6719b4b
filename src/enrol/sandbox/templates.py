"""The two settings files of a sandbox folder."""

from enrol.sandbox.host import LOOPBACK, PORT, url_of
from enrol.sandbox.organization import Organization


def settings_toml(*, host: str = LOOPBACK, port: int = PORT) -> str:
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
anchors = ["ca.pem"]
revocation_lists = ["ca.crl"]

[storage]
path = "enrol.db"

[limits]
rates = "off"
"""


def profile_toml(
    organization: Organization, *, kid: str, host: str = LOOPBACK, port: int = PORT
) -> str:
    """Return ``tpp/profile.toml``, the TPP's settings; `kid` is the QSealC's decimal serial number.

    `organization` is one of the sandbox's own, whose name needs no escape in TOML.
    """
    return f"""\
# The TPP's side of the sandbox: where the bank is, who we are, what we register.
[bank]
url = "{url_of(host, port)}"
prefix = "/stet/setting/v1"
token_endpoint = "/stet/psd2/oauth/token"
client_id = "PSD2_TPPRegister"
ca = "../server-ca.pem"

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
"""
