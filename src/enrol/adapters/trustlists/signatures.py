"""Signatures of lists: what was signed, by one of the certificates allowed to (TS 119 612 §5.7.1).

pyHanko verifies; it takes a second to import, so only the process that refreshes does.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from enrol.adapters.trustlists.document import Document, parse_list, to_text
from enrol.adapters.trustlists.errors import ListRefusedError
from enrol.errors import ConfigurationError

_RE_ANCHORED: Final = datetime(2026, 5, 1, tzinfo=UTC)
"""From when the notice C/2026/1944 of the Official Journal stands in for C 276/2019."""

_FUTURE_TOLERANCE_SECONDS: Final = 300
_LONGEST_CAUSE: Final = 600


def verified_list(
    data: bytes, signers: Sequence[bytes], *, at: datetime, location: str = ""
) -> Document:
    """Return what was signed of a list by one of `signers` (certificates, DER).

    The certificate must have been valid when the list was issued: lists outlive their signers'
    certificates. A list from the future is refused. Raises ListRefusedError.
    """
    text = to_text(data)
    claimed = parse_list(text, location=location).head
    if (claimed.issued - at).total_seconds() > _FUTURE_TOLERANCE_SECONDS:
        raise ListRefusedError("list_from_future", f"it is dated {claimed.issued.isoformat()}")
    return parse_list(_signed(text, signers, at=claimed.issued), location=location, source=data)


def official_journal_signers(at: datetime) -> tuple[bytes, ...]:
    """Return the certificates that the Official Journal names for the LOTL at `at`, DER."""
    anchor = 1 if at >= _RE_ANCHORED else 0
    signers = eutl_parse().ojeu_bootstrap_lotl_tlso_certs(anchor)
    return tuple(certificate.dump() for certificate in signers)


def read_signers(pem: bytes) -> tuple[bytes, ...]:
    """Return the certificates in a PEM file as DER; raises ConfigurationError."""
    try:
        found = x509.load_pem_x509_certificates(pem)
    except ValueError as exc:
        raise ConfigurationError(
            "lotl_anchors_malformed", "The signers of the LOTL are not certificates in PEM."
        ) from exc
    return tuple(certificate.public_bytes(Encoding.DER) for certificate in found)


@cache
def eutl_parse() -> Any:  # noqa: ANN401 - a module without types
    """Import what of pyHanko reads lists.

    It teaches asn1crypto an extension; what was encoded before left a map that lacks it.
    """
    from asn1crypto.x509 import ExtensionId  # noqa: PLC0415 - slow
    from pyhanko.sign.validation.qualified import eutl_parse as module  # noqa: PLC0415 - slow

    ExtensionId._reverse_map = {name: oid for oid, name in ExtensionId._map.items()}
    return module


def _signed(text: str, signers: Sequence[bytes], *, at: datetime) -> str:
    """Return the part of the document that was signed, as text."""
    candidates = [loaded for der in signers if (loaded := _load(der)) is not None]
    if not candidates:
        raise ListRefusedError("list_signature_invalid", "nobody is known who may sign it")
    verify = eutl_parse()._validate_and_extract_tl_data_multiple_certs  # see ADR 0006
    try:
        return str(verify(text, candidates, at))
    except Exception as exc:  # of pyHanko, signxml, lxml and cryptography
        cause = " ".join(str(exc).split())[:_LONGEST_CAUSE]
        raise ListRefusedError("list_signature_invalid", cause) from exc


@cache
def _load(der: bytes) -> object | None:
    """Return a signer's certificate as pyHanko wants it, None where it cannot be read."""
    from asn1crypto import x509 as asn1_x509  # noqa: PLC0415 - slow

    try:
        certificate = asn1_x509.Certificate.load(der, strict=True)
        _ = certificate.not_valid_before, certificate.subject.human_friendly
        x509.load_der_x509_certificate(der).public_key()
    except Exception:  # one that cannot be read signs nothing
        return None
    loaded: object = certificate
    return loaded
