"""Header fields that claim a certificate: only a connection can show one, a claim is refused."""

from functools import lru_cache

Field = tuple[bytes, bytes]

_SEPARATORS = b"!#$%&'*+-.^_`|~"
_CLAIMS = (b"clientcert", b"sslclient", b"tlsclient")


def claims_certificate(fields: list[Field]) -> bool:
    """Tell whether a field has a name that some proxy, gateway or framework takes a certificate by.

    ``X-SSL-Client-Cert``, ``X-ARR-ClientCert``, ``X-Forwarded-Client-Cert`` and their like, in any
    spelling: what reads ``_`` as ``-`` somewhere is read so here. `fields` have lower-case names.
    """
    return _claim(b"\n".join([name for name, _ in fields]))


@lru_cache(maxsize=64)  # a client sends the same names with every request
def _claim(names: bytes) -> bool:
    letters = names.translate(None, _SEPARATORS)
    return any(claim in letters for claim in _CLAIMS)
