"""A certificate that cannot be read is a 400; one that is read and not believed a 401."""

from typing import Any

import pytest

from eidas.test_vectors import ALSO_WEAK, CASES, judge, over
from enrol.errors import CertificateError, RefusalError, UnreadableCertificateError
from enrol.server.problems import problem_of


@pytest.mark.parametrize("code", ["cert_malformed", "qcstatements_malformed"])
def test_what_cannot_be_read_is_a_400(code: str) -> None:
    problem = problem_of(UnreadableCertificateError(code))
    assert (problem.status, problem.error) == (400, "invalid_request")


def test_what_is_not_believed_is_a_401() -> None:
    assert problem_of(CertificateError("cert_expired")).status == 401


@over([case for case in CASES if case["prototype_verdict"]["refusals"]])
def test_certificates_are_answered_with_the_status_of_their_first_fault(
    case: dict[str, Any],
) -> None:
    with pytest.raises(RefusalError) as refused:
        judge(case)
    status = {code: status for status, code, _ in case["prototype_verdict"]["refusals"]}
    weak = 401 if case["file"] in ALSO_WEAK else None
    assert problem_of(refused.value).status == status.get(refused.value.code, weak)
