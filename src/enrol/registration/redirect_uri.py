"""Redirection URIs that may be registered (RFC 9700 §2.1, RFC 6749 §3.1.2)."""

import re
from collections.abc import Iterator
from urllib.parse import unquote

from enrol.errors import Finding

MAXIMUM_URIS = 20
MAXIMUM_LENGTH = 2000
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HTTPS_URI = re.compile(
    rf"https://(?P<host>(?:{_LABEL}\.)+(?P<top>{_LABEL}))"
    r"(?::(?P<port>[1-9][0-9]{0,4}))?"
    r"(?P<path>(?:/(?:[A-Za-z0-9._~!$&'()+,;=:@-]|%[0-9A-Fa-f]{2})*)*)"
    r"(?:\?(?P<query>(?:[A-Za-z0-9._~!$&'()+,;=:@/?-]|%[0-9A-Fa-f]{2})*))?"
)
_ALLOWED_LOW_PORTS = frozenset({443})
_ANSWER_PARAMETERS = frozenset(
    {"code", "state", "iss", "error", "error_description", "error_uri", "response", "redirect_uri"}
)
_IDNA_PREFIX = "xn--"  # people cannot tell such hosts apart, so none is registered


def find_faults(uris: tuple[str, ...]) -> Iterator[Finding]:
    """Yield what is wrong with the redirection URIs, each rule once."""
    if not 1 <= len(uris) <= MAXIMUM_URIS:
        yield Finding("redirect_uris_count", "redirect_uris")
        return
    if len(set(uris)) != len(uris):
        yield Finding("redirect_uri_twice", "redirect_uris")
    for code in sorted({code for uri in uris for code in _broken_rules(uri)}):
        yield Finding(code, "redirect_uris")


def is_https_uri(uri: str) -> bool:
    """Tell whether `uri` is an https URI with a DNS name, no user and no fragment."""
    return len(uri) <= MAXIMUM_LENGTH and not any(_broken_syntax(uri))


def _broken_rules(uri: str) -> Iterator[str]:
    if len(uri) > MAXIMUM_LENGTH:
        yield "redirect_uri_length"
        return
    syntax = list(_broken_syntax(uri))
    if syntax:
        yield from syntax
        return
    match = _HTTPS_URI.fullmatch(uri)
    query = (match and match["query"]) or ""
    names = {unquote(pair.partition("=")[0]) for pair in query.split("&")}
    if names & _ANSWER_PARAMETERS or "//" in unquote(query):
        yield "redirect_uri_query"


def _broken_syntax(uri: str) -> Iterator[str]:
    match = _HTTPS_URI.fullmatch(uri)
    if not uri.startswith("https://"):
        yield "redirect_uri_scheme"
    elif "#" in uri:
        yield "redirect_uri_fragment"
    elif match is None:
        yield "redirect_uri_syntax"
    else:
        yield from _broken_parts(match)


def _broken_parts(match: re.Match[str]) -> Iterator[str]:
    host, port, path = match["host"], match["port"], match["path"]
    if match["top"].isdigit() or len(host) > 253 or _IDNA_PREFIX in host:
        yield "redirect_uri_host"
    if port is not None and int(port) not in _ALLOWED_LOW_PORTS and not 1024 <= int(port) <= 65535:
        yield "redirect_uri_port"
    decoded = unquote(unquote(path))
    segments = {segment.partition(";")[0] for segment in decoded.split("/")}
    if segments & {".", ".."} or "//" in decoded or "*" in decoded or "\\" in decoded:
        yield "redirect_uri_path"
