"""Where a certificate says that its issuer can be asked: OCSP responders and lists."""

import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

from cryptography import x509

from enrol.adapters.outbound import Target
from enrol.eidas.certificate import Certificate

_URL: Final = re.compile(
    r"(?i:(https?)://([0-9a-z.-]{1,253})(?::([0-9]{1,5}))?)"
    r"((?:/[0-9A-Za-z!$%&'()*+,\-./:;=@_~]*)?(?:\?[0-9A-Za-z!$%&'()*+,\-./:;=@_~?]*)?)"
)
_LONGEST_URL: Final = 2048
_MOST_RESPONDERS, _MOST_LISTS = 2, 4
_LAST_PORT: Final = 65_535


def responders_of(certificate: Certificate) -> Iterator[Target]:
    """Return the first responders of its authorityInfoAccess (RFC 5280 §4.2.2.1)."""
    return islice(_targets(certificate.ocsp_urls), _MOST_RESPONDERS)


def lists_of(certificate: Certificate) -> Iterator[Target]:
    """Return the first places of its cRLDistributionPoints (RFC 5280 §4.2.1.13)."""
    names = certificate.crl_distribution_points
    urls = (name.value for name in names if isinstance(name, x509.UniformResourceIdentifier))
    return islice(_targets(urls), _MOST_LISTS)


def url_of(target: Target) -> str:
    """Return the URL that leads to the target."""
    return f"{target.scheme}://{target.authority}{target.path}"


def _targets(urls: Iterable[str]) -> Iterator[Target]:
    """Return where the URLs lead that are HTTP or HTTPS; all else is skipped, such as LDAP."""
    for url in urls:
        match = _URL.fullmatch(url) if len(url) <= _LONGEST_URL else None
        if match is None:
            continue
        is_https = match[1].lower() == "https"
        port = int(match[3] or (443 if is_https else 80))
        path = match[4] if match[4].startswith("/") else f"/{match[4]}"
        if 0 < port <= _LAST_PORT:
            yield Target("https" if is_https else "http", match[2].lower(), port, path)
