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
    r"(?P<path>(?:/(?:[A-Za-z0-9._~!$&'()+,;=:@-]++|%[0-9A-Fa-f]{2})*+)*+)"
    r"(?:\?(?P<query>(?:[A-Za-z0-9._~!$&'()+,;=:@/?-]++|%[0-9A-Fa-f]{2})*+))?"
)
_PLAIN_URI = re.compile(
    rf"https://(?:{_LABEL}\.)+[a-z](?:[a-z0-9-]{{0,61}}[a-z0-9])?"
    r"(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*+)*+/?"
)
"""What most URIs are like: without port and query, and nothing in the path to be decoded."""
_LONGEST_HOST = 253
_ALLOWED_LOW_PORTS = frozenset({443})
_ANSWER_PARAMETERS = frozenset(
    {"code", "state", "iss", "error", "error_description", "error_uri", "response", "redirect_uri"}
)
_DOTS = frozenset({".", ".."})
_IDNA_PREFIX = "xn--"  # people cannot tell such hosts apart, so none is registered


def find_faults(uris: tuple[str, ...]) -> Iterator[Finding]:
    """Yield what is wrong with the redirection URIs, each rule once."""
    if not 1 <= len(uris) <= MAXIMUM_URIS:
        yield Finding("redirect_uris_count", "redirect_uris")
        return
    if len(set(uris)) != len(uris):
        yield Finding("redirect_uri_twice", "redirect_uris")
    broken = [code for uri in uris for code in _broken_rules(uri)]
    for code in sorted(set(broken)):
        yield Finding(code, "redirect_uris")


def is_https_uri(uri: str) -> bool:
    """Tell whether `uri` is an https URI with a DNS name, no user and no fragment."""
    if _is_plain(uri):
        return True
    match = _HTTPS_URI.fullmatch(uri) if len(uri) <= MAXIMUM_LENGTH else None
    return match is not None and not _broken_parts(match)


def _is_plain(uri: str) -> bool:
    """Tell whether an URI is of the plain kind, which breaks none of the rules."""
    return (
        len(uri) <= _LONGEST_HOST
        and _IDNA_PREFIX not in uri
        and _PLAIN_URI.fullmatch(uri) is not None
    )


def _broken_rules(uri: str) -> list[str]:
    if _is_plain(uri):
        return []
    if len(uri) > MAXIMUM_LENGTH:
        return ["redirect_uri_length"]
    match = _HTTPS_URI.fullmatch(uri)
    if match is None:
        return [_broken_syntax(uri)]
    return _broken_parts(match) or _broken_query(match["query"])


def _broken_syntax(uri: str) -> str:
    """Return the rule that a text breaks which is no https URI at all."""
    if not uri.startswith("https://"):
        return "redirect_uri_scheme"
    return "redirect_uri_fragment" if "#" in uri else "redirect_uri_syntax"


def _broken_parts(match: re.Match[str]) -> list[str]:
    host, top, port, path = match.group("host", "top", "port", "path")
    broken = []
    if top.isdigit() or len(host) > _LONGEST_HOST or _IDNA_PREFIX in host:
        broken.append("redirect_uri_host")
    if port is not None and int(port) not in _ALLOWED_LOW_PORTS and not 1024 <= int(port) <= 65535:
        broken.append("redirect_uri_port")
    decoded = unquote(unquote(path)) if "%" in path else path
    if _has_dot_segment(decoded) or "//" in decoded or "*" in decoded or "\\" in decoded:
        broken.append("redirect_uri_path")
    return broken


def _has_dot_segment(path: str) -> bool:
    if "/." not in path:
        return False
    return not _DOTS.isdisjoint(segment.partition(";")[0] for segment in path.split("/"))


def _broken_query(query: str | None) -> list[str]:
    if not query:
        return []
    names = {unquote(pair.partition("=")[0]) for pair in query.split("&")}
    is_broken = names & _ANSWER_PARAMETERS or "//" in unquote(query)
    return ["redirect_uri_query"] if is_broken else []
