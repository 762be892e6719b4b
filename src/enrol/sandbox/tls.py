"""The bank's TLS end in the sandbox: a CA of its own, apart from the test QTSP, and its server."""

from datetime import datetime

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from enrol.sandbox.ca import YEAR, Signer, ca_certificate, sign, signer, start_of_day
from enrol.sandbox.host import LOOPBACK, parse_host
from enrol.sandbox.pki import Issued
from enrol.sandbox.seed import KeySource

_NAMES = ("localhost", LOOPBACK, "::1")


def create_server(
    keys: KeySource, *, host: str = LOOPBACK, at: datetime
) -> tuple[x509.Certificate, Issued]:
    """Return a new server CA and the certificate it signed for loopback and `host`.

    Keys are ECDSA P-256. The CA's key is dropped, so nobody who trusts it can be deceived later.
    """
    ca = signer(_name("Enrol Sandbox Server CA"), keys.ec_key("server-ca"))
    ca_cert = ca_certificate(
        ca, issuer=ca, path_length=0, serial_number=keys.serial_number("server-ca"), at=at
    )
    return ca_cert, _server(ca, keys, host=host, at=at)


def _server(ca: Signer, keys: KeySource, *, host: str, at: datetime) -> Issued:
    """Sign the server's certificate, valid for a year from the start of the day of `at`."""
    key = keys.ec_key("server")
    begin = start_of_day(at)
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    unsigned = (
        x509.CertificateBuilder()
        .subject_name(_name("localhost"))
        .issuer_name(ca.name)
        .public_key(key.public_key())
        .serial_number(keys.serial_number("server"))
        .not_valid_before(begin)
        .not_valid_after(begin + YEAR)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(_general_names(host)), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(ca.key_identifier, critical=False)
    )
    return Issued(sign(unsigned, ca.key), key)


def _general_names(host: str) -> list[x509.GeneralName]:
    """Return loopback and `host`, each once; "every address" (0.0.0.0, ::) is no name."""
    names: list[x509.GeneralName] = []
    for parsed in dict.fromkeys(parse_host(name) for name in (*_NAMES, host)):
        if isinstance(parsed, str):
            names.append(x509.DNSName(parsed))
        elif not parsed.is_unspecified:
            names.append(x509.IPAddress(parsed))
    return names


def _name(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Enrol Sandbox Bank"),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )
