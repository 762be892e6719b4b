"""The one name of a certificate that a ``tls_client_auth`` client is known by (RFC 8705 §2.1.2)."""

from collections.abc import Callable, Mapping
from ipaddress import ip_address
from typing import Final, TypeVar

from cryptography import x509

from enrol.oauth.distinguished_name import distinguished_name_of, parse_distinguished_name

SUBJECT_DN: Final = "tls_client_auth_subject_dn"
_ORGANIZATION_IDENTIFIER: Final = {x509.NameOID.ORGANIZATION_IDENTIFIER: "2.5.4.97"}

N = TypeVar("N", bound=x509.GeneralName)


class CertificateNameError(ValueError):
    """A value is no name of the kind it should be."""


def is_named(certificate: x509.Certificate, member: str, value: str) -> bool:
    """Tell whether a certificate has the name that a member of `NAME_MEMBERS` expects.

    Names are read from the DER and compared as what they are, never as texts of one form.
    Raises `CertificateNameError` where `value` is no such name.
    """
    try:
        return _MATCHERS[member](certificate, value)
    except ValueError as exc:
        raise CertificateNameError(member) from exc


def subject_of(certificate: x509.Certificate) -> str | None:
    """Return the subject as a text of RFC 4514; None where no text says all that it holds."""
    text = certificate.subject.rfc4514_string(_ORGANIZATION_IDENTIFIER)
    try:
        return text if is_named(certificate, SUBJECT_DN, text) else None
    except CertificateNameError:
        return None


def _is_subject(certificate: x509.Certificate, value: str) -> bool:
    return parse_distinguished_name(value) == distinguished_name_of(certificate.subject)


def _has_dns_name(certificate: x509.Certificate, value: str) -> bool:
    return _printable(value).lower() in {
        str(name).lower() for name in _alternatives(certificate, x509.DNSName)
    }


def _has_uri(certificate: x509.Certificate, value: str) -> bool:
    return _printable(value) in _alternatives(certificate, x509.UniformResourceIdentifier)


def _has_address(certificate: x509.Certificate, value: str) -> bool:
    return ip_address(value) in _alternatives(certificate, x509.IPAddress)


def _has_email(certificate: x509.Certificate, value: str) -> bool:
    if "@" not in _printable(value):
        raise ValueError(value)
    known = {_mailbox(str(name)) for name in _alternatives(certificate, x509.RFC822Name)}
    return _mailbox(value) in known


def _mailbox(address: str) -> tuple[str, str]:
    """Return an address as it is compared: only its host in letters of any case (RFC 5280 §7.5)."""
    local, _, host = address.rpartition("@")
    return local, host.lower()


def _alternatives(certificate: x509.Certificate, kind: type[N]) -> list[object]:
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return []
    return [name.value for name in extension.value if isinstance(name, kind)]


def _printable(value: str) -> str:
    if not 0 < len(value) <= 2048 or any(not "!" <= each <= "~" for each in value):
        raise ValueError(value)
    return value


_MATCHERS: Final[Mapping[str, Callable[[x509.Certificate, str], bool]]] = {
    SUBJECT_DN: _is_subject,
    "tls_client_auth_san_dns": _has_dns_name,
    "tls_client_auth_san_uri": _has_uri,
    "tls_client_auth_san_ip": _has_address,
    "tls_client_auth_san_email": _has_email,
}
NAME_MEMBERS: Final = tuple(_MATCHERS)
"""The members of which a client has exactly one (RFC 8705 §2.1.2)."""
