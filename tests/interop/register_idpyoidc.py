"""PyPI idpyoidc registers by RFC 7591: discovery, token, registration, and a token of its own.

Run where idpyoidc is installed. Reads its parameters as JSON on stdin, prints what each step gave.
"""

import importlib.metadata
import json
import sys

from idpyoidc.client.claims import oauth2
from idpyoidc.client.oauth2 import Client

given = json.load(sys.stdin)


class Claims(oauth2.Claims):
    """What the client supports: the library takes no answer that goes beyond it."""

    _supports = oauth2.Claims._supports | {
        "grant_types_supported": ["authorization_code", "client_credentials"],
        "scopes_supported": ["aisp", "pisp"],
        "token_endpoint_auth_methods_supported": ["tls_client_auth"],
    }


BEARER = {"class": "idpyoidc.client.client_auth.BearerHeader", "kwargs": {}}
client = Client(
    config={"issuer": given["issuer"]},
    services={
        "server_metadata": {"class": "idpyoidc.client.oauth2.server_metadata.ServerMetadata"},
        "client_credentials": {
            "class": "idpyoidc.client.oauth2.client_credentials.CCAccessTokenRequest"
        },
        "registration": {
            "class": "idpyoidc.client.oauth2.registration.Registration",
            "kwargs": {"client_authn_methods": {"bearer_header": BEARER}},
        },
        "registration_read": {"class": "idpyoidc.client.oidc.read_registration.RegistrationRead"},
    },
    httpc_params={"verify": given["ca"], "cert": (given["qwac"], given["qwac_key"])},
)
client.get_context().claims = Claims()


def grant(client_id):
    """Return a token by the client credentials grant, over the certificate of the connection."""
    asked = {"client_id": client_id, "scope": ["manageRegistration"]}
    return client.do_request("client_credentials", request_args=asked)


def register(metadata, access_token):
    """Return what the bank says to a registration."""
    return client.do_request(
        "registration",
        request_args=dict(metadata),
        authn_method="bearer_header",
        access_token=access_token,
    )


server = client.do_request("server_metadata")
token = grant(given["generic_client_id"])
refused = register(given["refused_metadata"], token["access_token"])
registered = register(given["metadata"], token["access_token"])
results = {
    "server": server,
    "token": token,
    "refused_metadata": refused,
    "client": registered,
    "read": client.do_request("registration_read", authn_method="client_secret_basic"),
    "own_token": grant(registered["client_id"]),
}
printed = {name: message.to_dict() for name, message in results.items()}
json.dump(printed | {"version": importlib.metadata.version("idpyoidc")}, sys.stdout)
