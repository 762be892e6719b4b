"""Certificates for attacks: of the sandbox's test QTSP, good or broken, and forged octet by octet.

A forgery is A's good QWAC with one thing changed and signed again; what no library would sign is
written with asn1crypto.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from asn1crypto import core, keys, pem
from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from enrol.sandbox.files import new_pair, write_pair
from enrol.sandbox.folder import open_sandbox
from enrol.sandbox.pki import issue
from live.party import Pair

Change = Callable[[Any], None]
"""Changes the TBSCertificate of asn1crypto it is given."""


@dataclass(frozen=True)
class Files:
    """A certificate chain and a key, as PEM files that need not make sense to any library."""

    certificate_file: Path
    key_file: Path


class Mint:
    """The test QTSP of a sandbox, in the attacker's hand."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.out = folder / "attacks"
        self._sandbox = open_sandbox(folder)
        self._authority = self._sandbox.authority

    def issue(
        self,
        kind: str,
        organization: str,
        roles: tuple[str, ...],
        *faults: str,
        name: str = "",
        not_before: datetime | None = None,
    ) -> Pair:
        """Issue a certificate, once a name; a fault ``revoked`` is not in the CRL by itself."""
        name = name or "-".join((kind, organization, *faults))
        if not (self.out / f"{name}.pem").exists():
            issued = issue(
                self._authority,
                at=datetime.now(UTC),
                kind=kind,
                organization_identifier=organization,
                roles=roles,
                faults=faults,
                not_before=not_before,
            )
            write_pair(new_pair(self.out, name), issued)
        return Pair(self.out / f"{name}.pem", self.out / f"{name}.key")

    def revoke(self, pair: Pair) -> None:
        """Put a certificate into the revocation list of the sandbox."""
        self._sandbox.revoke(pair.certificate.serial_number, at=datetime.now(UTC))

    def forge(
        self,
        name: str,
        of: Pair,
        *changes: Change,
        key: bytes | None = None,
        signer: Any = None,
        chain: Sequence[x509.Certificate] = (),
    ) -> Files:
        """Write a changed copy of a certificate, signed by the issuing CA unless told otherwise.

        `key` is PKCS#8 DER of the private key that goes with it, that of `of` unless given.
        """
        certificate = asn1.Certificate.load(of.der)
        tbs = certificate["tbs_certificate"]
        for change in changes:
            change(tbs)
        signing = signer or self._authority.issuing.private_key
        octets = tbs.dump(force=True)
        certificate["signature_value"] = core.OctetBitString(
            signing.sign(octets, padding.PKCS1v15(), hashes.SHA256())
        )
        self.out.mkdir(exist_ok=True)
        files = Files(self.out / f"{name}.pem", self.out / f"{name}.key")
        texts = [pem.armor("CERTIFICATE", certificate.dump(force=True))]
        texts += [one.public_bytes(Encoding.PEM) for one in chain]
        files.certificate_file.write_bytes(b"".join(texts))
        files.key_file.write_bytes(
            of.key_file.read_bytes() if key is None else pem.armor("PRIVATE KEY", key)
        )
        return files

    def constrained_ca(self, permitted: str) -> tuple[x509.Certificate, rsa.RSAPrivateKey]:
        """Return a CA below the root that may issue for DNS names under `permitted` only."""
        key = rsa.generate_private_key(65537, 2048)
        root = self._authority.root
        now = datetime.now(UTC)
        usages = dict.fromkeys(
            (
                *("digital_signature", "content_commitment", "key_encipherment"),
                *("data_encipherment", "key_agreement", "encipher_only", "decipher_only"),
            ),
            False,
        )
        name = x509.Name(
            [
                x509.NameAttribute(NameOID.COUNTRY_NAME, "FR"),
                x509.NameAttribute(NameOID.COMMON_NAME, f"Constrained to {permitted}"),
            ]
        )
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(root.certificate.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=30))
            .not_valid_after(now + timedelta(days=365))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(
                x509.KeyUsage(key_cert_sign=True, crl_sign=True, **usages), critical=True
            )
            .add_extension(x509.NameConstraints([x509.DNSName(permitted)], None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(root.private_key.public_key()),
                critical=False,
            )
            .sign(root.private_key, hashes.SHA256())
        )
        return certificate, key

    def stale_revocation_list(self) -> bytes:
        """Return a revocation list of the issuing CA that ended yesterday, in PEM."""
        now = datetime.now(UTC)
        return (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self._authority.issuing.certificate.subject)
            .last_update(now - timedelta(days=8))
            .next_update(now - timedelta(days=1))
            .sign(self._authority.issuing.private_key, hashes.SHA256())
            .public_bytes(Encoding.PEM)
        )


# Changes


def unchanged(_: Any) -> None:
    """Change nothing; the control of every forgery."""


def self_issued(tbs: Any) -> None:
    """Let the subject be its own issuer; the key identifiers stay."""
    tbs["issuer"] = tbs["subject"]


def issued_by(name: x509.Name, key: rsa.RSAPublicKey) -> Change:
    """Name another issuer, and its key."""

    def change(tbs: Any) -> None:
        tbs["issuer"] = asn1.Name.load(name.public_bytes())
        identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(key).public_bytes()
        for extension in tbs["extensions"]:
            if extension["extn_id"].native == "authority_key_identifier":
                extension["extn_value"] = core.ParsableOctetString(identifier)

    return change


def with_key(info: bytes) -> Change:
    """Put in another public key, DER of SubjectPublicKeyInfo."""

    def change(tbs: Any) -> None:
        tbs["subject_public_key_info"] = keys.PublicKeyInfo.load(info)

    return change
