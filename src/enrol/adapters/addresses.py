"""Which addresses are those of somebody's public host.

The tables are those of the IANA registries of special-purpose addresses (RFC 6890), read for our
purpose: what is not plainly a host on the internet is refused. Python's own `is_global` and
`is_private` let multicast, NAT64, 6to4 and 6to4-relay addresses through.
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

_IPV4_REFUSED: Final = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private use
        "100.64.0.0/10",  # shared address space
        "127.0.0.0/8",  # loopback
        "169.254.0.0/16",  # link local, cloud metadata
        "172.16.0.0/12",  # private use
        "192.0.0.0/24",  # IETF protocol assignments
        "192.0.2.0/24",  # documentation
        "192.31.196.0/24",  # AS112
        "192.52.193.0/24",  # AMT
        "192.88.99.0/24",  # 6to4 relay
        "192.168.0.0/16",  # private use
        "192.175.48.0/24",  # AS112
        "198.18.0.0/15",  # benchmarking
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, limited broadcast
    )
)

_IPV6_GLOBAL_UNICAST: Final = IPv6Network("2000::/3")
"""All that IANA gives out; loopback, mapped, NAT64, unique local, link local and multicast
addresses lie outside."""

_IPV6_REFUSED: Final = tuple(
    IPv6Network(network)
    for network in (
        "2001::/23",  # IETF protocol assignments, Teredo, ORCHID, benchmarking
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4
        "2620:4f:8000::/48",  # AS112
        "3fff::/20",  # documentation
    )
)


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Return whether an address may be connected to on a stranger's word."""
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _IPV4_REFUSED)
    return address in _IPV6_GLOBAL_UNICAST and not any(
        address in network for network in _IPV6_REFUSED
    )


def parse_address(text: str) -> IPv4Address | IPv6Address | None:
    """Return the address `text` spells as a resolver or a socket gives it, or None."""
    try:
        return ip_address(text)
    except ValueError:
        return None
