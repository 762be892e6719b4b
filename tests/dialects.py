"""The dialects that come with Enrol, and changed copies of them."""

from typing import Any

from enrol.adapters.dialects import load_dialect, read_dialect
from enrol.registration.dialect import Dialect
from enrol.registration.dialect_parser import parse_dialect

STET = load_dialect("stet")
RFC7591 = load_dialect("rfc7591")


def changed(name: str, *changes: tuple[str, str]) -> Dialect:
    """Return a dialect whose text was edited as an operator would edit a copy."""
    text = read_dialect(name)
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    return parse_dialect(text, source=name)


def document(**changes: Any) -> dict[str, Any]:
    """Return metadata that `stet` grants, without a key."""
    return {
        "client_name": "Acme Co.",
        "redirect_uris": ["https://tpp.test/cb"],
        "token_endpoint_auth_method": "tls_client_auth",
        "grant_types": ["authorization_code", "refresh_token", "client_credentials"],
        "response_types": ["code"],
        "contacts": ["ops@tpp.test"],
        "provider_legal_id": "PSDFR-ACPR-12345",
        "scope": "aisp pisp",
    } | changes
