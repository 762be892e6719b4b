"""A sandbox on disk: what lies in its folder, written once and never over something."""

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from enrol.eidas.qcstatements import PspRole
from enrol.errors import ConfigurationError
from enrol.sandbox.ca import start_of_day
from enrol.sandbox.draft import Kind
from enrol.sandbox.files import (
    PRIVATE,
    PUBLIC,
    certificates_pem,
    key_pem,
    replace_file,
    write_new,
)
from enrol.sandbox.host import LOOPBACK, PORT, parse_host
from enrol.sandbox.organization import ACME, BANK, organization
from enrol.sandbox.pki import (
    Authority,
    Issued,
    OtherCa,
    create_authority,
    issue,
    revocation_list,
    revoke,
)
from enrol.sandbox.scheme import create_operator, number_of_list, publish
from enrol.sandbox.seed import KeySource, RandomKeys
from enrol.sandbox.templates import STET, Spoken, profile_toml, settings_toml
from enrol.sandbox.tls import create_server

CONTENTS: Mapping[str, str] = {
    "ca.pem": "the test QTSP: its root and its issuing CA",
    "ca.crl": "what the test QTSP has revoked",
    "server-ca.pem": "the CA of the bank's server, which TPPs trust",
    "server.pem": "the bank's server certificate",
    "server.key": "and its private key",
    "enrol.toml": "the bank's settings",
    "enrol.secret": "the bank's secret",
    "bank/seal.pem": "the bank's certificate for the signatures of its answers",
    "bank/seal.key": "and its private key",
    "tpp/qwac.pem": "the TPP's certificate for TLS",
    "tpp/qwac.key": "and its private key",
    "tpp/qsealc.pem": "the TPP's certificate for signatures",
    "tpp/qsealc.key": "and its private key",
    "tpp/profile.toml": "the TPP's settings",
    "scheme.pem": "the scheme operator, whose trusted lists the bank believes",
    "lists/lotl.xml": "the list of the lists, signed by the scheme operator",
    "lists/FR.xml": "the trusted list with the CAs of the test QTSP",
    "qtsp/scheme.key": "the private key of the scheme operator",
    "qtsp/root.key": "the private key of the test QTSP's root",
    "qtsp/issuing.key": "the private key of its issuing CA",
    "qtsp/others.pem": "its CAs that are listed with a flaw",
    "qtsp/withdrawn.key": "the private key of the one whose service is withdrawn",
    "qtsp/seal-only.key": "the private key of the one listed for seals only",
    "qtsp/web-only.key": "the private key of the one listed for websites only",
}
"""Every file that `create_sandbox` writes, and what it is."""


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A sandbox that lies in a folder, ready to issue and to revoke."""

    path: Path
    authority: Authority

    @property
    def tpp(self) -> Path:
        """The folder of the TPP's side."""
        return self.path / "tpp"

    def revoke(self, serial_number: int, *, at: datetime) -> None:
        """Revoke a certificate at `at` (aware UTC): ``ca.crl`` is signed anew and swapped in.

        Raises ConfigurationError where the list cannot be read.
        """
        path = self.path / "ca.crl"
        with _locked(self.path / "qtsp"):
            try:
                current = x509.load_pem_x509_crl(path.read_bytes())
                following = revoke(self.authority, current, serial_number=serial_number, at=at)
            except (ValueError, x509.ExtensionNotFound) as exc:
                raise ConfigurationError(
                    "sandbox_folder_unreadable",
                    f"{path} is not the revocation list of this sandbox; put it back, or make a"
                    " new sandbox.",
                ) from exc
            replace_file(path, following.public_bytes(Encoding.PEM))

    def publish_lists(self, *, withdrawn_at: datetime | None, at: datetime) -> int:
        """Sign the trusted lists anew as of `at` (aware UTC), and return their number.

        The issuing CA is withdrawn from `withdrawn_at` on, or granted where that is None. A bank
        believes it at its next refresh. Raises ConfigurationError where the lists cannot be read.
        """
        folder = self.path / "lists"
        with _locked(self.path / "qtsp"):
            try:
                operator = _with_key(
                    x509.load_pem_x509_certificates((self.path / "scheme.pem").read_bytes()),
                    (self.path / "qtsp" / "scheme.key").read_bytes(),
                )
                number = number_of_list((folder / "lotl.xml").read_bytes()) + 1
            except (ValueError, TypeError) as exc:
                raise ConfigurationError(
                    "sandbox_folder_unreadable",
                    f"{folder} does not hold the lists of this sandbox; make a new sandbox.",
                ) from exc
            lists = publish(
                self.authority, operator, number=number, withdrawn_at=withdrawn_at, at=at
            )
            replace_file(folder / "FR.xml", lists.national)
            replace_file(folder / "lotl.xml", lists.lotl)
        return number


def create_sandbox(
    path: Path,
    *,
    keys: KeySource,
    at: datetime,
    host: str = LOOPBACK,
    port: int = PORT,
    dialect: Spoken = STET,
) -> bool:
    """Write a sandbox into a folder that is absent or empty; return False where one is already.

    `at` is aware UTC; `dialect` is what the bank speaks, and the TPP's profile fits. Raises
    ConfigurationError when the folder holds anything else, and leaves it as it was.
    """
    if is_sandbox(path):
        return False
    parse_host(host)
    files = _contents(keys, at=at, host=host, port=port, dialect=dialect)
    made: list[Path] = []
    try:
        for folder in (path, path / "bank", path / "lists", path / "tpp", path / "qtsp"):
            if not folder.is_dir():
                folder.mkdir(mode=0o700 if folder == path / "qtsp" else 0o777, parents=True)
                made.append(folder)
        for name, data in files.items():
            private = name.endswith((".key", ".secret"))
            write_new(path / name, data, mode=PRIVATE if private else PUBLIC)
            made.append(path / name)
    except BaseException:
        _remove(made)
        raise
    return True


