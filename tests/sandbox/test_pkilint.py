"""The sandbox's certificates under the linter of issuers: whatever it finds is explained here."""

import json
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from enrol.sandbox import pki

LINTER = Path(__file__).parents[2] / ".peers" / "bin" / "lint_etsi_cert"
PROFILES = {
    "qwac": "QEVCP-W-PSD2-EIDAS-NON-BROWSER-FINAL-CERTIFICATE",
    "qsealc": "NCP-LEGAL-PERSON-CERTIFICATE",
}
EXPLAINED = {
    "etsi.internal_domain_name": "names of .example lead nowhere, on purpose (RFC 2606)",
    "etsi.ts_119_495.gen-5.2.3-1.nca_name_non_latin": "the accents of the authority's French name",
}
BROWSERS = "cabf."
"""Rules of the CA/Browser Forum, for certificates that browsers show; a bank's API is none."""


@pytest.mark.parametrize("kind", PROFILES)
def test_a_certificate_keeps_to_the_profile_of_its_kind(kind, authority, at, tmp_path):
    if not LINTER.exists():
        pytest.skip("needs pkilint in .peers, which `make test` installs")
    issued = pki.issue(authority, at=at, kind=kind)
    file = tmp_path / "certificate.pem"
    file.write_bytes(issued.certificate.public_bytes(Encoding.PEM))
    command = [str(LINTER), "lint", "-t", PROFILES[kind], "-s", "ERROR", "-f", "JSON", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = {
        finding["code"]
        for result in json.loads(done.stdout)["results"]
        for finding in result["finding_descriptions"]
    }
    assert "etsi.ts_119_495.gen-5.2.3-1.nca_name_non_latin" in found, done
    assert {code for code in found if not code.startswith(BROWSERS)} <= EXPLAINED.keys()
