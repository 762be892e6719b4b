"""An examination says of every fault what the judgement says, and names the fault's rule."""

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from enrol.eidas.examination import Status
from enrol.eidas.examine import conclude_examination, examine
from enrol.eidas.revocation import RevocationEvidence
from enrol.eidas.rules import CertificateUse
from enrol.eidas.validate import validate
from enrol.errors import RefusalError
from enrol.sandbox import pki
from enrol.sandbox.draft import Kind
from enrol.sandbox.faults import Fault
from sandbox.test_verdicts import NO_FAULT_OF, trust  # noqa: F401 - a fixture

PAIRS = [
    (kind, fault) for kind in Kind for fault in (None, *Fault) if (kind, fault) not in NO_FAULT_OF
]


@pytest.mark.parametrize(("kind", "fault"), PAIRS)
def test_a_fault_is_examined_as_it_is_judged(kind, fault, issue, authority, facts, trust, at):  # noqa: F811
    try:
        issued = issue(kind=kind, faults={fault} if fault else set())
    except Exception as refused:
        pytest.skip(str(refused))
    crl = pki.revocation_list(authority, at=at)
    if fault is Fault.REVOKED:
        crl = pki.revoke(authority, crl, serial_number=issued.certificate.serial_number, at=at)
    values = {
        "use": CertificateUse(kind.value),
        "at": at,
        "trust": trust,
        "intermediates": tuple(one.public_bytes(Encoding.DER) for one in issued.chain),
    }
    evidence = RevocationEvidence.of_lists([crl.public_bytes(Encoding.PEM)])
    certificate = facts(issued)
    try:
        validate(certificate, revocation=evidence, **values)
        code = None
    except RefusalError as refused:
        code = refused.code
    found = conclude_examination(examine(certificate.der, **values), at=at, revocation=evidence)
    assert found.refused_by == code
    assert (found.status is Status.PASSED) == (code is None)
    assert code is None or code in {check.code for check in found.checks}