def is_sandbox(path: Path) -> bool:
    """State whether the folder holds a whole sandbox; False means there is room for one.

    Raises ConfigurationError ``sandbox_folder_not_a_folder``, ``sandbox_folder_not_empty`` or
    ``sandbox_folder_incomplete``.
    """
    if not path.exists() and not path.is_symlink():
        return False
    if not path.is_dir():
        raise ConfigurationError(
            "sandbox_folder_not_a_folder", f"{path} is not a folder; name a folder, new or empty."
        )
    missing = [name for name in CONTENTS if not (path / name).is_file()]
    if not missing:
        return True
    if (path / "qtsp").is_dir():
        raise ConfigurationError(
            "sandbox_folder_incomplete",
            f"{path} holds a part of a sandbox; missing: {', '.join(missing)}."
            " Put them back, or name a new folder.",
        )
    if any(path.iterdir()):
        raise ConfigurationError(
            "sandbox_folder_not_empty",
            f"{path} holds other files and no sandbox; name a folder that is new or empty.",
        )
    return False


def open_sandbox(path: Path, *, keys: KeySource | None = None) -> Sandbox:
    """Read the sandbox in a folder; `keys` (random unless given) are for what it will issue.

    Raises ConfigurationError where there is none, or where its QTSP cannot be read.
    """
    if not (path / "qtsp").is_dir() or not is_sandbox(path):
        raise ConfigurationError(
            "sandbox_folder_missing",
            f"There is no sandbox in {path}; make one with `enrol sandbox init {path}`.",
        )
    try:
        certificates = x509.load_pem_x509_certificates((path / "ca.pem").read_bytes())
        root, issuing = (
            _with_key(certificates, (path / "qtsp" / name).read_bytes())
            for name in ("root.key", "issuing.key")
        )
        certificates = x509.load_pem_x509_certificates((path / "qtsp" / "others.pem").read_bytes())
        others = {
            each: _with_key(certificates, (path / "qtsp" / f"{each}.key").read_bytes())
            for each in OtherCa
        }
    except (ValueError, TypeError) as exc:
        raise ConfigurationError(
            "sandbox_folder_unreadable",
            f"ca.pem in {path} does not hold the certificates of the keys in {path / 'qtsp'};"
            " put the files back, or make a new sandbox.",
        ) from exc
    return Sandbox(path, Authority(root, issuing, others, keys or RandomKeys()))


def _contents(
    keys: KeySource, *, at: datetime, host: str, port: int, dialect: Spoken
) -> dict[str, bytes]:
    """Return every file of a new sandbox; the keys of `CONTENTS`, in its order."""
    authority = create_authority(keys, at=at)
    server_ca, server = create_server(keys, host=host, at=at)
    qwac, qsealc = (issue(authority, at=at, kind=kind) for kind in (Kind.QWAC, Kind.QSEALC))
    seal = issue(
        authority,
        at=at,
        kind=Kind.QSEALC,
        organization_identifier=BANK,
        roles=(PspRole.PSP_AS,),
    )
    crl = revocation_list(authority, at=start_of_day(at))
    operator, others = create_operator(keys, at=at), authority.others
    lists = publish(authority, operator, at=start_of_day(at))
    profile = profile_toml(
        organization(ACME),
        kid=str(qsealc.certificate.serial_number),
        host=host,
        port=port,
        dialect=dialect,
    )
    return {
        "ca.pem": certificates_pem(*authority.anchors),
        "ca.crl": crl.public_bytes(Encoding.PEM),
        "server-ca.pem": certificates_pem(server_ca),
        "server.pem": certificates_pem(server.certificate),
        "server.key": key_pem(server.private_key),
        "enrol.toml": settings_toml(host=host, port=port, dialect=dialect).encode(),
        "enrol.secret": keys.secret("enrol").encode(),
        "bank/seal.pem": certificates_pem(seal.certificate),
        "bank/seal.key": key_pem(seal.private_key),
        "tpp/qwac.pem": certificates_pem(qwac.certificate),
        "tpp/qwac.key": key_pem(qwac.private_key),
        "tpp/qsealc.pem": certificates_pem(qsealc.certificate),
        "tpp/qsealc.key": key_pem(qsealc.private_key),
        "tpp/profile.toml": profile.encode(),
        "scheme.pem": certificates_pem(operator.certificate),
        "lists/lotl.xml": lists.lotl,
        "lists/FR.xml": lists.national,
        "qtsp/scheme.key": key_pem(operator.private_key),
        "qtsp/root.key": key_pem(authority.root.private_key),
        "qtsp/issuing.key": key_pem(authority.issuing.private_key),
        "qtsp/others.pem": certificates_pem(*(one.certificate for one in others.values())),
        **{f"qtsp/{each}.key": key_pem(one.private_key) for each, one in others.items()},
    }


def _with_key(certificates: list[x509.Certificate], pem: bytes) -> Issued:
    """Return the CA of this key; raises ValueError where none of the certificates is its."""
    # Written here, and anybody may have it: proving its primes again costs more than the rest.
    key = load_pem_private_key(pem, password=None, unsafe_skip_rsa_key_validation=True)
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise TypeError("the keys of the test QTSP are RSA or EC")
    for certificate in certificates:
        if certificate.public_key() == key.public_key():
            return Issued(certificate, key)
    raise ValueError("no certificate of this key")


def _remove(made: list[Path]) -> None:
    """Remove files and folders made so far, the last one first."""
    for path in reversed(made):
        with suppress(OSError):
            path.rmdir() if path.is_dir() else path.unlink()


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold the folder's lock, so that two revocations do not lose one another."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
