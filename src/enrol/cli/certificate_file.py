"""Certificates in files as people have them: PEM or DER, alone or before their chain."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from enrol.client.given_key import read_octets
from enrol.eidas.certificate import Certificate, parse_certificate
from enrol.eidas.pem import split_pem
from enrol.eidas.rules import CertificateUse
from enrol.errors import CertificateError, ConfigurationError

_MOST_BYTES: Final = 256 * 1024
_SEQUENCE: Final = 0x30
_TLS_USAGES: Final = frozenset({"1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"})
_OTHERS: Final = (
    (b"PRIVATE KEY-----", "a private key", "Give the certificate, and keep the key to yourself."),
    (b"CERTIFICATE REQUEST-----", "a request for one", "Give what the QTSP issued for it."),
    (b"PUBLIC KEY-----", "a public key", "Give the certificate the key is in."),
    (b"PKCS7-----", "PKCS#7", "Convert it: openssl pkcs7 -print_certs -in FILE."),
    (b"CMS-----", "PKCS#7", "Convert it: openssl pkcs7 -print_certs -in FILE."),
    (b"X509 CRL-----", "a revocation list", "Give the certificate."),
)


@dataclass(frozen=True, slots=True)
class CertificateFile:
    """The certificate of a file and the CAs after it, DER; the first is not read yet."""

    path: Path
    der: bytes
    intermediates: tuple[bytes, ...]

    def guess_use(self) -> CertificateUse:
        """Return what it looks made for: by its QcType, else by whether it is for TLS."""
        try:
            certificate = parse_certificate(self.der)
        except CertificateError:
            return CertificateUse.QWAC
        types = certificate.qc.qc_types if certificate.qc is not None else ()
        is_seal = types in (("eseal",), ("esign",))
        if types == ("web",) or (not is_seal and _is_for_tls(certificate)):
            return CertificateUse.QWAC
        return CertificateUse.QSEALC


def read_certificate_file(path: Path) -> CertificateFile:
    """Read a file of one certificate, or of one and its chain.

    Raises `ConfigurationError` ``file_missing``, or ``certificate_malformed`` where there is no
    certificate in it; whether it is a good one is not looked at.
    """
    data = read_octets(path, "FILE")
    if not data.strip():
        raise _refused(path, "is empty", "Give a certificate in PEM or DER.")
    if len(data) > _MOST_BYTES:
        raise _refused(
            path, "is longer than 256 KiB", "Give one certificate, and the CAs above it."
        )
    try:
        chain = split_pem(data)
    except CertificateError as exc:
        raise _refused(
            path, "holds PEM whose base64 is damaged", "Give the file as it was issued."
        ) from exc
    if not chain:
        _check_is_der(path, data)
        chain = (data,)
    return CertificateFile(path, chain[0], chain[1:])


def _check_is_der(path: Path, data: bytes) -> None:
    """Refuse what cannot be meant as a certificate in DER, by what it is instead."""
    for mark, name, remedy in _OTHERS:
        if mark in data:
            raise _refused(path, f"holds {name}, no certificate", remedy)
    if b"-----BEGIN" in data:
        raise _refused(
            path, "holds PEM that is cut or not a certificate", "Give the file as it was issued."
        )
    match _first_inner_tag(data):
        case None:
            raise _refused(
                path,
                "is neither PEM nor DER",
                "A PEM certificate begins with -----BEGIN CERTIFICATE-----.",
            )
        case 0x02:  # INTEGER
            raise _refused(
                path,
                "is a PKCS#12 file or a key, no certificate",
                f"Take it out: openssl pkcs12 -in {path} -clcerts -nokeys.",
            )
        case 0x06:  # OBJECT IDENTIFIER
            raise _refused(
                path,
                "is PKCS#7",
                f"Convert it: openssl pkcs7 -inform DER -print_certs -in {path}.",
            )
        case _:
            return


def _first_inner_tag(data: bytes) -> int | None:
    """Return the tag of the first element in a SEQUENCE, None where it is no SEQUENCE."""
    if len(data) < 3 or data[0] != _SEQUENCE:
        return None
    header = 2 + (data[1] & 0x7F if data[1] & 0x80 else 0)
    return data[header] if header < len(data) else 0


def _is_for_tls(certificate: Certificate) -> bool:
    return not _TLS_USAGES.isdisjoint(certificate.extended_key_usage or ())


def _refused(path: Path, fault: str, remedy: str) -> ConfigurationError:
    return ConfigurationError("certificate_malformed", f"{path} {fault}. {remedy}")
