"""How X.509 objects are read through cryptography, which decodes late and warns of odd names."""

import warnings
from collections.abc import Callable
from typing import TypeVar

from cryptography import x509

ResultT = TypeVar("ResultT")
ExtensionT = TypeVar("ExtensionT", bound=x509.ExtensionType)


def without_warnings(read: Callable[[], ResultT]) -> ResultT:
    """Return what `read` returns, also where Python turns warnings into errors.

    cryptography warns of values out of the bounds of RFC 5280 appendix A, such as a country of 37
    characters. Genuine certificates have them, and no check here depends on them.
    """
    try:
        return read()
    except Warning:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return read()


def silence_warnings_of_names() -> None:
    """Keep cryptography's warnings of odd names off stderr, for the whole process.

    Trusted lists are full of such names, and nobody who reads the warning can do anything.
    """
    for message in ("Attribute's length must be", "Country names should be"):
        warnings.filterwarnings("ignore", message=message, category=UserWarning)


def find_extension(extensions: x509.Extensions, kind: type[ExtensionT]) -> ExtensionT | None:
    """Return the value of the extension of that kind, None where it is absent."""
    values = (extension.value for extension in extensions)
    return next((value for value in values if isinstance(value, kind)), None)


def subject_of(certificate: x509.Certificate) -> bytes:
    """Return the DER of the subject, spelled as `issuer_of` spells that of its children."""
    return without_warnings(lambda: certificate.subject).public_bytes()


def issuer_of(issued: x509.Certificate | x509.CertificateRevocationList) -> bytes:
    """Return the DER of the issuer's name."""
    return without_warnings(lambda: issued.issuer).public_bytes()
