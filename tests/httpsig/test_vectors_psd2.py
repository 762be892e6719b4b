"""The registration request in every form: what must be accepted, what refused and by which rule."""

import pytest

from enrol.httpsig import STET, STRICT
from httpsig_cases import Vector, cases, judge, load


def known(name: str) -> dict[str, Vector]:
    return load(name).get("known_keys", {})


@pytest.mark.parametrize("vector", cases("psd2_positive"))
@pytest.mark.parametrize("policy", [STRICT, STET], ids=["strict", "stet"])
def test_genuine_request_is_accepted(vector: Vector, policy):
    assert judge(vector, policy, known("psd2_positive")) is None


@pytest.mark.parametrize("vector", cases("psd2_negative"))
def test_forged_request_is_refused_by_the_rule_it_breaks(vector: Vector):
    assert judge(vector, STRICT, known("psd2_negative")) in vector["expect"]["violates"]


@pytest.mark.parametrize("vector", cases("psd2_negative"))
def test_forged_request_in_the_stet_profile(vector: Vector):
    assert_verdict(judge(vector, STET, known("psd2_negative")), vector["expect"]["stet_profile"])


@pytest.mark.parametrize("vector", cases("psd2_compat"))
def test_form_of_a_real_client_in_the_strict_profile(vector: Vector):
    assert_verdict(judge(vector, STRICT, known("psd2_compat")), vector["expect"])


@pytest.mark.parametrize("vector", cases("psd2_compat"))
def test_form_of_a_real_client_in_the_stet_profile(vector: Vector):
    assert_verdict(judge(vector, STET, known("psd2_compat")), vector["expect"]["stet_profile"])


def assert_verdict(code: str | None, expect: Vector):
    if expect["verdict"] == "accept":
        assert code is None
    else:
        assert code in expect["violates"]
