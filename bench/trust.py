"""What trusted lists cost: a refresh in its own process, and a certificate under 700 CAs.

Run: python -m bench.trust
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from enrol.adapters.trust import FileRevocationSource
from enrol.adapters.trustlists.source import SnapshotTrustSource
from enrol.eidas.rules import CertificateRules
from enrol.registration.certificates import CertificateJudge
from enrol.sandbox.ca import YEAR, ca_certificate, signer
from enrol.sandbox.draft import Kind
from enrol.sandbox.pki import Authority, create_authority, issue, revocation_list
from enrol.sandbox.scheme import create_operator
from enrol.sandbox.seed import SeededKeys
from enrol.sandbox.xmllist import ListedCa, ListedState, list_of_lists, national_list, signed

AT = datetime.now(UTC)
TERRITORIES = (
    *("AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "EL", "ES", "FI", "FR", "HR", "HU", "IE"),
    *("IS", "IT", "LI", "LT", "LU", "LV", "MT", "NL", "NO", "PL", "PT", "RO", "SE", "SI", "SK"),
)
CAS, STATES = 24, 16
"""CAs of a territory, and states of each: lists as long as the real ones, 17 MB in all."""

USES = ("ForeSeals", "ForWebSiteAuthentication")
WARM_LIMIT, COLD_LIMIT = 30e-6, 5e-3
CPU_LIMIT, MEMORY_LIMIT = 8.0, 200


def listed_ca(name: str, keys: SeededKeys, root: x509.Name) -> x509.Certificate:
    """Return the certificate of one CA more."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    itself = signer(subject, keys.ec_key(name))
    above = signer(root, keys.ec_key("root"))
    return ca_certificate(
        itself, issuer=above, path_length=0, serial_number=keys.serial_number(name), at=AT
    )


def write_lists(folder: Path, authority: Authority) -> bytes:
    """Write thirty territories with 24 CAs each, and return the operator's certificate, PEM."""
    keys, until = SeededKeys(1), AT + YEAR
    operator = create_operator(keys, at=AT)
    root = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Root")])
    states = tuple(
        ListedState("granted" if each % 2 == 0 else "withdrawn", AT - (2 + each) * YEAR)
        for each in range(STATES)
    )
    for territory in TERRITORIES:
        cas = [listed_ca(f"{territory} CA {each}", keys, root) for each in range(CAS)]
        if territory == "FR":
            cas.append(authority.issuing.certificate)
        services = [ListedCa(each, USES, states) for each in cas]
        document = national_list(services, territory=territory, number=1, at=AT, until=until)
        padding = f"<!--{'x' * 300_000}-->"
        document = document.replace(
            "</TrustServiceStatusList>", f"{padding}</TrustServiceStatusList>"
        )
        (folder / f"{territory}.xml").write_bytes(signed(document, operator, at=AT))
    lotl = list_of_lists(
        operator.certificate, territories=TERRITORIES, number=1, at=AT, until=until
    )
    (folder / "lotl.xml").write_bytes(signed(lotl, operator, at=AT))
    return operator.certificate.public_bytes(Encoding.PEM)


def refresh(work: Path) -> tuple[float, float]:
    """Refresh in a process of its own; return its CPU in seconds and its memory in MB."""
    job = {
        "snapshot": str(work / "trust.snapshot"),
        "directory": str(work / "lists"),
        "lotl_anchors": str(work / "scheme.pem"),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "enrol.adapters.trustlists.process"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps({"job": job}).encode())
    process.stdin.close()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit("the refresh failed")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def timed(call: Callable[[], object], *, rounds: int) -> float:
    """Return the median of the seconds a call takes."""
    times = []
    for _ in range(rounds):
        begun = time.perf_counter()
        call()
        times.append(time.perf_counter() - begun)
    return median(times)


def checks(work: Path, authority: Authority) -> tuple[float, float, int]:
    """Return the seconds of a warm and of a cold check, and the number of anchors."""
    crl = work / "ca.crl"
    crl.write_bytes(revocation_list(authority, at=AT).public_bytes(Encoding.PEM))
    source = SnapshotTrustSource(work / "trust.snapshot")
    revocations = FileRevocationSource((crl,))
    der = issue(authority, at=AT, kind=Kind.QWAC).certificate.public_bytes(Encoding.DER)
    at = AT + timedelta(minutes=1)

    def judge_once(judge: CertificateJudge) -> object:
        try:
            judge.qwac(der, at=at).send(None)
        except StopIteration as done:
            return done.value
        raise SystemExit("the check waited for something")

    def cold() -> object:
        return judge_once(CertificateJudge(source, revocations, CertificateRules()))

    judge = CertificateJudge(source, revocations, CertificateRules())
    judge_once(judge)
    warm = timed(lambda: judge_once(judge), rounds=5000)
    return warm, timed(cold, rounds=200), len(source.anchors().certificates)


def row(name: str, value: str, limit: str, *, met: bool) -> str:
    return f"{name:<48} {value:>10}   at most {limit:<8} {'met' if met else 'MISSED'}"


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="bench-trust-") as name:
        work = Path(name)
        (work / "lists").mkdir()
        authority = create_authority(SeededKeys(2), at=AT)
        (work / "scheme.pem").write_bytes(write_lists(work / "lists", authority))
        size = sum(path.stat().st_size for path in (work / "lists").iterdir())
        cpu, memory = refresh(work)
        begun = time.perf_counter()
        SnapshotTrustSource(work / "trust.snapshot")
        load = time.perf_counter() - begun
        warm, cold, anchors = checks(work, authority)
    print(f"{len(TERRITORIES)} lists, {size / 1e6:.1f} MB, {anchors} CAs")
    print(row("refresh, CPU", f"{cpu:.1f} s", "8 s", met=cpu <= CPU_LIMIT))
    print(row("refresh, memory", f"{memory:.0f} MB", "200 MB", met=memory <= MEMORY_LIMIT))
    print(row("snapshot into a server, in a thread", f"{load * 1e3:.0f} ms", "-", met=True))
    warm_text, cold_text = f"{warm * 1e6:.1f} us", f"{cold * 1e3:.2f} ms"
    print(row("a certificate judged before", warm_text, "30 us", met=warm <= WARM_LIMIT))
    print(row("a new certificate, CRL at hand", cold_text, "5 ms", met=cold <= COLD_LIMIT))


if __name__ == "__main__":
    main()
