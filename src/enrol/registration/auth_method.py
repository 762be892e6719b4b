"""What a method of client authentication needs of the metadata it is registered with."""

from collections.abc import Iterator, Mapping

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from enrol.errors import Finding
from enrol.oauth import jwk
from enrol.oauth.certificate_name import (
    NAME_MEMBERS,
    SUBJECT_DN,
    CertificateNameError,
    is_named,
    subject_of,
)
from enrol.oauth.client_authentication import PRIVATE_KEY_JWT, SELF_SIGNED, TLS_CLIENT_AUTH
from enrol.oauth.metadata import ClientMetadata
from enrol.registration.dialect import MetadataRules

_NO_NAMES: Mapping[str, str | None] = dict.fromkeys(NAME_MEMBERS)


def method_of(metadata: ClientMetadata, rules: MetadataRules) -> str | None:
    """Return how a client authenticates: as it says, else as its dialect has it by default."""
    return metadata.token_endpoint_auth_method or rules.defaults.token_endpoint_auth_method


def find_faults(
    metadata: ClientMetadata, certificate: x509.Certificate | None, rules: MetadataRules
) -> Iterator[Finding]:
    """Yield what keeps a method from being of use over a connection with `certificate`."""
    method = method_of(metadata, rules)
    if method == TLS_CLIENT_AUTH and uses_names(rules):
        yield from _name_faults(_given_names(metadata), certificate)
    elif method in (PRIVATE_KEY_JWT, SELF_SIGNED):
        keys = metadata.jwks.keys if metadata.jwks is not None else ()
        if not keys:
            yield Finding("member_missing", "jwks")
        elif method == SELF_SIGNED and certificate is not None:
            held = certificate.public_bytes(Encoding.DER)
            if not any(held in jwk.certificates(key)[:1] for key in keys):
                yield Finding("jwks_without_certificate", "jwks")


def granted_names(
    metadata: ClientMetadata, certificate: x509.Certificate | None, rules: MetadataRules
) -> Mapping[str, str | None]:
    """Return the names of a client's certificate as granted (RFC 8705 §2.1.2).

    Where the dialect has such names, a client of ``tls_client_auth`` has exactly one: that which
    it gave, else the subject of the certificate it came with. All others have none.
    """
    if method_of(metadata, rules) != TLS_CLIENT_AUTH or not uses_names(rules):
        return _NO_NAMES
    given = _given_names(metadata)
    if not given and certificate is not None:
        given = {SUBJECT_DN: subject_of(certificate)}
    return {**_NO_NAMES, **given}


def uses_names(rules: MetadataRules) -> bool:
    """Tell whether a dialect takes every one of the names."""
    return rules.refused.isdisjoint(NAME_MEMBERS)


def _given_names(metadata: ClientMetadata) -> dict[str, str | None]:
    given = {member: getattr(metadata, member) for member in NAME_MEMBERS}
    return {member: value for member, value in given.items() if value is not None}


def _name_faults(
    given: Mapping[str, str | None], certificate: x509.Certificate | None
) -> Iterator[Finding]:
    if len(given) > 1:
        yield Finding("tls_client_auth_names", next(iter(given)))
        return
    for member, value in given.items():
        try:
            is_own = certificate is not None and is_named(certificate, member, value or "")
        except CertificateNameError:
            yield Finding("tls_client_auth_malformed", member)
        else:
            if not is_own:
                yield Finding("tls_client_auth_differs", member)
