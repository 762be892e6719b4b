"""The name or address under which the sandbox bank is reached."""

import ipaddress
import re

from enrol.errors import ConfigurationError

LOOPBACK = "127.0.0.1"
PORT = 8443

_LABEL = r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)"
_NAME = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(?:\.{_LABEL})*")

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


def parse_host(text: str) -> str | IPAddress:
    """Read a host name (ASCII) or an IP address; raises ConfigurationError ``sandbox_host``."""
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        if _NAME.fullmatch(text):
            return text.lower()
    raise ConfigurationError(
        "sandbox_host",
        "The host must be an IP address or a name of ASCII letters, digits, '-' and '.'.",
    )


def url_of(host: str, port: int) -> str:
    """Return the URL a client on this machine uses for a server that listens on `host`."""
    parsed = parse_host(host)
    if isinstance(parsed, str):
        return f"https://{parsed}:{port}"
    if parsed.is_unspecified:
        parsed = ipaddress.ip_address(LOOPBACK)
    return f"https://[{parsed}]:{port}" if parsed.version == 6 else f"https://{parsed}:{port}"
