"""Each of the 29 checks has a case that is let through when the check is taken away."""

import pytest

from eidas.mutation_table import CASES, MUTATIONS, PAGE, page
from vectors import vectors


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.number}: {case.name}")
def test_a_check_refuses_its_case(case):
    assert case.run() == case.code


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda one: f"{one.number}: {one.target}")
def test_without_a_check_one_of_its_cases_is_judged_otherwise(mutation):
    own = [case for case in CASES if case.number == mutation.number]
    with mutation.applied():
        assert [case.name for case in own if case.run() != case.code]


def test_no_check_is_left_out():
    assert {mutation.number for mutation in MUTATIONS} == set(range(1, 30))


def test_the_page_says_what_was_found_out():
    vectors("eidas")
    assert PAGE.read_text("utf-8") == page(), "run scripts/certificates.py"
