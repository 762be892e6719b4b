"""The requests a TPP sends to a bank, built whole before anything is sent (STET 1.0.5)."""

import re
from ssl import DER_cert_to_PEM_cert
from typing import Final
from urllib.parse import quote, urlencode

import httpx

from enrol import __version__
from enrol.client.auth import signed_fields
from enrol.client.bank import Bank
from enrol.client.seal import Seal
from enrol.errors import ConfigurationError
from enrol.oauth.tokens import MANAGE_REGISTRATION

_TIMEOUT: Final = httpx.Timeout(30.0, connect=10.0)
_EXTENSIONS: Final = {"timeout": _TIMEOUT.as_dict()}
_COMMON: Final = {"Accept": "application/json", "User-Agent": f"enrol/{__version__}"}
_REQUEST_ID: Final = re.compile(r"[\x21-\x7e]{1,70}")


def token_request(bank: Bank, *, request_id: str) -> httpx.Request:
    """Return the request for a token with scope ``manageRegistration`` (RFC 6749 §4.4.2).

    The client certificate of the connection authenticates it; it is not signed.
    """
    form = {
        "grant_type": "client_credentials",
        "scope": MANAGE_REGISTRATION,
        "client_id": bank.client_id,
    }
    return httpx.Request(
        "POST",
        bank.url + bank.token_endpoint,
        headers=_COMMON
        | {"Content-Type": "application/x-www-form-urlencoded", "X-Request-ID": request_id},
        content=urlencode(form).encode("ascii"),
        extensions=_EXTENSIONS,
    )


def registration_request(
    method: str,
    url: str,
    *,
    seal: Seal,
    token: str | None,
    request_id: str,
    body: bytes | None = None,
) -> httpx.Request:
    """Return a signed request to the registration entry point; `body` is JSON.

    A bank that wants no bearer gets no `token`.
    """
    headers = _COMMON if token is None else _COMMON | {"Authorization": f"Bearer {token}"}
    if body is not None:
        headers = headers | {"Content-Type": "application/json"}
    request = httpx.Request(method, url, headers=headers, content=body, extensions=_EXTENSIONS)
    request.headers.update(signed_fields(request, seal, request_id=request_id))
    return request


def registration_url(bank: Bank, client_id: str | None = None) -> str:
    """Return the registration entry point of a bank, or a client's place on it."""
    entry_point = f"{bank.url}{bank.registration_endpoint or f'{bank.prefix}/register'}"
    return entry_point if client_id is None else f"{entry_point}/{_segment(client_id)}"


def preflight_request(bank: Bank, seal: Seal, *, request_id: str) -> httpx.Request:
    """Return the request for an examination of the QWAC of the connection and a QSealC.

    The connection authenticates it; it needs no token and no signature.
    """
    return httpx.Request(
        "POST",
        f"{registration_url(bank).rpartition('/')[0]}/certificate-check",
        headers=_COMMON | {"X-Request-ID": request_id},
        json={"certificate": "".join(map(DER_cert_to_PEM_cert, seal.certificates))},
        extensions=_EXTENSIONS,
    )


def check_request_id(request_id: str) -> str:
    """Return an X-Request-ID of 1 to 70 visible ASCII characters, else raise."""
    if not _REQUEST_ID.fullmatch(request_id):
        raise ConfigurationError(
            "request_id", "An X-Request-ID is 1 to 70 visible ASCII characters, such as a UUID."
        )
    return request_id


def _segment(client_id: str) -> str:
    if client_id.strip(".") == "":
        raise ConfigurationError("client_id", "A client_id is what the bank gave at registration.")
    return quote(client_id, safe="")
